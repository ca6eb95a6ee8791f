"""Deliveries that failed: the error a requester gets, and the dead letter that is kept."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ..core.errors import UnderstudyError
from .messages import Envelope

Reason = Literal[
    "no recipient", "no subscriber", "refused", "interceptor failed", "handler failed", "no reply",
    "deadline passed", "cancelled", "deadlock", "too deep", "bus closed",
]  # fmt: skip


_log = logging.getLogger("understudy.bus")


@dataclass(frozen=True)
class DeadLetter:
    """An envelope that did not do what it was sent for.

    Attributes:
        envelope: as it was last sent.
        reason: what became of it, one of a fixed set of words.
        cause: the error behind it, as ``Type: text``, or "".
        at: seconds since the epoch.
        attempts: how often a handler was called.
        error: the error itself, while the process that saw it lives.
        mailbox: where it died, for one that was published; "" where it reached none.
    """

    envelope: Envelope
    reason: Reason
    cause: str
    at: float
    attempts: int = 0
    error: BaseException | None = field(default=None, compare=False, repr=False)
    mailbox: str = ""


class DeliveryError(UnderstudyError):
    """A request that was not answered; ``letter`` is the dead letter, ``__cause__`` the handler's error."""

    def __init__(self, letter: DeadLetter, mend: str | None = None) -> None:
        envelope = letter.envelope
        address = envelope.recipient or letter.mailbox or f"topic {envelope.topic}"
        what = f"{envelope.body.message_name} to {address}: {letter.reason}"
        super().__init__(f"{what} ({letter.cause})" if letter.cause else what, mend=mend)
        self.letter = letter


def described(error: BaseException) -> str:
    """``Type: text`` of an error, whatever its own text does."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return type(error).__name__


class DeadLetters:
    """The newest dead letters of a bus, and who is told of each.

    Args:
        keep: how many are kept.
        clock: seconds since the epoch.
    """

    def __init__(self, keep: int, clock: Callable[[], float]) -> None:
        self.kept: deque[DeadLetter] = deque(maxlen=keep)
        self.listeners: list[Callable[[DeadLetter], None]] = []
        self._clock = clock

    def bury(
        self, envelope: Envelope, reason: Reason, error: BaseException | None, attempts: int,
        reply: asyncio.Future[Envelope] | None, mailbox: str = "",
    ) -> None:  # fmt: skip
        """Keep a dead letter; whoever waits for its answer gets the error, and where nobody does the log has it."""
        cause = described(error) if error is not None else ""
        letter = DeadLetter(envelope, reason, cause, self._clock(), attempts, error, mailbox)
        if error is not None and error.__traceback__ is not None:
            # Letters are kept long; what the handler had in its hands is not.
            traceback.clear_frames(error.__traceback__)
        self.kept.append(letter)
        failure = DeliveryError(letter)
        failure.__cause__ = error
        if reply is None:
            _log.error("dead letter: %s", failure)
        elif not reply.done():
            reply.set_exception(failure)
        for listener in list(self.listeners):
            try:
                listener(letter)
            except Exception:
                # Who listens must not break what is told.
                _log.exception("on_dead failed")
