"""A run from its record: is the workflow still the one it began with, and what did it come to."""

from __future__ import annotations

from collections.abc import Sequence

from .engine import fold
from .events import Event, RunAccepted
from .graph import Graph, WorkflowError, difference
from .journal import Journal
from .outcome import Result, result_of
from .questions import all_open


def check_same(graph: Graph, events: Sequence[Event], changed: bool) -> None:
    """Refuse a workflow that is not the one that the run began with. Raises WorkflowError."""
    first = events[0]
    if not isinstance(first, RunAccepted):
        raise WorkflowError("the run does not begin with its acceptance")
    found = None if changed else difference(first.document, graph.document)
    if found is not None:
        raise WorkflowError(
            f"the workflow was changed since this run began: {found}",
            where=first.run,
            mend="resume it with the workflow as it was, or allow the change: changed=True, or --changed",
        )


def replay(graph: Graph, journal: Journal, run: str) -> Result:
    """The result of a run from its record alone: nothing is computed again. Raises as ``resume`` does."""
    from .child_runs import asked

    events = journal.events(run)
    check_same(graph, events, changed=False)
    state = fold(graph, events)
    return result_of(state, all_open(state, asked(state, journal)))
