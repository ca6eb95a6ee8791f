"""Scheduler: continuous batching of the calls of all agents and workflow branches.

One thread runs the passes. Between two of them rows that are done or cancelled leave, and waiting calls join, taken in
turn from every owner's line, so that one who asks for much does not starve the others (Orca, Yu et al. 2022, with fair
queueing). Who asks faster than is answered waits: at most ``waiting`` calls are held.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, InvalidStateError
from dataclasses import dataclass, field

from .backbone import Backbone
from .bank import HeadBank
from .errors import UnderstudyError
from .rows import Call, Reply, Row
from .running import Prefixes, Running, rows_of

IDLE_SECONDS = 5.0


@dataclass(eq=False)
class _Asked:
    call: Call
    future: Future[Reply] = field(default_factory=Future)


class Scheduler:
    """Answers calls as they come; the same replies as :class:`.decoding.Decoder` gives.

    Args:
        backbone, bank: the shared GPT and the heads. A head that changes does so for calls that join afterwards.
        batch: rows in one pass at most.
        waiting: calls held in line at most; :meth:`submit` waits beyond it.
    """

    def __init__(self, backbone: Backbone, bank: HeadBank, batch: int = 16, waiting: int = 256) -> None:
        self.backbone, self.bank, self.batch, self.waiting = backbone, bank, batch, waiting
        self.passes = 0
        self.prefixes = Prefixes()
        self._lines: OrderedDict[str, deque[_Asked]] = OrderedDict()
        self._held = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, call: Call, owner: str = "", timeout: float | None = None) -> Future[Reply]:
        """Put a call in ``owner``'s line (its head's, where none is named); cancelling the future takes it out.

        A call that is already being decoded leaves the batch before its next token.

        Raises:
            UnderstudyError: the scheduler is closed, or no place came free within ``timeout`` seconds.
        """
        asked = _Asked(call)
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or self._held < self.waiting, timeout):
                what = f"{self._held} calls are waiting and none was taken within {timeout} s"
                raise UnderstudyError(what, where="scheduler", mend="ask less at once, or wait longer")
            if self._closed:
                raise _closed()
            line = owner or call.head
            self._lines.setdefault(line, deque()).append(asked)
            self._held += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        asked.future.add_done_callback(lambda future: self._forget(line, asked))
        return asked.future

    def _forget(self, line: str, asked: _Asked) -> None:
        """A call that is cancelled while it waits frees its place."""
        if not asked.future.cancelled():
            return
        with self._changed:
            waiting = self._lines.get(line)
            if waiting is not None and asked in waiting:
                waiting.remove(asked)
                if not waiting:
                    del self._lines[line]
                self._held -= 1
                self._changed.notify_all()
                _notify(asked.future)

    def decode(self, calls: Sequence[Call]) -> list[Reply]:
        """Answer ``calls`` in the order given, beside whatever else is being decoded; raises what the first raises."""
        return answers(self.submit, calls)

    def close(self) -> None:
        """End the thread after the pass that runs; what was not answered by then fails. It cannot be opened again."""
        with self._changed:
            self._closed = True
            waiting = [asked for line in self._lines.values() for asked in line]
            self._lines.clear()
            self._held = 0
            self._changed.notify_all()
            thread = self._thread
        for asked in waiting:
            _fail(asked.future, _closed())
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        running = Running(self.backbone, self.bank, self.prefixes)
        asked_by: dict[int, _Asked] = {}
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._held or asked_by, IDLE_SECONDS)
                if self._closed or (not asked_by and not self._held):
                    self._thread = None  # a scheduler that nobody uses must not keep its backbone alive
                    self._changed.notify_all()
                    break
                taken = self._take(self.batch - len(running.rows))
            try:
                for row in self._join(running, taken, asked_by):
                    _hand_over(asked_by.pop(id(row)), row)
                given_up = [row for row in running.rows if asked_by[id(row)].future.cancelled()]
                running.drop(given_up)
                for row in given_up:
                    _notify(asked_by.pop(id(row)).future)
                if running.rows:
                    done = running.step()
                    self.passes += 1
                    for row in done:
                        _hand_over(asked_by.pop(id(row)), row)
            except Exception as error:  # a failed pass is the failure of every call in it, never silence
                for asked in (*asked_by.values(), *taken):
                    _fail(asked.future, error)
                asked_by.clear()
                running = Running(self.backbone, self.bank, self.prefixes)
        for asked in asked_by.values():
            _fail(asked.future, _closed())

    def _take(self, room: int) -> list[_Asked]:
        """The next calls, one from every line in turn."""
        taken: list[_Asked] = []
        while len(taken) < room and self._lines:
            owner, line = self._lines.popitem(last=False)
            asked = line.popleft()
            self._held -= 1
            if line:
                self._lines[owner] = line
            taken.append(asked)
            self._changed.notify_all()
        for asked in taken:
            _notify(asked.future)
        return [asked for asked in taken if not asked.future.cancelled()]

    def _join(self, running: Running, taken: Sequence[_Asked], asked_by: dict[int, _Asked]) -> list[Row]:
        rows: list[Row] = []
        for asked in taken:
            try:
                (row,) = rows_of([asked.call], self.backbone, self.bank)
            except Exception as error:  # this call's own mistake; the others go on
                _fail(asked.future, error)
                continue
            asked_by[id(row)] = asked
            rows.append(row)
        return running.join(rows)


def answers(submit: Callable[[Call], Future[Reply]], calls: Sequence[Call]) -> list[Reply]:
    """Submit all ``calls`` and wait for their replies; where one fails, the others are given up and it is raised."""
    futures: list[Future[Reply]] = []
    try:
        for call in calls:
            futures.append(submit(call))
        return [future.result() for future in futures]
    except BaseException:
        for future in futures:
            future.cancel()
        raise


def _notify(future: Future[Reply]) -> None:
    """Tell who waits in ``concurrent.futures.wait`` that a future was cancelled."""
    if future.cancelled():
        with contextlib.suppress(InvalidStateError, RuntimeError):
            future.set_running_or_notify_cancel()


def _closed() -> UnderstudyError:
    return UnderstudyError("the scheduler is closed", where="scheduler")


def _hand_over(asked: _Asked, row: Row) -> None:
    if row.error is not None:
        _fail(asked.future, row.error)
        return
    with contextlib.suppress(InvalidStateError, CancelledError):
        asked.future.set_result(row.reply(row.age))


def _fail(future: Future[Reply], error: Exception) -> None:
    with contextlib.suppress(InvalidStateError, CancelledError):
        future.set_exception(error)
