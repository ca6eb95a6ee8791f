"""The message bus: typed publish and subscribe, direct send, request and reply, and nothing that vanishes.

    >>> import asyncio
    >>> from understudy.agents.bus import MessageBus
    >>> from understudy.agents.messages import Finding, Task
    >>> async def main():
    ...     async def answer(envelope):
    ...         return Finding(answer=envelope.body.request.upper())
    ...     async with MessageBus() as bus:
    ...         bus.register("shouter", answer)
    ...         return (await bus.request(Task(request="hello"), "shouter")).answer
    >>> asyncio.run(main())
    'HELLO'

What the bus promises: a full mailbox makes its senders wait; envelopes from one sender to one recipient are
handled in the order in which they were sent (where the mailbox has one worker; control envelopes before the others);
an envelope that cannot be delivered, whose handler fails finally, or whose deadline passes becomes a
:class:`DeadLetter` with the reason, and whoever waits for its answer gets a :class:`DeliveryError`; so do requests that
wait for each other in a circle. What a handler sends names the envelope that it handles as its cause, and is cancelled
with it. A bus lives in one event loop.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from ..core.errors import UnderstudyError
from .addressing import Addresser
from .clock import now
from .deadlock import Deadlock, stuck
from .delivery import Delivery, chosen, handled_by_this_task
from .letters import DeadLetter, DeadLetters, Reason
from .mailbox import Handler, Mailbox
from .messages import Envelope, Message
from .retry import Retry
from .subscriptions import Subject, Subscriptions

Interceptor = Callable[[Envelope], Envelope | None | Awaitable[Envelope | None]]
"""Sees every envelope, replies too, before delivery: gives it or another in its place, or None to refuse."""

EVERYBODY = "*"
"""The topic of what is broadcast."""


class MessageBus:
    """Carries envelopes between registered handlers.

    Args:
        capacity: envelopes that a mailbox holds before its senders wait.
        keep: dead letters that are kept in ``dead``, the newest; ``on_dead`` sees all of them.
        deepest: how far a chain of handlers that call each other may go; an envelope beyond is refused.
        clock: seconds since the epoch.
    """

    def __init__(
        self, *, capacity: int = 64, keep: int = 10_000, deepest: int = 100,
        clock: Callable[[], float] = now,
    ) -> None:  # fmt: skip
        self._letters = DeadLetters(keep, clock)
        self.dead = self._letters.kept
        self.on_dead = self._letters.listeners
        self._capacity = capacity
        self._clock = clock
        self._deepest = deepest
        self._depths: dict[str, int] = {}
        self._guests: Counter[str] = Counter()
        self._mailboxes: dict[str, Mailbox] = {}
        self._subscriptions = Subscriptions()
        self._interceptors: list[Interceptor] = []
        self._addresser = Addresser(clock)
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # Who is there.

    def register(
        self,
        name: str,
        handler: Handler,
        *,
        capacity: int | None = None,
        at_once: int = 1,
        retry: Retry | None = None,
    ) -> None:
        """Give ``name`` a mailbox that ``handler`` empties, ``at_once`` envelopes at a time.

        Raises UnderstudyError where the name is taken, or the bus closed.
        """
        if self._closed:
            raise UnderstudyError("the bus is closed", where=name)
        if name in self._mailboxes:
            raise UnderstudyError(f"{name!r} is on the bus already", mend="register it under another name")
        room = self._capacity if capacity is None else capacity
        self._mailboxes[name] = Mailbox(
            name, handler, self._finished, self._failed, capacity=room, at_once=at_once, retry=retry
        )

    def join(self, name: str, handler: Handler, *, at_once: int = 1) -> bool:
        """Register ``name`` until the last of those who joined it has left; False where it is there for good."""
        if name in self._mailboxes and name not in self._guests:
            return False
        if name not in self._mailboxes:
            self.register(name, handler, at_once=at_once)
        self._guests[name] += 1
        return True

    async def leave(self, name: str) -> None:
        """Give up what :meth:`join` gave; the last one takes the mailbox away."""
        self._guests[name] -= 1
        if self._guests[name] <= 0:
            del self._guests[name]
            await self.unregister(name)

    def __contains__(self, name: str) -> bool:
        return name in self._mailboxes

    async def unregister(self, name: str) -> None:
        """Take the mailbox away; what was left in it becomes dead letters."""
        mailbox = self._mailboxes.pop(name, None)
        if mailbox is None:
            return
        self._subscriptions.forget(name)
        for delivery in await mailbox.close():
            self._die(delivery, "no recipient")

    def subscribe(self, name: str, *to: Subject) -> None:
        """Let the mailbox ``name`` receive what is published to a topic, or of a message type and its subtypes.

        Of several subjects each is enough.
        """
        if name not in self._mailboxes:
            raise UnderstudyError(f"{name!r} is not on the bus", mend="register it before it subscribes")
        for subject in to:
            self._subscriptions.add(name, subject)

    def unsubscribe(self, name: str, subject: Subject) -> None:
        """End a subscription. One that does not exist is no error."""
        self._subscriptions.remove(name, subject)

    def intercept(self, interceptor: Interceptor) -> None:
        """Add an interceptor; they see an envelope in the order in which they were added."""
        self._interceptors.append(interceptor)

    def limit_depth(self, run: str, deepest: int | None) -> None:
        """How far a chain of handlers may go within ``run``; None takes the limit away."""
        if deepest is None:
            self._depths.pop(run, None)
        else:
            self._depths[run] = deepest

    # Sending.

    def envelope(self, body: Message, to: str | None = None, **more: Any) -> Envelope:
        """An envelope for the recipient ``to``, or with ``topic=``: see :meth:`Addresser.envelope`."""
        return self._addresser.envelope(body, to, **more)

    async def send(
        self, body: Message, to: str, *, timeout: float | None = None, control: bool = False, **more: Any
    ) -> str:
        """Put ``body`` into the mailbox of ``to``; gives the envelope's id. Waits while the mailbox is full."""
        envelope = self.envelope(body, to, timeout=timeout, control=control, **more)
        await self.post(envelope)
        return envelope.id

    async def publish(
        self, body: Message, topic: str | None = None, *, timeout: float | None = None, control: bool = False,
        **more: Any,
    ) -> str:  # fmt: skip
        """Send ``body`` to all who subscribed to its type, or to ``topic``; waits for the slowest mailbox."""
        subject = topic or body.message_name
        envelope = self._addresser.envelope(body, topic=subject, timeout=timeout, control=control, **more)
        await self.post(envelope)
        return envelope.id

    async def broadcast(self, body: Message, *, control: bool = False, **more: Any) -> str:
        """Send ``body`` to every mailbox but that of the sender."""
        return await self.publish(body, EVERYBODY, control=control, **more)

    async def request(
        self, body: Message, to: str, *, timeout: float | None = None, control: bool = False, **more: Any
    ) -> Message:
        """Send ``body`` to ``to`` and wait for the answer. Raises DeliveryError where none comes."""
        return (await self.call(self.envelope(body, to, timeout=timeout, control=control, **more))).body

    async def post(self, envelope: Envelope) -> None:
        """Deliver an envelope that was made elsewhere; nobody waits for an answer."""
        if self._interceptors:
            passed = await self._intercepted(Delivery(envelope))
            if passed is None:
                return
            envelope = passed
        if envelope.recipient is not None:
            await self._route(Delivery(envelope), envelope.recipient)
            return
        if envelope.topic == EVERYBODY:
            names = tuple(name for name in self._mailboxes if name != envelope.sender)
        else:
            names = self._subscriptions.of(envelope.topic, type(envelope.body))
        if not names:
            self._die(Delivery(envelope), "no subscriber")
        simple = envelope.deadline is None and envelope.depth == 1
        for name in names:
            # Most are simple: no deadline, not sent by a handler, and there is room.
            delivery = Delivery(envelope)
            if not simple or name not in self._mailboxes or not self._mailboxes[name].offer(delivery):
                await self._route(delivery, name)

    async def call(self, envelope: Envelope, *, retry: Retry | None = None) -> Envelope:
        """Deliver ``envelope`` and wait for the envelope that answers it.

        If the caller is cancelled, so is the handler. Raises DeliveryError where no answer comes.
        """
        if envelope.recipient is None:
            raise UnderstudyError("a request goes to one recipient, not to a topic", where=envelope.id)
        reply: asyncio.Future[Envelope] = asyncio.get_running_loop().create_future()
        delivery = Delivery(envelope, reply, retry)
        try:
            if self._interceptors:
                passed = await self._intercepted(delivery)
                if passed is None:
                    return await reply
                delivery.envelope = envelope = passed
            await self._route(delivery, envelope.recipient or "")
            caller = handled_by_this_task()
            if caller is None:
                return await reply
            caller.blocked = delivery
            try:
                if not delivery.settled and (circle := stuck(delivery)):
                    self._die(delivery, "deadlock", Deadlock(" → ".join(circle)))
                return await reply
            finally:
                caller.blocked = None
        except asyncio.CancelledError:
            delivery.settle()
            self._forsake(delivery)
            raise

    async def resend(self, letter: DeadLetter) -> None:
        """Send a dead letter again, under its id and without its deadline; nobody waits for an answer."""
        more = {"attempt": letter.envelope.attempt + 1, "deadline": None}
        again = letter.envelope.model_copy(update=more)
        if letter.mailbox and again.recipient is None:
            await self._route(Delivery(again), letter.mailbox)  # the other subscribers have had it
        else:
            await self.post(again)

    def cancel(self, id: str | None = None, *, run: str | None = None) -> int:
        """Cancel the envelope ``id``, or all of ``run``, with whatever their handlers sent; gives how many there were.

        Those that wait are not handled, handlers at work are cancelled, and all of them become dead letters.
        """
        found = chosen(self._under_way(), id, run)
        for delivery in found:
            self._die(delivery, "cancelled")
        return len(found)

    async def drain(self) -> None:
        """Wait until every mailbox is empty and every handler has finished."""
        while busy := [mailbox for mailbox in self._mailboxes.values() if mailbox.busy]:
            await busy[0].drain()

    async def close(self) -> None:
        """Stop all handlers; what was still in a mailbox or under way becomes a dead letter."""
        self._closed = True
        for name in list(self._mailboxes):
            for delivery in await self._mailboxes.pop(name).close():
                self._die(delivery, "bus closed")

    # The way of one delivery.

    async def _intercepted(self, delivery: Delivery) -> Envelope | None:
        envelope = delivery.envelope
        for interceptor in self._interceptors:
            try:
                passed = interceptor(envelope)
                passed = await passed if inspect.isawaitable(passed) else passed
            except Exception as error:
                self._die(delivery, "interceptor failed", error)
                return None
            if passed is None:
                self._die(delivery, "refused")
                return None
            envelope = passed
        return envelope

    async def _route(self, delivery: Delivery, name: str) -> None:
        mailbox = self._mailboxes.get(name)
        envelope = delivery.envelope
        if mailbox is None:
            self._die(delivery, "bus closed" if self._closed else "no recipient")
        elif envelope.depth > self._deepest or envelope.depth > self._depths.get(envelope.run, self._deepest):
            self._die(delivery, "too deep")
        elif envelope.deadline is None:
            if not mailbox.offer(delivery):
                await self._put(delivery, mailbox)
        else:
            await self._route_in_time(delivery, mailbox, envelope.deadline)

    async def _route_in_time(self, delivery: Delivery, mailbox: Mailbox, deadline: float) -> None:
        left = deadline - self._clock()
        if left <= 0:
            self._die(delivery, "deadline passed")
            return
        try:
            if not mailbox.offer(delivery):
                async with asyncio.timeout(left):
                    await self._put(delivery, mailbox)
        except TimeoutError:
            self._die(delivery, "deadline passed")
        else:
            if not delivery.settled:
                later = asyncio.get_running_loop().call_later
                delivery.timer = later(deadline - self._clock(), self._die, delivery, "deadline passed")

    async def _put(self, delivery: Delivery, mailbox: Mailbox) -> None:
        """Wait for room; a handler that waits for room in its own full mailbox would wait forever."""
        caller = handled_by_this_task()
        if caller is None:
            await mailbox.put(delivery)
            return
        caller.blocked = mailbox
        try:
            if circle := stuck(mailbox):
                self._die(delivery, "deadlock", Deadlock(f"no room: {' → '.join([*circle, mailbox.name])}"))
            else:
                await mailbox.put(delivery)
        finally:
            caller.blocked = None

    def _finished(self, delivery: Delivery, body: Message | None) -> Awaitable[None] | None:
        envelope, reply = delivery.envelope, delivery.reply
        if reply is None:
            delivery.settle()
            return None
        if body is None:
            self._die(delivery, "no reply")
            return None
        given: object = body  # whatever the handler's annotation says
        if not isinstance(given, Message):
            self._die(delivery, "handler failed", TypeError(f"it gave {type(given).__name__}, which is no Message"))
            return None
        answer = self._addresser.answer(envelope, body, delivery.attempts)
        if self._interceptors:
            return self._answered(delivery, answer, reply)
        if delivery.settle() and not reply.done():
            reply.set_result(answer)
        return None

    async def _answered(self, delivery: Delivery, answer: Envelope, reply: asyncio.Future[Envelope]) -> None:
        # The answer as a delivery of its own: if an interceptor stops it, the requester hears of it.
        passed = await self._intercepted(Delivery(answer, reply))
        if delivery.settle() and passed is not None and not reply.done():
            reply.set_result(passed)

    def _failed(self, delivery: Delivery, error: BaseException) -> None:
        self._die(delivery, "handler failed", error)

    def _die(self, delivery: Delivery, reason: Reason, error: BaseException | None = None) -> None:
        if delivery.settle():
            name = delivery.mailbox.name if delivery.mailbox is not None else ""
            self._letters.bury(delivery.envelope, reason, error, delivery.attempts, delivery.reply, name)
            self._forsake(delivery)

    def _forsake(self, delivery: Delivery) -> None:
        """Cancel what a handler sent that was itself cut off."""
        if delivery.interrupted:
            for other in chosen(self._under_way(), delivery.envelope.id, None):
                self._die(other, "cancelled")

    def _under_way(self) -> list[Delivery]:
        return [each for box in self._mailboxes.values() for each in (*box.current.values(), *box.waiting())]
