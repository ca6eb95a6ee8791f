"""Deliveries that failed: the error a requester gets, and the dead letter that is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..core.errors import UnderstudyError
from .messages import Envelope

Reason = Literal[
    "no recipient", "no subscriber", "refused", "interceptor failed", "handler failed", "no reply",
    "deadline passed", "bus closed",
]  # fmt: skip


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
    """

    envelope: Envelope
    reason: Reason
    cause: str
    at: float
    attempts: int = 0
    error: BaseException | None = field(default=None, compare=False, repr=False)


class DeliveryError(UnderstudyError):
    """A request that was not answered; ``letter`` is the dead letter, ``__cause__`` the handler's error."""

    def __init__(self, letter: DeadLetter, mend: str | None = None) -> None:
        envelope = letter.envelope
        address = envelope.recipient or f"topic {envelope.topic}"
        what = f"{envelope.body.message_name} to {address}: {letter.reason}"
        super().__init__(f"{what} ({letter.cause})" if letter.cause else what, mend=mend)
        self.letter = letter
