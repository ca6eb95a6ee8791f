"""A fake clock's grip on an event loop: the loop's time, and what it does when it has nothing to do.

asyncio asks two things of the world outside: what time it is (``loop.time``), and to wait for events until its next
timer is due (``loop._selector.select``). Both are answered here while the grip lasts. That holds for the loops of
asyncio itself, on every system: in CPython 3.11 to 3.13 ``asyncio.base_events`` waits in no other way, and the proactor
of Windows is reached as ``_selector`` too. There the loop also holds timers within 16 ms to be due together, by
``loop._clock_resolution``, as its clock tells no less; a fake one tells all. A loop without these is refused.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from ..core.errors import UnderstudyError
from .threads import Threads

_SAME = 1e-6  # seconds between two moments that are one: seconds since the epoch are only known to 2e-7

_FINEST = 1e-9  # seconds between two timers that asyncio tells apart: what it has on Linux


@dataclass
class Moment:
    """What time it is for a clock, and what it has to reckon with.

    Attributes:
        patience: real seconds that threads and events from outside are waited for.
        passed: seconds since the clock began.
        held: how many say that something is under way that the loop does not know of.
        watched: what is given up when nothing can come any more.
        stalled: what was given up.
    """

    patience: float
    passed: float = 0.0
    held: int = 0
    watched: list[asyncio.Future[Any]] = field(default_factory=list)
    stalled: set[asyncio.Future[Any]] = field(default_factory=set)

    def move(self, seconds: float) -> None:
        """Let time pass, however little."""
        self.passed = max(self.passed + seconds, math.nextafter(self.passed, math.inf))

    def stall(self) -> bool:
        """Give up what is watched; False where nothing is."""
        for task in self.watched:
            self.stalled.add(task)
            task.cancel()
        return bool(self.watched)


class Grip:
    """Has ``moment`` be the time of ``loop`` until it is released.

    Raises UnderstudyError where another clock has the loop, or where the loop is not one of asyncio's own.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, moment: Moment) -> None:
        self.loop = loop
        self._moment = moment
        self._threads = Threads(loop)
        self._idle: list[asyncio.Future[None]] = []
        self._raw = cast(Any, loop)  # its time and its selector are not declared to be replaceable
        waits = getattr(loop, "_selector", None)
        if isinstance(waits, _Selector):
            raise UnderstudyError("another FakeClock drives this event loop", mend="use one clock for both")
        if waits is None or not hasattr(waits, "select") or not isinstance(loop, asyncio.BaseEventLoop):
            what = f"a FakeClock cannot drive a {type(loop).__module__}.{type(loop).__name__}"
            raise UnderstudyError(what, mend="run the test in asyncio's own event loop")
        # Whole seconds, so that sums with fractions of the test are not spoiled by the fraction of this moment.
        self._base = math.ceil(loop.time()) - moment.passed
        self._waits = waits
        self._raw.time = self._time
        self._raw.run_in_executor = self._threads.begin
        self._raw._selector = _Selector(waits, self._select)
        self._resolution = getattr(loop, "_clock_resolution", None)
        if self._resolution is not None:
            self._raw._clock_resolution = min(self._resolution, _FINEST)

    def release(self) -> None:
        """Give the loop its own time again; timers that are still set keep their distance."""
        loop, real = self.loop, type(self.loop).time
        ahead = self._time() - real(loop)
        self._raw._selector = self._waits
        if self._resolution is not None:
            self._raw._clock_resolution = self._resolution
        del self._raw.run_in_executor
        self._threads.release()
        self._raw.time = lambda: real(loop) + ahead

    async def idle(self) -> None:
        """Wait until nothing is left to be done at this moment."""
        waiting: asyncio.Future[None] = self.loop.create_future()
        self._idle.append(waiting)
        await waiting

    def _time(self) -> float:
        return self._base + self._moment.passed

    def _select(self, timeout: float | None) -> Any:
        """What the loop calls to wait: ``timeout`` seconds until its next timer, None where none is set."""
        real = self._waits.select
        if timeout is not None and timeout <= 0:
            self._threads.turn()
            return real(timeout)
        if found := real(0):
            return found
        if self._threads.give_next():
            return found
        if self._moment.held:
            return real(None)
        if self._threads:
            if not (found := real(self._moment.patience)):
                self._threads.give_up()
            return found
        if timeout is not None and timeout <= _SAME:
            self._moment.move(timeout)
        elif self._idle:
            for waiting in self._idle:
                if not waiting.done():
                    waiting.set_result(None)
            self._idle.clear()
        elif timeout is not None:
            self._moment.move(timeout)
        elif not (found := real(self._moment.patience)) and not self._moment.stall():
            return real(None)
        return found


class _Selector:
    """Stands where the loop has its selector, and waits in another way."""

    def __init__(self, real: Any, select: Callable[[float | None], Any]) -> None:
        self._real = real
        self.select = select

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)
