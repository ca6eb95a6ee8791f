"""Draining: how a process that is told to end lets its runs finish what is under way, and begin nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Drain:
    """Asked for once, from any thread or from a signal handler; the runs that hold it are suspended.

    >>> drain = Drain()
    >>> drain.request()
    >>> drain.requested
    True
    """

    def __init__(self) -> None:
        self._requested = False
        self._wakes: list[tuple[asyncio.AbstractEventLoop, Callable[[], None]]] = []

    @property
    def requested(self) -> bool:
        """Whether runs should begin nothing any more."""
        return self._requested

    def request(self) -> None:
        """Have the runs end in good order: what is under way is finished and recorded, the rest is left to resume."""
        self._requested = True
        for loop, wake in list(self._wakes):
            if not loop.is_closed():
                loop.call_soon_threadsafe(wake)

    def attach(self, wake: Callable[[], None]) -> None:
        """Have ``wake`` called in this event loop when a drain is requested."""
        self._wakes.append((asyncio.get_running_loop(), wake))

    def detach(self, wake: Callable[[], None]) -> None:
        """Take ``wake`` back."""
        self._wakes = [(loop, other) for loop, other in self._wakes if other != wake]
