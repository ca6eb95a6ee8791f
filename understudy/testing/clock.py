"""A clock that a test moves: a workflow that sleeps for a week is tested in milliseconds, each time the same way.

Time stands still while anything is under way. When all that is left is waiting for a moment, it is the next such moment
at once. So sleeps, timers, timeouts, deadlines and the pauses between retries keep their order and take no time.

    >>> import asyncio
    >>> clock = FakeClock()
    >>> clock.run(asyncio.sleep(7 * 24 * 3600, "a week later"))
    'a week later'
    >>> clock
    FakeClock(2026-01-08T00:00:00+00:00, elapsed=604800)
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

from ..agents.clock import told_by
from ..core.errors import UnderstudyError
from .grip import Grip, Moment

T = TypeVar("T")

START = datetime(2026, 1, 1, tzinfo=UTC)
"""When a fake clock begins, where nothing else is said."""


class Standstill(UnderstudyError, AssertionError):
    """What is waited for cannot come: nothing is under way, and no timer is set."""


class FakeClock:
    """The time of an event loop while it is entered, and of what asks :func:`understudy.agents.clock.now`.

    A harness enters it by itself; elsewhere write ``with clock:`` in an async test, or ``clock.run(…)``.

    What counts as under way is what the loop itself does, and functions in its threads. Around anything else, such as a
    socket or another process, write ``with clock.held():``. A thread that blocks in ``time.sleep`` is not hurried.

    Args:
        start: when it begins: seconds since the epoch, or a datetime.
        patience: how many real seconds a function in a thread, or an event from outside, is waited for before time goes
            on without it.
    """

    def __init__(self, start: float | datetime = START, *, patience: float = 30.0) -> None:
        self._start = start.timestamp() if isinstance(start, datetime) else float(start)
        self._moment = Moment(patience)
        self._grip: Grip | None = None
        self._users = 0
        self._entered: dict[asyncio.Task[Any] | None, list[ExitStack]] = {}

    def now(self) -> float:
        """Seconds since the epoch, by this clock."""
        return self._start + self._moment.passed

    @property
    def elapsed(self) -> float:
        """Seconds since the clock began, to the microsecond."""
        return round(self._moment.passed, 6)

    def skip(self, time: float | timedelta) -> None:
        """Let time pass at once, such as between a run that was cut off and its resumption."""
        self._moment.passed += _seconds(time)

    async def advance(self, time: float | timedelta) -> None:
        """Let time pass, moment by moment: what was waited for until then has happened when this returns.

        Work that was begun before, such as a task, gets as far as it can first.
        """
        seconds = _seconds(time)
        with self.installed() as grip:
            await grip.idle()
            await asyncio.sleep(seconds)
            await grip.idle()

    async def watch(self, work: Coroutine[Any, Any, T]) -> T:
        """Do ``work`` in the time of this clock. Raises Standstill where it waits for what cannot come."""
        with ExitStack() as stack:
            try:
                stack.enter_context(self.installed())
            except UnderstudyError:
                work.close()
                raise
            task = asyncio.ensure_future(work)
            self._moment.watched.append(task)
            try:
                return await task
            except asyncio.CancelledError:
                if task not in self._moment.stalled:
                    raise
                what = "it waits for what cannot come: nothing else is under way, and no timer is set"
                mend = "around what the event loop does not know of, write: with clock.held()"
                raise Standstill(what, mend=mend) from None
            finally:
                self._moment.watched.remove(task)
                self._moment.stalled.discard(task)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """As :meth:`watch`, outside any event loop. Raises UnderstudyError where one is running."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.watch(work))
        work.close()
        raise UnderstudyError("an event loop is running here already", mend="write: await clock.watch(…)")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside, time does not go on by itself: something is under way that the event loop does not know of."""
        self._moment.held += 1
        try:
            yield
        finally:
            self._moment.held -= 1

    @contextmanager
    def installed(self) -> Iterator[Grip]:
        """Inside, this is the clock of the running event loop; it may be entered many times.

        Raises UnderstudyError where another clock is, or where the loop is not one of asyncio's own.
        """
        loop = asyncio.get_running_loop()
        if self._grip is None:
            self._grip = Grip(loop, self._moment)
        elif self._grip.loop is not loop:
            raise UnderstudyError("this clock drives another event loop", mend="give each loop a clock of its own")
        self._users += 1
        try:
            with told_by(self.now):
                yield self._grip
        finally:
            self._users -= 1
            if not self._users:
                self._grip.release()
                self._grip = None

    def __enter__(self) -> Self:
        stack = ExitStack()
        stack.enter_context(self.installed())
        self._entered.setdefault(asyncio.current_task(), []).append(stack)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        mine = self._entered[asyncio.current_task()]
        mine.pop().close()
        if not mine:
            del self._entered[asyncio.current_task()]

    def __repr__(self) -> str:
        return f"FakeClock({datetime.fromtimestamp(self.now(), UTC).isoformat()}, elapsed={self.elapsed:g})"


def _seconds(time: float | timedelta) -> float:
    seconds = time.total_seconds() if isinstance(time, timedelta) else float(time)
    if not 0 <= seconds < float("inf"):
        raise UnderstudyError(f"time does not pass by {seconds} s", mend="give a number of seconds, or a timedelta")
    return seconds
