"""What an answer cost, counted where it is spent and summed where it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Usage:
    """Tokens read and written, calls of the decoder, and the seconds of the batches that answered them."""

    tokens: int = 0
    calls: int = 0
    seconds: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.tokens + other.tokens, self.calls + other.calls, self.seconds + other.seconds)


NOTHING_SPENT = Usage()


class Meter:
    """Collects the usage of one handled message."""

    __slots__ = ("usage",)

    def __init__(self) -> None:
        self.usage = NOTHING_SPENT


_meter: ContextVar[Meter | None] = ContextVar("understudy_usage", default=None)


@contextmanager
def metered() -> Iterator[Meter]:
    """What is spent inside, in this task, the tasks it starts and the handlers of what it sends, is in the meter."""
    meter = Meter()
    token = _meter.set(meter)
    try:
        yield meter
    finally:
        _meter.reset(token)


current_meter: Callable[[], Meter | None] = _meter.get
"""What counts the spending here; None outside any."""

go_on_metering: Callable[[Meter | None], object] = _meter.set
"""Have a meter that was begun elsewhere count what is spent from here on in this context."""


def begin_metering() -> Meter:
    """A meter for all that is spent from here on in this context, as for a task that does one thing only."""
    meter = Meter()
    _meter.set(meter)
    return meter


def spend(usage: Usage) -> None:
    """Count ``usage`` for the message that is being handled, if any is."""
    meter = _meter.get()
    if meter is not None:
        meter.usage += usage
