"""Child runs in the journal: what they ask, and how they are answered and ended from their parent.

A workflow or a team that does a step is a run of its own: its id is the key of the effect, and it is kept in the same
journal as the run that it is a step of. Tried again, it is another run, and has the number of the try in its id.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from .engine import fold
from .events import QuestionAnswered, RunFinished, RunResumed
from .flow import Workflow
from .graph import Graph, Step, WorkflowError
from .journal import Journal
from .lease import LeaseTaken, leased
from .null_journal import NullJournal
from .outcome import result_of
from .problems import Problem
from .questions import OpenQuestion, all_open
from .record import check_same
from .state import Start, State

Asked = Mapping[str, tuple[OpenQuestion, ...]]
"""What children ask, by the keys of the effects that they are."""


@dataclass(frozen=True)
class Inner:
    """A workflow or a team as the doer of a step.

    Attributes:
        flow: the workflow.
        team: what its expressions see as ``team``; None for a workflow, which sees its cast.
    """

    flow: Workflow
    team: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, doer: Any) -> Inner:
        """From what a step has as ``workflow``."""
        if isinstance(doer, Workflow):
            return cls(doer)
        return cls(doer.workflow, {"name": doer.name, "does": doer.does, "cast": doer.cast})


def child_run(key: str, attempt: int = 1) -> str:
    """The id of the run that is the effect ``key``."""
    return key if attempt == 1 else f"{key}#{attempt}"


def children_of(state: State) -> list[Start]:
    """The effects under way in the run of ``state`` that are runs themselves, in the order of their steps."""
    run = {name for name, step in state.graph.steps.items() if step.workflow is not None}
    visits = sorted((visit for visit in state.active.values() if visit.step in run), key=lambda visit: visit.order)
    slots = (slot for visit in visits for slot in visit.slots)
    return [slot.start for slot in slots if slot.status == "running" and isinstance(slot.start, Start)]


def asked(state: State, journal: Journal | NullJournal, changed: bool = False) -> Asked:
    """What the children of the run of ``state`` ask, by their record.

    Raises WorkflowError for a child whose workflow is not the one that it began with, unless ``changed``.
    """
    found: dict[str, tuple[OpenQuestion, ...]] = {}
    for start in children_of(state):
        child = _latest(journal, start.key)
        if child is not None:
            inner = _state(state.graph, start, journal, child, changed)
            found[start.key] = below(start.step, all_open(inner, asked(inner, journal, changed)))
    return found


def below(step: str, questions: Sequence[OpenQuestion]) -> tuple[OpenQuestion, ...]:
    """The questions of a child as its parent shows them: with the step that the child does before those that ask."""
    return tuple(replace(question, step=f"{step}/{question.step}") for question in questions)


def record_answers(journal: Journal | NullJournal, answers: Sequence[tuple[str, QuestionAnswered]]) -> None:
    """Keep answers to children, each with the run that asked; they go on from there when they are resumed.

    Raises LeaseTaken where another process drives a child.
    """
    by_run: dict[str, list[QuestionAnswered]] = {}
    for run, answer in answers:
        by_run.setdefault(run, []).append(answer)
    for run, given in by_run.items():
        with leased(journal.path, run):
            rows = [journal.prepare(event) for event in (RunResumed(given[0].at), *given)]
            journal.append_rows(run, journal.next_number(run), rows)


def end(step: Step, key: str, journal: Journal, clock: Callable[[], float], why: str) -> None:
    """Record that the child that is the effect ``key`` is over, all its tries: its parent went on without it."""
    for attempt in count(1):
        child = child_run(key, attempt)
        if not journal.next_number(child):
            return
        _end(step, child, journal, clock, why)


def end_left(
    graph: Graph, run: str, journal: Journal, clock: Callable[[], float], why: str, awaited: Container[str] = ()
) -> None:
    """Record that every child of ``run`` is over that the journal has open, but those that are ``awaited``."""
    for child, key in journal.open_children(run):
        step = graph.steps.get(key[len(run) + 1 :].partition("/")[0])
        if step is not None and step.workflow is not None and key not in awaited:
            _end(step, child, journal, clock, why)


def _end(step: Step, child: str, journal: Journal, clock: Callable[[], float], why: str) -> None:
    inner = Inner.of(step.workflow).flow.graph()
    try:
        with leased(journal.path, child):
            state = fold(inner, journal.events(child))
            if state.finished:
                return
            end_left(inner, child, journal, clock, why)
            over = RunFinished(clock(), "failed", result_of(state).output, why)
            journal.append_rows(child, journal.next_number(child), [journal.prepare(over)])
    except LeaseTaken:
        return  # somebody took it up by itself, and may end it


def problems(graph: Graph, agents: Mapping[str, Any] | None, within: Sequence[Any] = ()) -> list[Problem]:
    """What is wrong with the workflows that do steps of ``graph``, and with those in them; see :meth:`Graph.check`."""
    found: list[Problem] = []
    for name, step in graph.steps.items():
        if step.workflow is None:
            continue
        path = f"steps.{name}.workflow"
        inner = Inner.of(step.workflow)
        if any(step.workflow is outer for outer in within):
            what, mend = f"{inner.flow.name} is a step within itself", "go round with a route and at_most instead"
            found.append(Problem(graph.name, 0, 0, path, what, "a run would never end", mend))
            continue
        alone = inner.team is not None
        known = inner.flow.agents if alone else None if agents is None else {**agents, **inner.flow.agents}
        mistakes = inner.flow.check(known, within=(*within, step.workflow))
        found += [replace(one, file=graph.name, path=f"{path}.{one.path}") for one in mistakes]
    return found


def graphs(graph: Graph, within: Sequence[Any] = ()) -> Iterator[Graph | None]:
    """The graphs of the workflows that do steps of ``graph``, and of those in them; None for one that has none."""
    for step in graph.steps.values():
        if step.workflow is None or any(step.workflow is outer for outer in within):
            continue
        try:
            inner = Inner.of(step.workflow).flow.graph()
        except WorkflowError:  # told where it is checked
            yield None
            continue
        yield inner
        yield from graphs(inner, (*within, step.workflow))


def teams(graph: Graph) -> Iterator[Any]:
    """The teams that do steps of ``graph``, and of the workflows in it."""
    for step in graph.steps.values():
        if step.workflow is not None:
            if not isinstance(step.workflow, Workflow):
                yield step.workflow
            yield from teams(Inner.of(step.workflow).flow.graph())


def _latest(journal: Journal | NullJournal, key: str) -> str | None:
    last = None
    for attempt in count(1):
        if not journal.next_number(child_run(key, attempt)):
            return last
        last = child_run(key, attempt)
    return None


def _state(graph: Graph, start: Start, journal: Journal | NullJournal, child: str, changed: bool) -> State:
    inner = Inner.of(graph.steps[start.step].workflow).flow.graph()
    events = journal.events(child)
    check_same(inner, events, changed)
    return fold(inner, events)
