"""Cancellation that reaches work which asyncio cannot stop: plain functions in threads, and what they wait for.

A handler or an async step that is cancelled gets ``asyncio.CancelledError`` at its next ``await``. A plain function in
a thread is asked instead, and stops where it asks whether it should:

    def crawl(pages):
        for page in pages:
            check_cancelled()      # raises Cancelled once nobody waits for the result any more
            ...

What blocks elsewhere is woken by :func:`on_cancel`, such as a query by ``connection.interrupt``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..core.errors import UnderstudyError

_log = logging.getLogger("understudy.cancellation")


class Cancelled(UnderstudyError):
    """Raised by :func:`check_cancelled` in work that nobody waits for any more."""


class Cancellation:
    """Says whether one piece of work should stop. Asked from any thread; cancelled from the event loop's."""

    __slots__ = ("_callbacks", "_requested")

    def __init__(self) -> None:
        self._requested = False
        self._callbacks: list[Callable[[], object]] | None = None

    @property
    def requested(self) -> bool:
        """Whether the work should stop."""
        return self._requested

    def cancel(self) -> None:
        """Ask the work to stop; what :meth:`on_cancel` was given is called, the first time only."""
        if self._requested:
            return
        self._requested = True
        callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            _called(callback)

    def on_cancel(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Have ``callback`` called when the work is cancelled, at once if it is; gives what takes that back."""
        if self._callbacks is None:
            self._callbacks = []
        kept = self._callbacks
        kept.append(callback)

        def take_back() -> None:
            if callback in kept:
                kept.remove(callback)

        if self._requested:
            # Asked for after the last look, or between it and the append: called once in any case, or twice.
            _called(callback)
        return take_back


def _called(callback: Callable[[], object]) -> None:
    try:
        callback()
    except Exception:
        _log.exception("a callback of on_cancel failed")


_work: ContextVar[Cancellation | None] = ContextVar("understudy_work", default=None)


def current_work() -> Cancellation | None:
    """The cancellation of the handler or step that runs here; None outside any."""
    return _work.get()


def begin_work(work: Cancellation | None) -> None:
    """Make ``work`` the current one in this context, which threads and tasks begun from here inherit."""
    _work.set(work)


@contextmanager
def cancellable() -> Iterator[Cancellation]:
    """A piece of work of its own: it is cancelled when the block is left by an exception, cancellation included."""
    work = Cancellation()
    token = _work.set(work)
    try:
        yield work
    except BaseException:
        work.cancel()
        raise
    finally:
        _work.reset(token)


def cancelled() -> bool:
    """Whether the handler or step that runs here should stop."""
    work = _work.get()
    return work is not None and work.requested


def check_cancelled() -> None:
    """Raise :class:`Cancelled` where the handler or step that runs here should stop."""
    if cancelled():
        raise Cancelled("cancelled: nobody waits for this any more")


@contextmanager
def on_cancel(callback: Callable[[], object]) -> Iterator[None]:
    """Call ``callback`` if the work that runs here is cancelled inside the block; it may be called from another thread.

    >>> import sqlite3
    >>> connection = sqlite3.connect(":memory:")
    >>> with on_cancel(connection.interrupt):
    ...     connection.execute("SELECT 1").fetchone()
    (1,)
    """
    work = _work.get()
    if work is None:
        yield
        return
    take_back = work.on_cancel(callback)
    try:
        yield
    finally:
        take_back()
