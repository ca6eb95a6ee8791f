"""A delivery: one envelope on its way to one mailbox."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .cancellation import Cancellation, current_work
from .messages import Envelope
from .retry import Retry
from .usage import current_meter

if TYPE_CHECKING:
    from .mailbox import Mailbox


class Delivery(Cancellation):
    """One envelope on its way to one mailbox, from the moment it is sent until it is settled.

    Attributes:
        mailbox: where it waits or is handled; None before.
        reply: of a request: who waits for the answer.
        meter: of the sender: what its handler spends counts there.
        worker: the task that handles it; None before and after.
        blocked: what its handler waits for: the answer to another delivery, or room in a mailbox.
        attempts: how often the handler was called.
        room: resolved when there is room for it, or when nobody wants it any more.
        sent: envelopes that its handler sent, at this attempt.
        settled: it was answered, or became a dead letter, or nobody wants it any more.
        interrupted: it was settled while its handler was at work, which was then cancelled.
    """

    __slots__ = (
        "attempts", "blocked", "envelope", "interrupted", "mailbox", "meter", "reply", "retry", "room", "sent",
        "settled", "timer", "worker",
    )  # fmt: skip

    def __init__(
        self, envelope: Envelope, reply: asyncio.Future[Envelope] | None = None, retry: Retry | None = None
    ) -> None:
        self._requested = False
        self._callbacks = None
        self.envelope = envelope
        self.reply = reply
        self.retry = retry
        self.meter = current_meter()
        self.mailbox: Mailbox | None = None
        self.worker: asyncio.Task[None] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.blocked: Delivery | Mailbox | None = None
        self.attempts = 0
        self.sent = 0
        self.room: asyncio.Future[None] | None = None
        self.settled = False
        self.interrupted = False

    def settle(self) -> bool:
        """True for the first caller only: a delivery ends once. A handler still at work on it is cancelled."""
        if self.settled:
            return False
        self.settled = True
        if self.timer is not None:
            self.timer.cancel()
        if self.room is not None and not self.room.done():
            self.room.set_result(None)
        if self.worker is not None:
            self.interrupted = True
            self.cancel()
            self.worker.cancel()
        return True


def handled_by_this_task() -> Delivery | None:
    """The delivery whose handler this task runs, so that it waits where the task does; None in any other task."""
    handled = current_work()
    if isinstance(handled, Delivery) and handled.worker is not None and handled.worker is asyncio.current_task():
        return handled
    return None


def chosen(under_way: Iterable[Delivery], id: str | None, run: str | None) -> list[Delivery]:
    """The deliveries of the envelope ``id`` or of ``run``, and all that their handlers sent, and so on."""
    open_ones = [each for each in under_way if not each.settled]
    ids = {each.envelope.id for each in open_ones if run is not None and each.envelope.run == run}
    ids |= {id, *(each.envelope.id for each in open_ones if each.envelope.trace == id)} if id is not None else set()
    while more := {each.envelope.id for each in open_ones if each.envelope.cause in ids} - ids:
        ids |= more
    return [each for each in open_ones if each.envelope.id in ids]
