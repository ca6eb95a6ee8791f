"""The time: the system's, or that of whoever has put another clock in its place for what runs here, such as a test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_clock: ContextVar[Callable[[], float] | None] = ContextVar("understudy_clock", default=None)


def now() -> float:
    """Seconds since the epoch. A step that asks here for the time can be tested with a clock of the test's own."""
    clock = _clock.get()
    return time.time() if clock is None else clock()


def ticks() -> float:
    """Seconds since no moment in particular, for measuring how long something took."""
    clock = _clock.get()
    return time.perf_counter() if clock is None else clock()


@contextmanager
def told_by(clock: Callable[[], float]) -> Iterator[None]:
    """Inside, and in the tasks and threads begun from there, ``clock`` says what time it is.

    >>> with told_by(lambda: 60.0):
    ...     now()
    60.0
    """
    token = _clock.set(clock)
    try:
        yield
    finally:
        _clock.reset(token)
