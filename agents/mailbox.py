"""A mailbox: the bounded queue in front of one handler, and the workers that empty it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import copy_context

from ..core.errors import UnderstudyError
from .cancellation import begin_work
from .delivery import Delivery
from .messages import Envelope, Message
from .retry import Retry, attempt
from .usage import current_meter, go_on_metering

Handler = Callable[[Envelope], Awaitable[Message | None] | Message | None]
"""What is registered on a bus: it reads an envelope and gives the reply, or None. A plain one must not block."""


class Mailbox:
    """Holds at most ``capacity`` envelopes; ``at_once`` workers call the handler, in the order of arrival.

    Whoever sends to a full mailbox waits: a slow consumer slows its producers. Control envelopes have a line of their
    own, as long as the other, which is emptied first.
    """

    def __init__(
        self,
        name: str,
        handler: Handler,
        finished: Callable[[Delivery, Message | None], Awaitable[None] | None],
        failed: Callable[[Delivery, BaseException], None],
        *,
        capacity: int = 64,
        at_once: int = 1,
        retry: Retry | None = None,
    ) -> None:
        if capacity < 1 or at_once < 1:
            raise ValueError("a mailbox holds at least one envelope and has at least one worker")
        self.name = name
        self.at_once = at_once
        self.current: dict[asyncio.Task[None], Delivery] = {}
        self._handler = handler
        self._finished = finished
        self._failed = failed
        self._capacity = capacity
        self._retry = retry
        self._normal = _Line()
        self._control = _Line()
        self._unfinished = 0
        self._drainers: list[asyncio.Future[None]] = []
        self._workers: set[asyncio.Task[None]] = set()
        self._sleepers: deque[asyncio.Future[None]] = deque()
        self._closed = False
        # Not the context of whoever happens to send first: a worker serves many senders.
        self._context = copy_context()

    def offer(self, delivery: Delivery) -> bool:
        """Queue ``delivery`` if there is room; False where the sender has to wait."""
        line = self._control if delivery.envelope.control else self._normal
        if line.senders or len(line.held) >= self._capacity:
            return False
        delivery.mailbox = self
        line.held.append(delivery)
        self._unfinished += 1
        if self._sleepers:
            sleeper = self._sleepers.popleft()
            if not sleeper.done():
                sleeper.set_result(None)
        elif len(self._workers) < self.at_once:
            loop = asyncio.get_running_loop()
            self._workers.add(loop.create_task(self._work(), name=f"mailbox {self.name}", context=self._context.copy()))
        return True

    async def put(self, delivery: Delivery) -> None:
        """Queue ``delivery``; waits while the mailbox is full."""
        if self.offer(delivery):
            return
        delivery.mailbox = self
        line = self._control if delivery.envelope.control else self._normal
        room: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.senders.append((delivery, room))
        delivery.room = room
        self._unfinished += 1
        try:
            await room
        except asyncio.CancelledError:
            if (delivery, room) in line.senders:
                line.senders.remove((delivery, room))
                self._one_less()
            raise

    def waiting(self) -> list[Delivery]:
        """The deliveries that no worker has taken yet, those whose senders wait for room among them."""
        lines = (self._control, self._normal)
        return [each for line in lines for each in (*line.held, *(one for one, _ in line.senders))]

    async def drain(self) -> None:
        """Wait until every envelope that was put has been worked off."""
        if self._unfinished:
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._drainers.append(done)
            await done

    async def close(self) -> list[Delivery]:
        """Stop the workers; the deliveries that nobody took, or that were under way, are given back."""
        self._closed = True
        left = [delivery for delivery in self.current.values() if not delivery.settled]
        me = asyncio.current_task()
        for worker in self._workers:
            if worker is not me:
                worker.cancel()
        await asyncio.gather(*(worker for worker in self._workers if worker is not me), return_exceptions=True)
        left += [delivery for delivery in self.waiting() if not delivery.settled]
        for line in (self._control, self._normal):
            for _, room in line.senders:
                if not room.done():
                    room.set_result(None)
            line.held.clear()
            line.senders.clear()
        self._unfinished = 0
        self._drained()
        return left

    def _next(self) -> Delivery | None:
        for line in (self._control, self._normal):
            if line.held:
                taken = line.held.popleft()
                while line.senders:
                    delivery, room = line.senders.popleft()
                    if room.done():  # its sender was cancelled
                        self._one_less()
                        continue
                    line.held.append(delivery)
                    room.set_result(None)
                    break
                return taken
        return None

    @property
    def busy(self) -> bool:
        """Whether an envelope waits or is under way."""
        return self._unfinished > 0

    def _one_less(self) -> None:
        if self._closed:
            return
        self._unfinished -= 1
        if not self._unfinished:
            self._drained()

    def _drained(self) -> None:
        for waiting in self._drainers:
            if not waiting.done():
                waiting.set_result(None)
        self._drainers.clear()

    async def _work(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        while not self._closed:
            delivery = self._next()
            if delivery is None:
                sleeper = loop.create_future()
                self._sleepers.append(sleeper)
                await sleeper
                continue
            try:
                if not delivery.settled:
                    await self._deliver(delivery, task)
            finally:
                self._one_less()

    async def _deliver(self, delivery: Delivery, task: asyncio.Task[None]) -> None:
        delivery.worker = task
        self.current[task] = delivery
        begin_work(delivery)
        if delivery.meter is not current_meter():
            go_on_metering(delivery.meter)
        stopped = False
        try:
            retry = delivery.retry or self._retry
            if retry is None:
                delivery.attempts = 1
                body = await _given(self._handler(delivery.envelope))
            else:
                body = await attempt(lambda number: self._called(delivery, number), retry)
            delivery.worker = None
            if not delivery.settled:
                replying = self._finished(delivery, body)
                if replying is not None:
                    await replying
        except asyncio.CancelledError:
            stopped = True
            if not delivery.interrupted:
                if task.cancelling():
                    raise
                # Nobody cancelled this worker: the handler raised it by itself, or awaited what was cancelled.
                delivery.worker = None
                self._failed(delivery, UnderstudyError("the handler was cancelled from within", where=self.name))
        except BaseException as error:
            delivery.worker = None
            self._failed(delivery, error)
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
        finally:
            del self.current[task]
            if delivery.interrupted:
                # The handler was cancelled, not this worker, which goes on to the next envelope.
                task.uncancel()
                if not stopped:
                    await _absorbed()

    async def _called(self, delivery: Delivery, number: int) -> Message | None:
        delivery.attempts = number
        delivery.sent = 0
        if number > 1:
            envelope = delivery.envelope
            delivery.envelope = envelope.model_copy(update={"attempt": envelope.attempt + 1})
        return await _given(self._handler(delivery.envelope))


class _Line:
    """Envelopes in order, and the senders that wait for room behind them."""

    __slots__ = ("held", "senders")

    def __init__(self) -> None:
        self.held: deque[Delivery] = deque()
        self.senders: deque[tuple[Delivery, asyncio.Future[None]]] = deque()


async def _given(found: Awaitable[Message | None] | Message | None) -> Message | None:
    return found if found is None or isinstance(found, Message) else await found


async def _absorbed() -> None:
    """Meet the cancellation that the handler ended too early to meet, so that it does not hit what comes next."""
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        return
