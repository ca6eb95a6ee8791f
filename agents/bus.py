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
handled in the order in which they were sent (where the mailbox has one worker); an envelope that cannot be
delivered, whose handler fails finally, or whose deadline passes becomes a :class:`DeadLetter` with the reason,
and whoever waits for its answer gets a :class:`DeliveryError`. A bus lives in one event loop.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import count
from types import TracebackType
from typing import Any, Self

from ..core.errors import UnderstudyError
from .letters import DeadLetter, DeliveryError, Reason
from .mailbox import Delivery, Handler, Mailbox
from .messages import Envelope, Message
from .retry import Retry

Interceptor = Callable[[Envelope], Envelope | None | Awaitable[Envelope | None]]
"""Sees every envelope, replies too, before delivery: gives it or another in its place, or None to refuse."""

_log = logging.getLogger("understudy.bus")


class MessageBus:
    """Carries envelopes between registered handlers.

    Args:
        capacity: envelopes that a mailbox holds before its senders wait.
        keep: dead letters that are kept in ``dead``, the newest; ``on_dead`` sees all of them.
        clock: seconds since the epoch.
    """

    def __init__(
        self, *, capacity: int = 64, keep: int = 10_000, clock: Callable[[], float] = time.time
    ) -> None:
        self.dead: deque[DeadLetter] = deque(maxlen=keep)
        self.on_dead: list[Callable[[DeadLetter], None]] = []
        self._capacity = capacity
        self._clock = clock
        self._mailboxes: dict[str, Mailbox] = {}
        self._subscriptions: dict[str | type[Message], list[str]] = {}
        self._interceptors: list[Interceptor] = []
        self._prefix = uuid.uuid4().hex[:12]
        self._numbers = count(1)
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

        Raises UnderstudyError where the name is taken.
        """
        if name in self._mailboxes:
            raise UnderstudyError(f"{name!r} is on the bus already", mend="register it under another name")
        room = capacity or self._capacity
        self._mailboxes[name] = Mailbox(
            name, handler, self._finished, self._failed, capacity=room, at_once=at_once, retry=retry
        )

    def __contains__(self, name: str) -> bool:
        return name in self._mailboxes

    async def unregister(self, name: str) -> None:
        """Take the mailbox away; what was left in it becomes dead letters."""
        mailbox = self._mailboxes.pop(name)
        for names in self._subscriptions.values():
            names[:] = [other for other in names if other != name]
        for delivery in await mailbox.close():
            self._die(delivery, "no recipient")

    def subscribe(self, name: str, *to: str | type[Message]) -> None:
        """Let the mailbox ``name`` receive what is published to a topic, or of a message type and its subtypes."""
        if name not in self._mailboxes:
            raise UnderstudyError(f"{name!r} is not on the bus", mend="register it before it subscribes")
        for subject in to:
            names = self._subscriptions.setdefault(subject, [])
            if name not in names:
                names.append(name)

    def unsubscribe(self, name: str, subject: str | type[Message]) -> None:
        """End a subscription. One that does not exist is no error."""
        self._subscriptions[subject] = [n for n in self._subscriptions.get(subject, []) if n != name]

    def intercept(self, interceptor: Interceptor) -> None:
        """Add an interceptor; they see an envelope in the order in which they were added."""
        self._interceptors.append(interceptor)

    # Sending.

    def envelope(self, body: Message, to: str, *, timeout: float | None = None, **more: Any) -> Envelope:
        """An envelope for the recipient ``to``, with an id of its own; ``timeout`` in seconds from now."""
        deadline = None if timeout is None else self._clock() + timeout
        number = f"{self._prefix}-{next(self._numbers)}"
        return Envelope(id=number, recipient=to, deadline=deadline, body=body, **more)

    async def send(self, body: Message, to: str, *, timeout: float | None = None, **more: Any) -> str:
        """Put ``body`` into the mailbox of ``to``; gives the envelope's id. Waits while the mailbox is full."""
        envelope = self.envelope(body, to, timeout=timeout, **more)
        await self.post(envelope)
        return envelope.id

    async def publish(self, body: Message, topic: str | None = None, **more: Any) -> str:
        """Send ``body`` to all who subscribed to its type, or to ``topic``; waits for the slowest mailbox."""
        number = f"{self._prefix}-{next(self._numbers)}"
        await self.post(Envelope(id=number, topic=topic or body.message_name, body=body, **more))
        return number

    async def request(self, body: Message, to: str, *, timeout: float | None = None, **more: Any) -> Message:
        """Send ``body`` to ``to`` and wait for the answer. Raises DeliveryError where none comes."""
        return (await self.call(self.envelope(body, to, timeout=timeout, **more))).body

    async def post(self, envelope: Envelope) -> None:
        """Deliver an envelope that was made elsewhere; nobody waits for an answer."""
        passed = await self._intercepted(Delivery(envelope, None, None))
        if passed is None:
            return
        if passed.recipient is not None:
            await self._route(Delivery(passed, None, None), passed.recipient)
            return
        names = self._subscribers(passed)
        if not names:
            self._die(Delivery(passed, None, None), "no subscriber")
        for name in names:
            await self._route(Delivery(passed, None, None), name)

    async def call(self, envelope: Envelope, *, retry: Retry | None = None) -> Envelope:
        """Deliver ``envelope`` and wait for the envelope that answers it.

        If the caller is cancelled, so is the handler. Raises DeliveryError where no answer comes.
        """
        if envelope.recipient is None:
            raise UnderstudyError("a request goes to one recipient, not to a topic", where=envelope.id)
        reply: asyncio.Future[Envelope] = asyncio.get_running_loop().create_future()
        delivery = Delivery(envelope, reply, retry)
        try:
            passed = await self._intercepted(delivery)
            if passed is not None:
                delivery.envelope = passed
                await self._route(delivery, passed.recipient or envelope.recipient)
            return await reply
        except asyncio.CancelledError:
            delivery.settle()
            raise

    async def resend(self, letter: DeadLetter) -> None:
        """Send a dead letter again, without its deadline."""
        more = {"attempt": letter.envelope.attempt + 1, "deadline": None}
        await self.post(letter.envelope.model_copy(update=more))

    async def drain(self) -> None:
        """Wait until every mailbox is empty and every handler has finished."""
        for mailbox in list(self._mailboxes.values()):
            await mailbox.drain()

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

    def _subscribers(self, envelope: Envelope) -> list[str]:
        subjects = [envelope.topic, *type(envelope.body).__mro__]
        names = [name for subject in subjects for name in self._subscriptions.get(subject, ())]  # type: ignore[arg-type]
        return list(dict.fromkeys(names))

    async def _route(self, delivery: Delivery, name: str) -> None:
        mailbox = self._mailboxes.get(name)
        if mailbox is None:
            self._die(delivery, "bus closed" if self._closed else "no recipient")
            return
        deadline = delivery.envelope.deadline
        if deadline is None:
            await mailbox.put(delivery)
            return
        if deadline <= self._clock():
            self._die(delivery, "deadline passed")
            return
        try:
            async with asyncio.timeout(deadline - self._clock()):
                await mailbox.put(delivery)
        except TimeoutError:
            self._die(delivery, "deadline passed")
        else:
            if not delivery.settled:
                later = asyncio.get_running_loop().call_later
                delivery.timer = later(deadline - self._clock(), self._die, delivery, "deadline passed")

    async def _finished(self, delivery: Delivery, body: Message | None) -> None:
        envelope = delivery.envelope
        if delivery.reply is None:
            delivery.settle()
            return
        if body is None:
            self._die(delivery, "no reply")
            return
        answer = Envelope(
            id=f"{self._prefix}-{next(self._numbers)}", run=envelope.run, sender=envelope.recipient or "",
            recipient=envelope.sender, cause=envelope.id, reply_to=envelope.id, attempt=delivery.attempts,
            trace=envelope.trace, body=body,
        )  # fmt: skip
        passed = await self._intercepted(_replying(delivery, answer)) if self._interceptors else answer
        if passed is not None and delivery.settle() and not delivery.reply.done():
            delivery.reply.set_result(passed)

    def _failed(self, delivery: Delivery, error: Exception) -> None:
        self._die(delivery, "handler failed", error)

    def _die(self, delivery: Delivery, reason: Reason, error: BaseException | None = None) -> None:
        if not delivery.settle():
            return
        cause = f"{type(error).__name__}: {error}" if error is not None else ""
        letter = DeadLetter(delivery.envelope, reason, cause, self._clock(), delivery.attempts, error)
        self.dead.append(letter)
        failure = DeliveryError(letter)
        failure.__cause__ = error
        if delivery.reply is None:
            _log.error("dead letter: %s", failure)
        elif not delivery.reply.done():
            delivery.reply.set_exception(failure)
        for listener in self.on_dead:
            listener(letter)


def _replying(request: Delivery, answer: Envelope) -> Delivery:
    """The answer as a delivery of its own: if an interceptor stops it, the requester hears of it."""
    return Delivery(answer, request.reply, None)
