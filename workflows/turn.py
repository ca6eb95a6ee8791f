"""One turn of the reducer: what an event changes in the state of a run, and what is to be done then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..agents.usage import NOTHING_SPENT
from .events import (
    Event,
    QuestionAnswered,
    RunAccepted,
    RunResumed,
    RunSuspended,
    StepEdited,
    StepFailed,
    StepFinished,
    TimerFired,
)
from .evolve import evolve
from .limits import Spent
from .progress import Progress
from .state import Finish, Slot, Start, State, StepRecord
from .vector import Vector

_BETWEEN = (RunAccepted, RunResumed)
_PERHAPS_IDLE = (QuestionAnswered, RunSuspended)


def at_work(state: State, event: Event) -> float:
    """The run's seconds at ``event``: not counted between two processes, nor while all waits for a person."""
    if isinstance(event, _BETWEEN) or (isinstance(event, _PERHAPS_IDLE) and not busy(state)):
        return state.seconds
    return state.seconds + max(0.0, event.at - state.at)


def busy(state: State) -> bool:
    """Whether an effect or a timer is under way, not only questions."""
    asked = sum(ask is not state.paused for ask in state.questions)
    return sum(visit.running for visit in state.active.values()) > asked


class Turn(Progress):
    """One turn of the reducer: what an event tells is taken in, and the run goes on from there."""

    __slots__ = ()

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(state)
        self.at = event.at
        self.seconds = at_work(state, event)

    def accept(self, event: RunAccepted) -> None:
        self.run, self.input, self.team, self.status = event.run, event.input, event.team, "running"
        self.lists = {name: Vector[Any]() for name in self.graph.lists}
        self.outputs = {"error": None} if self.graph.guarded else {}
        self.entering.extend((name, None, event.input) for name in self.graph.first)
        self.go_on()

    def resume(self) -> None:
        """Start again what was under way; the record of the end again if it was not kept."""
        if self.status != "running":
            self.commands.append(Finish(self.status, self.output, self.error))
            return
        for visit in self.active.values():
            self.commands.extend(slot.start for slot in visit.slots if slot.status == "running" and slot.start)
        if self.paused is not None:
            self.commands.append(self.paused)

    def settle(self, event: StepFinished | StepFailed) -> None:
        failed = event.error if isinstance(event, StepFailed) else None
        output = event.output if isinstance(event, StepFinished) else None
        if event.usage is not NOTHING_SPENT:
            self.usage += event.usage
        if event.agent in self.graph.limits.agents:
            so_far = self.spent.get(event.agent or "", Spent())
            tokens, seconds = so_far.tokens + event.usage.tokens, so_far.seconds + event.seconds
            self.spent = {**self.spent, str(event.agent): Spent(so_far.messages, tokens, seconds)}
        self.close(event.step, event.visit, event.index, output, failed, event)

    def wake(self, event: TimerFired) -> None:
        visit = self.active.get(event.step)
        there = visit is not None and (event.index or 0) < len(visit.slots)
        slot = visit.slots[event.index or 0] if visit is not None and there else None
        self.close(event.step, event.visit, event.index, slot.start.input if slot and slot.start else None, None)

    def answered(self, event: QuestionAnswered) -> None:
        asked = next((ask for ask in self.old.questions if ask.key == event.key), None)
        if asked is None:
            return
        if asked is not self.paused:
            self.close(asked.step, asked.visit, asked.index, event.answer, None)
            return
        self.paused = None
        if event.answer is not True:
            self.finish("partial", f"the run used up its limit, and was not to go on: {asked.value}")
            return
        self.granted += 1
        for visit in list(self.active.values()):
            self.proceed(visit)
        self.go_on()

    def edit(self, event: StepEdited) -> None:
        visit = self.active.get(event.step)
        there = visit is not None and visit.number == event.visit and (event.index or 0) < len(visit.slots)
        start = visit.slots[event.index or 0].start if visit is not None and there else None
        if visit is None or not isinstance(start, Start):
            return
        fields = dict(event.message) if isinstance(event.message, Mapping) else None
        edited = evolve(start, arguments=fields, value=event.message)
        slots = visit.slots.put(event.index or 0, Slot("running", edited))
        self.active[event.step] = evolve(visit, slots=slots)

    def close(
        self, step: str, number: int, item: int | None, output: Any, failed: str | None,
        event: StepFinished | StepFailed | None = None,
    ) -> None:  # fmt: skip
        """Settle one effect, with its record, and go on from there."""
        visit = self.active.get(step)
        index = item or 0
        if visit is None or visit.number != number or index >= len(visit.slots):
            return  # of a workflow that was changed since
        if visit.slots[index].status != "running":
            return
        start = visit.slots[index].start
        agent, seconds, attempts = (event.agent, event.seconds, event.attempts) if event else (None, 0.0, 1)
        given = start.input if start else None
        record = StepRecord(step, agent, item, given, output, seconds, attempts, failed, visit.number, visit.order)
        self.records = self.records.add(record)
        self.proceed(self.closed(visit, index, output, failed, running=visit.running - 1))
        self.go_on()
