"""The alarm of a run: rings when its seconds are used up, of which a person may grant more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .engine import busy
from .events import LimitReached
from .state import State


class Alarm:
    """Watches the seconds of one run.

    Args:
        limit: how many it may be at work; None for any number.
        clock: seconds since the epoch.
        state: the run as far as it is recorded.
        ring: told when they are used up.
    """

    def __init__(
        self, limit: float | None, clock: Callable[[], float], state: Callable[[], State],
        ring: Callable[[LimitReached], None],
    ) -> None:  # fmt: skip
        self._limit = limit
        self._clock = clock
        self._state = state
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None
        self._granted = -1

    def set(self) -> None:
        """Set it, or set it anew where more was granted since."""
        state = self._state()
        if self._limit is None or self._granted == state.granted:
            return
        self._granted = state.granted
        self.stop()
        limit = self._limit * (1 + state.granted)
        left = max(0.0, limit - state.seconds)
        self._timer = asyncio.get_running_loop().call_later(left, self._time_is_up, limit)

    def stop(self) -> None:
        """It does not ring any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _time_is_up(self, limit: float) -> None:
        state = self._state()
        if not busy(state):
            self._granted = -1  # all waits for a person, which does not count: set again at the next event
            return
        now = self._clock()
        left = limit - state.seconds - max(0.0, now - state.at)
        if left > 0:  # some of the time all waited for a person
            self._timer = asyncio.get_running_loop().call_later(left, self._time_is_up, limit)
            return
        self._ring(LimitReached(now, f"{limit:g} seconds"))
