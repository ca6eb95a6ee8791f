"""A mailbox: the bounded queue in front of one handler, and the workers that empty it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ..core.errors import UnderstudyError
from .messages import Envelope, Message
from .retry import Retry, attempt

Handler = Callable[[Envelope], Awaitable[Message | None]]
"""What is registered on a bus: it reads an envelope and gives the reply, or None."""


class Delivery:
    """One envelope in one mailbox, from the moment it is sent until it is settled."""

    __slots__ = ("attempts", "cancelled", "envelope", "reply", "retry", "settled", "timer", "worker")

    def __init__(
        self, envelope: Envelope, reply: asyncio.Future[Envelope] | None, retry: Retry | None
    ) -> None:
        self.envelope = envelope
        self.reply = reply
        self.retry = retry
        self.worker: asyncio.Task[None] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.attempts = 0
        self.settled = False
        self.cancelled = False

    def settle(self) -> bool:
        """True for the first caller only: a delivery ends once. A handler still at work on it is cancelled."""
        if self.settled:
            return False
        self.settled = True
        if self.timer is not None:
            self.timer.cancel()
        if self.worker is not None:
            self.cancelled = True
            self.worker.cancel()
        return True


class Mailbox:
    """Holds at most ``capacity`` envelopes; ``at_once`` workers call the handler, in the order of arrival.

    Whoever sends to a full mailbox waits: a slow consumer slows its producers.
    """

    def __init__(
        self,
        name: str,
        handler: Handler,
        finished: Callable[[Delivery, Message | None], Awaitable[None]],
        failed: Callable[[Delivery, Exception], None],
        *,
        capacity: int = 64,
        at_once: int = 1,
        retry: Retry | None = None,
    ) -> None:
        if capacity < 1 or at_once < 1:
            raise ValueError("a mailbox holds at least one envelope and has at least one worker")
        self.name = name
        self._handler = handler
        self._finished = finished
        self._failed = failed
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue(capacity)
        self._at_once = at_once
        self._retry = retry
        self._workers: set[asyncio.Task[None]] = set()
        self._current: dict[asyncio.Task[None], Delivery] = {}
        self._idle = 0

    async def put(self, delivery: Delivery) -> None:
        """Queue ``delivery``; waits while the mailbox is full."""
        await self._queue.put(delivery)
        if self._idle < self._queue.qsize() and len(self._workers) < self._at_once:
            self._workers.add(asyncio.create_task(self._work(), name=f"mailbox {self.name}"))

    async def drain(self) -> None:
        """Wait until every envelope that was put has been worked off."""
        await self._queue.join()

    async def close(self) -> list[Delivery]:
        """Stop the workers; the deliveries that nobody took, or that were under way, are given back."""
        left = [delivery for delivery in self._current.values() if not delivery.settled]
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        while not self._queue.empty():
            delivery = self._queue.get_nowait()
            self._queue.task_done()
            if not delivery.settled:
                left.append(delivery)
        return left

    async def _work(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        while True:
            self._idle += 1
            try:
                delivery = await self._queue.get()
            finally:
                self._idle -= 1
            try:
                if not delivery.settled:
                    await self._deliver(delivery, task)
            finally:
                self._queue.task_done()

    async def _deliver(self, delivery: Delivery, task: asyncio.Task[None]) -> None:
        async def call(number: int) -> Message | None:
            delivery.attempts = number
            if number > 1:
                envelope = delivery.envelope
                delivery.envelope = envelope.model_copy(update={"attempt": envelope.attempt + 1})
            return await self._handler(delivery.envelope)

        delivery.worker = task
        self._current[task] = delivery
        try:
            body = await attempt(call, delivery.retry or self._retry)
            delivery.worker = None
            if not delivery.settled:
                await self._finished(delivery, body)
        except asyncio.CancelledError:
            if not delivery.cancelled:
                if task.cancelling():
                    raise
                # Nobody cancelled this worker: the handler raised it by itself, or awaited what was cancelled.
                delivery.worker = None
                self._failed(delivery, UnderstudyError("the handler was cancelled from within", where=self.name))
        except Exception as error:
            delivery.worker = None
            self._failed(delivery, error)
        finally:
            del self._current[task]
            if delivery.cancelled:
                # The handler was cancelled, not this worker, which goes on to the next envelope.
                task.uncancel()
