"""The record of a run that nobody wants kept: it refuses what a journal would refuse, and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from ..agents.packing import refuse
from .events import Event
from .journal import JournalError, Row


class NullJournal:
    """Stands where a journal is wanted. A workflow that runs with it also runs with a journal."""

    path = ":memory:"

    def prepare(self, event: Event) -> Row:
        """Raises MessageError for a value that a journal could not keep."""
        for name in event.packed:
            refuse(getattr(event, name), getattr(event, "step", None))
        return _NOTHING

    def append_rows(self, run: str, number: int, rows: Sequence[Row]) -> None:
        """Nothing is written."""

    def events(self, run: str) -> NoReturn:
        """Raises JournalError: there are none."""
        raise JournalError(f"the run {run} was not kept", mend="give the run a journal")

    def next_number(self, run: str) -> int:
        """0: nothing is kept of any run."""
        return 0


_NOTHING = Row(0.0, "", "")
