"""Functions in the threads of a loop: they run side by side, and their results come in the order in which they began.

Which of two threads ends first is chance. So a result waits until the loop has nothing else to do, and until those that
began before it have had their turn: a test that runs twice sees the same twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

_SPINNING = 1000  # turns of a loop that is never idle, after which it is not waited for


class Threads:
    """The functions under way in threads, by the futures that stand for them in the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: dict[asyncio.Future[Any], asyncio.Future[Any]] = {}  # what came → what is awaited, in order
        self._turns = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def begin(self, executor: Any, function: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """As ``loop.run_in_executor``."""
        came = type(self._loop).run_in_executor(self._loop, executor, function, *args)
        awaited: asyncio.Future[Any] = self._loop.create_future()
        self._waiting[came] = awaited
        awaited.add_done_callback(lambda _: self._forget(came))
        came.add_done_callback(lambda _: None if came in self._waiting else _give(came, awaited))
        return awaited

    def give_next(self) -> bool:
        """Let the loop have the result of the one that began first; False where it is not there yet."""
        self._turns = 0
        came = next(iter(self._waiting), None)
        if came is None or not came.done():
            return False
        _give(came, self._waiting.pop(came))
        return True

    def turn(self) -> None:
        """The loop is not idle; when it has not been for long, it may spin until a result is there."""
        self._turns += 1
        if self._turns > _SPINNING:
            self.give_next()

    def give_up(self) -> None:
        """Wait for those no longer that have not ended; their results come when they come."""
        self._waiting = {came: awaited for came, awaited in self._waiting.items() if came.done()}

    def release(self) -> None:
        """Let the loop have all that is there, and the rest when it comes."""
        waiting, self._waiting = self._waiting, {}
        for came, awaited in waiting.items():
            if came.done():
                _give(came, awaited)

    def _forget(self, came: asyncio.Future[Any]) -> None:
        self._waiting.pop(came, None)
        if not came.cancel() and not came.cancelled():
            came.exception()  # looked at, so that nobody complains that it was not


def _give(came: asyncio.Future[Any], awaited: asyncio.Future[Any]) -> None:
    error = None if came.cancelled() else came.exception()
    if awaited.done():
        return
    if came.cancelled():
        awaited.cancel()
    elif error is not None:
        awaited.set_exception(error)
    else:
        awaited.set_result(came.result())
