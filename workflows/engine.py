"""The engine: a pure reducer. ``decide(state, event)`` gives the next state and the commands that follow from it.

No clock, no input or output, no randomness: all of these enter as events. So a run is replayed, resumed and tested
by folding its events, without an event loop.
"""

from __future__ import annotations

from collections.abc import Iterable

from .events import (
    Event,
    LimitReached,
    QuestionAnswered,
    RunAccepted,
    RunFinished,
    RunResumed,
    StepEdited,
    StepFailed,
    StepFinished,
    TimerFired,
)
from .evolve import evolve
from .graph import Graph
from .state import Command, State
from .turn import Turn, at_work, busy


def decide(state: State, event: Event) -> tuple[State, tuple[Command, ...]]:
    """The state after ``event``, and what is to be done now. Events after the end of a run change nothing."""
    if state.finished:
        return state, ()
    if isinstance(event, RunFinished):
        # The result is in the event too, so that the steps of a finished run may be taken out of its record.
        ended = {"status": event.status, "output": event.output, "error": event.error}
        return evolve(state, finished=True, at=event.at, **ended), ()
    if not isinstance(event, _DECISIVE):
        return evolve(state, at=event.at, seconds=at_work(state, event)), ()
    turn = Turn(state, event)
    if isinstance(event, RunAccepted):
        turn.accept(event)
    elif isinstance(event, RunResumed):
        turn.resume()
    elif state.status == "running":
        if isinstance(event, (StepFinished, StepFailed)):  # a union would be made anew each time
            turn.settle(event)
        elif isinstance(event, TimerFired):
            turn.wake(event)
        elif isinstance(event, QuestionAnswered):
            turn.answered(event)
        elif isinstance(event, StepEdited):
            turn.edit(event)
        elif isinstance(event, LimitReached):
            turn.exceed(event.limit)
            turn.go_on()
    return turn.state(), tuple(turn.commands)


_DECISIVE = (
    StepFinished, StepFailed, RunAccepted, RunResumed, TimerFired, QuestionAnswered, StepEdited, LimitReached,
)  # fmt: skip


def fold(graph: Graph, events: Iterable[Event]) -> State:
    """The state after ``events``, from nothing."""
    state = State(graph)
    for event in events:
        state, _ = decide(state, event)
    return state


__all__ = ["busy", "decide", "fold"]
