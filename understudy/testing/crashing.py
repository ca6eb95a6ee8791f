"""A journal that dies with its process, as far as a test can see: from a chosen event on nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..workflows.events import Event, QuestionAnswered, StepFailed, StepFinished, TimerFired
from ..workflows.journal import Journal, JournalError, Row
from .staging import best


class Crash(JournalError):
    """The process of the run is dead, as the test wished."""


@dataclass(frozen=True)
class CrashPoint:
    """Where a run is cut off: at the first end of an effect of ``step``, or of that visit and item.

    ``recorded`` says whether the journal still gets that end.
    """

    step: str
    recorded: bool = True
    visit: int | None = None
    index: int | None = None

    def is_at(self, event: Event, way: Sequence[str]) -> bool:
        """Whether ``event`` is that end; ``way``: the steps that lead to the run that it is of."""
        if isinstance(event, QuestionAnswered):
            step, visit, index = _asked(event.key)
        elif isinstance(event, StepFinished | StepFailed | TimerFired):
            step, visit, index = event.step, event.visit, event.index
        else:
            return False
        named = best([self.step], "/".join([*way, step])) is not None
        return named and self.visit in (None, visit) and self.index in (None, index)


class CrashingJournal(Journal):
    """A journal that dies at a crash point, where it is given one."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(path, synchronous="normal")
        self._root = ""
        self._point: CrashPoint | None = None
        self._prepared: dict[int, tuple[Row, Event]] = {}  # by the identity of the row
        self._dead = False

    def crash_at(self, point: CrashPoint | None, root: str = "") -> None:
        """Be alive, until the run ``root``, or a child of it, comes to ``point``."""
        self._root, self._point, self._dead = root, point, False
        self._prepared.clear()

    def prepare(self, event: Event) -> Row:
        row = super().prepare(event)
        if self._point is not None:
            self._prepared[id(row)] = row, event
        return row

    def append_rows(self, run: str, number: int, rows: Sequence[Row]) -> None:
        """See :meth:`Journal.append_rows`. Raises Crash from the crash point on."""
        if self._dead:
            raise Crash("the process is dead", where=run)
        here = self._here(run, rows)
        if self._point is None or here is None:
            super().append_rows(run, number, rows)
            return
        self._dead = True
        if kept := rows[: here + self._point.recorded]:
            super().append_rows(run, number, kept)
        raise Crash(f"the process died at {self._point.step}", where=run)

    def _here(self, run: str, rows: Sequence[Row]) -> int | None:
        if self._point is None or not run.startswith(self._root):
            return None
        way = [part for part in run[len(self._root) :].split("/") if part and not part[0].isdecimal()]
        for at, row in enumerate(rows):
            known = self._prepared.get(id(row))
            if known is not None and known[0] is row and self._point.is_at(known[1], way):
                return at
        return None


def _asked(key: str) -> tuple[str, int | None, int | None]:
    """Step, visit and item of the key of a question: ``run/step/visit`` or ``run/step/visit/item``."""
    parts = key.split("/")
    numbers = [int(part) for part in parts[-2:] if part.isdecimal()]
    step = parts[-1 - len(numbers)] if len(parts) > len(numbers) else ""
    return step, numbers[0] if numbers else None, numbers[1] if len(numbers) > 1 else None
