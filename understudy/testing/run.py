"""What a run in a harness came to: its result, the way it took, and what each step was given and gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from ..agents.usage import Usage
from ..workflows.child_runs import Inner, child_run
from ..workflows.children import ChildEvent
from ..workflows.engine import decide
from ..workflows.events import Event, StepEmitted, StepFailed, StepFinished, StepStarted
from ..workflows.flow import Workflow
from ..workflows.graph import Graph, Step
from ..workflows.journal import Journal
from ..workflows.outcome import Result
from ..workflows.questions import OpenQuestion
from ..workflows.state import State, StepRecord
from ..workflows.values import hint
from .scripted import ScriptError


@dataclass(frozen=True)
class StepLog:
    """What one step did in a run.

    Attributes:
        name: of the step.
        visits: for every time that the step was entered, what its effects did (of an ``each``: one for each item).
        each: whether it has items.
        emitted: the parts that it showed early.
        begun: how many effects were begun, those among them that were begun again after a crash.
        runs: of a workflow or a team that does the step: its runs.
    """

    name: str
    visits: tuple[tuple[StepRecord, ...], ...]
    each: bool = False
    emitted: tuple[Any, ...] = ()
    begun: int = 0
    runs: tuple[Run, ...] = ()

    @property
    def inputs(self) -> list[Any]:
        """What it was given, each time; of an ``each`` the list of items."""
        return [self._of(visit, "input") for visit in self.visits]

    @property
    def outputs(self) -> list[Any]:
        """What it gave, each time; of an ``each`` the list of what its items gave."""
        return [self._of(visit, "output") for visit in self.visits]

    @property
    def input(self) -> Any:
        """What it was given the last time."""
        return self.inputs[-1]

    @property
    def output(self) -> Any:
        """What it gave the last time."""
        return self.outputs[-1]

    @property
    def error(self) -> str | None:
        """Why it failed the last time: the first error of its effects; None where none failed."""
        return next((record.error for record in self.visits[-1] if record.error is not None), None)

    @property
    def attempts(self) -> int:
        """How often its effects were tried the last time, the most of its items."""
        return max((record.attempts for record in self.visits[-1]), default=0)

    def _of(self, visit: Sequence[StepRecord], name: str) -> Any:
        found = [getattr(record, name) for record in visit]
        return found if self.each else found[0] if found else None


class Steps(Mapping[str, StepLog]):
    """The steps that were entered, by name, in the order in which they were first."""

    def __init__(self, logs: Mapping[str, StepLog], known: Sequence[str]) -> None:
        self._logs = dict(logs)
        self._known = tuple(known)

    def __getitem__(self, name: str) -> StepLog:
        """The step ``name``. Raises ScriptError where the run did not come to it."""
        if name not in self._logs:
            if name in self._known:
                raise ScriptError(f"the run did not come to step '{name}'", mend=f"it went: {', '.join(self._logs)}")
            raise ScriptError(f"there is no step '{name}'", mend=hint(name, self._known))
        return self._logs[name]

    def __contains__(self, name: object) -> bool:
        return name in self._logs

    def __iter__(self) -> Iterator[str]:
        return iter(self._logs)

    def __len__(self) -> int:
        return len(self._logs)

    def __repr__(self) -> str:
        return f"Steps({list(self._logs)})"


@dataclass(frozen=True)
class Run:
    """What a run came to.

    Attributes:
        result: as ``flow.run`` gives it; of one that was cut off: so far.
        events: everything that was told, over all crashes and resumptions, what is not kept in journals included.
        path: the names of the steps, in the order in which they were entered, as often as they were.
        steps: what each of them was given and gave.
        crashed: whether it was cut off.
    """

    result: Result
    events: tuple[Event, ...]
    path: list[str]
    steps: Steps
    crashed: bool = False

    @property
    def status(self) -> str:
        """``crashed``, or the status of the result."""
        return "crashed" if self.crashed else self.result.status

    @property
    def output(self) -> Mapping[str, Any]:
        """The output of the result."""
        return self.result.output

    @property
    def value(self) -> Any:
        """What the step that finished last gave."""
        return self.result.value

    @property
    def error(self) -> str | None:
        """Why it did not complete."""
        return self.result.error

    @property
    def questions(self) -> tuple[OpenQuestion, ...]:
        """What a person has to answer before it can go on."""
        return self.result.questions

    @property
    def usage(self) -> Usage:
        """The tokens and calls of all effects, and the seconds of the run by its clock."""
        return self.result.usage

    @property
    def repeated(self) -> list[str]:
        """The steps with an effect that was begun more than once, as after a crash before its end was recorded.

        A workflow that is a step only goes on; its own steps are named with the way to them, as ``report/draft``.
        """
        begun = Counter((event.key, event.step) for event in self.events if isinstance(event, StepStarted))
        again = [step for (_, step), times in begun.items() if times > 1 and not self.steps[step].runs]
        inner = [f"{log.name}/{name}" for log in self.steps.values() for run in log.runs for name in run.repeated]
        return list(dict.fromkeys([*again, *inner]))

    def assert_path(self, *names: str) -> None:
        """Raise ScriptError where the run did not take this way."""
        if list(names) != self.path:
            ended = "" if self.error is None else f"\n  {self.status}: {self.error}"
            what = f"the run took another way\n  expected {_way(names)}\n  it went  {_way(self.path)}{ended}"
            raise ScriptError(what, where=self.result.run)


def run_of(
    flow: Workflow, run: str, journal: Journal, told: Sequence[Event], result: Result | None = None,
    crashed: bool = False,
) -> Run:  # fmt: skip
    """The run of ``flow`` from its record, and from what was told of it; its result by the record where none is given.

    Raises JournalError where there is no such run.
    """
    graph, kept = flow.graph(), journal.events(run)
    result = result or flow.replay(run, journal=journal)
    path = path_of(graph, kept)
    visits: dict[str, dict[int, list[StepRecord]]] = {}
    for record in result.steps:
        visits.setdefault(record.name, {}).setdefault(record.visit, []).append(record)
    begun = Counter(event.step for event in told if isinstance(event, StepStarted))
    logs = {}
    for name, times in Counter([*path, *(name for name in visits if name not in path)]).items():
        seen, step = visits.get(name, {}), graph.steps[name]
        done = tuple(tuple(seen.get(visit, ())) for visit in range(1, max([times, *seen]) + 1))
        emitted = tuple(event.part for event in told if isinstance(event, StepEmitted) and event.step == name)
        runs = () if step.workflow is None else tuple(_children(step, journal, told))
        logs[name] = StepLog(name, done, step.each is not None, emitted, begun[name], runs)
    return Run(result, tuple(told), path, Steps(logs, tuple(graph.steps)), crashed)


def _children(step: Step, journal: Journal, told: Sequence[Event]) -> Iterator[Run]:
    """The runs that the effects of ``step`` are, those that were tried again included."""
    started = (event.key for event in told if isinstance(event, StepStarted) and event.step == step.name)
    for key in dict.fromkeys(started):
        for attempt in count(1):
            child = child_run(key, attempt)
            if not journal.next_number(child):
                break
            yield run_of(Inner.of(step.workflow).flow, child, journal, list(_told_of(child, told)))


def _told_of(child: str, told: Sequence[Event]) -> Iterator[Event]:
    for event in told:
        if isinstance(event, ChildEvent) and event.run == child:
            yield event.event
        elif isinstance(event, ChildEvent) and event.run.startswith(f"{child}/"):
            yield replace(event, step=event.step.partition("/")[2])


def path_of(graph: Graph, events: Sequence[Event]) -> list[str]:
    """The names of the steps in the order in which the events led to them."""
    path: list[str] = []
    state = State(graph)
    for event in events:
        before, (state, _) = state, decide(state, event)
        entered = state.entered - before.entered
        if not entered:
            continue
        orders = {visit.order: visit.step for visit in state.active.values()}
        orders |= {record.order: record.name for record in state.records[len(before.records) :]}
        # What is in neither had no effects: an each without items.
        told = Counter(orders[order] for order in orders if order > before.entered)
        more = Counter({name: count - before.visits.get(name, 0) for name, count in state.visits.items()})
        rest = iter((more - told).elements())
        for order in range(before.entered + 1, state.entered + 1):
            if (name := orders.get(order) or next(rest, None)) is not None:
                path.append(name)
    return path


def under_way(events: Sequence[Event]) -> list[str]:
    """The steps that were begun and have not ended, those of child runs with the way to them."""
    open_ones: dict[tuple[str, int, int | None], str] = {}
    for told in events:
        event, way = (told.event, f"{told.step}/") if isinstance(told, ChildEvent) else (told, "")
        if isinstance(event, StepStarted):
            open_ones[way + event.step, event.visit, event.index] = way + event.step
        elif isinstance(event, StepFinished | StepFailed):
            open_ones.pop((way + event.step, event.visit, event.index), None)
    return list(dict.fromkeys(open_ones.values()))


def _way(names: Sequence[str]) -> str:
    return " → ".join(names) or "nowhere"
