"""Forks: a run that shares the first events of another, and goes its own way from one of its steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..agents.messages import Message
from ..agents.requests import message_from
from .engine import decide
from .events import (
    Event,
    LimitReached,
    QuestionAnswered,
    RunAccepted,
    RunResumed,
    StepEdited,
    StepFailed,
    StepFinished,
    TimerFired,
)
from .graph import Graph, WorkflowError
from .questions import checked
from .state import Ask, State
from .values import UNSET


@dataclass(frozen=True)
class Fork:
    """From where a run goes another way, and with what.

    Attributes:
        step: the step; None for the very beginning.
        visit: which of its visits; the first if it is None.
        index: the item, for a step with ``each`` of several.
        message: what the step is given in place of what it was given; it then runs again. At the beginning: the input.
            A mapping gives the fields of the message that its agent takes, or the arguments of its function.
        output: what the step gives in place of what it gave; it does not run again. A mapping gives the fields of a
            message of the type that it gave; the answer to a question has to be one that it allows.

    With neither the step runs again as it was.
    """

    step: str | None = None
    visit: int | None = None
    index: int | None = None
    message: Any = UNSET
    output: Any = UNSET


_SHARED = (RunResumed, StepFinished, StepFailed, StepEdited, TimerFired, QuestionAnswered, LimitReached)


def forked(graph: Graph, events: Sequence[Event], fork: Fork, run: str, at: float) -> list[Event]:
    """The first events of the fork ``run``: those it shares, then what is changed.

    Raises WorkflowError where there is no such step in the run, or both a message and an output are given.
    """
    first = events[0]
    assert isinstance(first, RunAccepted)
    if fork.message is not UNSET and fork.output is not UNSET:
        raise WorkflowError("a fork has a message or an output, not both", where=fork.step)
    origin = {"run": first.run, "step": fork.step, "visit": fork.visit, "index": fork.index}
    if fork.step is None:
        if fork.output is not UNSET:
            raise WorkflowError("a run as a whole has no output to be given", mend="name a step, or give a message")
        given = first.input if fork.message is UNSET else fork.message
        if graph.takes is not None and isinstance(given, Mapping):
            given = message_from(graph.takes, given, graph.name)
        if graph.takes is not None and not isinstance(given, graph.takes):
            raise WorkflowError(f"it takes {graph.takes.message_name}", where=graph.name)
        return [replace(first, at=at, run=run, input=given, forked=origin)]
    asked = _asking(graph, events)
    place = _place(events, fork, asked)
    settled = events[place]
    number, index = _of(settled, asked)
    origin |= {"visit": number, "index": index}
    # Keys name the run: what the fork does, it does under keys of its own.
    shared = [_keyed(event, first.run, run) for event in events[1:place] if isinstance(event, _SHARED)]
    made: list[Event] = [replace(first, at=at, run=run, forked=origin), *shared, RunResumed(at)]
    if isinstance(settled, QuestionAnswered) and fork.output is not UNSET:
        made.append(_keyed(replace(settled, at=at, answer=checked(asked[settled.key], fork.output)), first.run, run))
    elif fork.output is not UNSET:
        agent = settled.agent if isinstance(settled, StepFinished | StepFailed) else None
        made.append(StepFinished(at, fork.step, number, index, agent, _typed(fork.output, settled), 0.0))
    elif fork.message is not UNSET:
        if not isinstance(settled, StepFinished | StepFailed):
            mend = "give an output: what the person or the clock is to have given"
            raise WorkflowError("a question and a timer take no message", where=fork.step, mend=mend)
        made.insert(-1, StepEdited(at, fork.step, number, index, fork.message))
    return made


def _asking(graph: Graph, events: Sequence[Event]) -> Mapping[str, Ask]:
    """Every question that the run asked, by its key."""
    state = State(graph)
    asked: dict[str, Ask] = {}
    for event in events:
        state, _ = decide(state, event)
        asked |= {ask.key: ask for ask in state.questions}
    return asked


def _place(events: Sequence[Event], fork: Fork, asked: Mapping[str, Ask]) -> int:
    """The number of the event that settled the step of ``fork``."""
    settled: list[tuple[int, str, int, int | None]] = []
    for place, event in enumerate(events):
        if isinstance(event, QuestionAnswered) and event.key in asked:
            ask = asked[event.key]
            settled.append((place, ask.step, ask.visit, ask.index))
        elif isinstance(event, StepFinished | StepFailed | TimerFired):
            settled.append((place, event.step, event.visit, event.index))
    found = [one for one in settled if one[1] == fork.step and fork.visit in (None, one[2])]
    if not found:
        mend = f"it settled: {', '.join(dict.fromkeys(one[1] for one in settled)) or 'no step'}"
        visit = "" if fork.visit is None else f" in visit {fork.visit}"
        raise WorkflowError(f"the run has no step {fork.step!r}{visit}", mend=mend)
    items = [one for one in found if one[2] == found[0][2]]
    chosen = [one for one in items if fork.index in (None, one[3])]
    known = ", ".join(str(one[3]) for one in sorted(items, key=lambda one: one[3] or 0))
    if not chosen:
        raise WorkflowError(f"the step {fork.step} has no item {fork.index}", mend=f"its items: {known}")
    if len(chosen) > 1:
        mend = f"say which with index= (from 0): {known}"
        raise WorkflowError(f"the step {fork.step} has {len(chosen)} items", mend=mend)
    return chosen[0][0]


def _of(event: Event, asked: Mapping[str, Ask]) -> tuple[int, int | None]:
    if isinstance(event, QuestionAnswered):
        ask = asked[event.key]
        return ask.visit, ask.index
    assert isinstance(event, StepFinished | StepFailed | TimerFired)
    return event.visit, event.index


def _typed(output: Any, settled: Event) -> Any:
    gave = settled.output if isinstance(settled, StepFinished) else None
    if not isinstance(gave, Message) or not isinstance(output, Mapping):
        return output
    return message_from(type(gave), output, "the output of the fork")


def _keyed(event: Event, old: str, new: str) -> Event:
    if isinstance(event, QuestionAnswered):
        return replace(event, key=new + event.key.removeprefix(old))
    return event
