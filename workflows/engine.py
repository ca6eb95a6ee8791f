"""The engine: a pure reducer. ``decide(state, event)`` gives the next state and the commands that follow from it.

No clock, no input or output, no randomness: all of these enter as events. So a run is replayed, resumed and tested
by folding its events, without an event loop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..core.errors import UnderstudyError
from .events import (
    Event,
    LimitReached,
    RunAccepted,
    RunFinished,
    RunResumed,
    StepFailed,
    StepFinished,
)
from .expressions import Expression
from .graph import END, Graph, Step
from .items import ahead, item_scope, positions
from .outcome import output_so_far
from .state import WAITING, Command, Finish, Slot, Start, State, Status, StepRecord, Visit
from .vector import Vector


def decide(state: State, event: Event) -> tuple[State, tuple[Command, ...]]:
    """The state after ``event``, and what is to be done now. Events after the end of a run change nothing."""
    if state.finished:
        return state, ()
    if isinstance(event, RunFinished):
        return replace(state, finished=True, at=event.at), ()
    turn = _Turn(state, event)
    if isinstance(event, RunAccepted):
        turn.accept(event)
    elif isinstance(event, RunResumed):
        turn.resume()
    elif state.status == "running":
        if isinstance(event, StepFinished | StepFailed):
            turn.settle(event)
        elif isinstance(event, LimitReached):
            turn.exceed(event.limit)
    return turn.state(), tuple(turn.commands)


def fold(graph: Graph, events: Iterable[Event]) -> State:
    """The state after ``events``, from nothing."""
    state = State(graph)
    for event in events:
        state, _ = decide(state, event)
    return state


class _Turn:
    """One turn of the reducer: copies of the small maps of a state, changed and then frozen again."""

    def __init__(self, state: State, event: Event) -> None:
        self.old = state
        self.graph = state.graph
        self.commands: list[Command] = []
        self.entering: deque[tuple[str, str | None, Any]] = deque()
        self.outputs = dict(state.outputs)
        self.active = dict(state.active)
        self.visits = dict(state.visits)
        self.taken = dict(state.taken)
        self.arrived = dict(state.arrived)
        self.changed: dict[str, Any] = {"at": event.at}
        self.run, self.input, self.team = state.run, state.input, state.team
        self.messages, self.records, self.last = state.messages, state.records, state.last
        self.status: Status = state.status
        if not isinstance(event, RunAccepted | RunResumed):
            # Between two processes nobody was at work.
            self.changed["seconds"] = state.seconds + max(0.0, event.at - state.at)

    def state(self) -> State:
        return replace(
            self.old, run=self.run, input=self.input, team=self.team, status=self.status, outputs=self.outputs,
            active=self.active, visits=self.visits, taken=self.taken, arrived=self.arrived,
            records=self.records, messages=self.messages, last=self.last, **self.changed,
        )  # fmt: skip

    # What happened.

    def accept(self, event: RunAccepted) -> None:
        self.run, self.input, self.team, self.status = event.run, event.input, event.team, "running"
        self.entering.append((self.graph.start, None, event.input))
        self.go_on()

    def resume(self) -> None:
        """Start again what was under way; the record of the end again if it was not kept."""
        if self.status != "running":
            self.commands.append(Finish(self.status, self.old.output, self.old.error))
            return
        for visit in self.active.values():
            self.commands.extend(slot.start for slot in visit.slots if slot.status == "running" and slot.start)

    def settle(self, event: StepFinished | StepFailed) -> None:
        visit = self.active.get(event.step)
        index = event.index or 0
        if visit is None or visit.number != event.visit or visit.slots[index].status != "running":
            return
        start = visit.slots[index].start
        failed = event.error if isinstance(event, StepFailed) else None
        output = event.output if isinstance(event, StepFinished) else None
        self.records = self.records.add(
            StepRecord(
                event.step, event.agent, event.index, start.input if start else None, output, event.seconds,
                event.attempts, failed, visit.number, visit.order,
            )
        )  # fmt: skip
        self.changed["usage"] = self.old.usage + event.usage
        visit = replace(visit, running=visit.running - 1)
        self.proceed(self.closed(visit, index, output, failed))
        self.go_on()

    def exceed(self, limit: str) -> None:
        partial = self.graph.limits.on_exceed == "partial"
        self.finish("partial" if partial else "failed", f"the run used up its {limit}")

    # What follows.

    def enter(self, name: str, origin: str | None, value: Any) -> None:
        """Lead a branch to the step ``name``, which starts once all that it joins have come."""
        step = self.graph.steps[name]
        if len(step.join) > 1 and origin is not None:
            here = self.arrived.get(name, frozenset()) | {origin}
            self.arrived[name] = here
            if not here.issuperset(step.join):
                return
            self.arrived[name] = frozenset()
            value = [self.outputs.get(other) for other in step.join]
        if name in self.active:
            self.fail(name, f"it was reached again from {origin} while it was still under way")
            return
        number = self.visits[name] = self.visits.get(name, 0) + 1
        items: tuple[Any, ...] | None = None
        needs: tuple[tuple[int, ...], ...] = ()
        if step.each is not None:
            try:
                found = step.each.evaluate(self.scope())
                if not isinstance(found, list | tuple):
                    raise UnderstudyError(f"each: {step.each} is no list")
            except UnderstudyError as error:
                self.fail(name, str(error))
                return
            items = tuple(found)
            needs = positions(items)
        slots = Vector.of([WAITING] * (1 if items is None else len(items)))
        order = sum(self.visits.values())
        self.proceed(Visit(name, number, order, value, items, needs, slots, open=len(slots)))

    def proceed(self, visit: Visit) -> None:
        """Start what can be started of ``visit``, or close it when nothing is open."""
        step = self.graph.steps[visit.step]
        while visit.open and self.status == "running":
            if visit.error is not None and step.failure == "fail_fast":
                break
            index = ahead(visit) if visit.running < step.at_once else None
            if index is None:
                break
            visit = self.started(step, visit, index)
        if self.status != "running":
            self.active.pop(visit.step, None)
        elif visit.error is not None and (step.failure == "fail_fast" or not visit.open):
            self.failed(step, visit)
        elif not visit.open:
            self.done(step, visit)
        else:
            self.active[visit.step] = visit

    def started(self, step: Step, visit: Visit, index: int) -> Visit:
        lost = [need for need in (visit.needs[index] if visit.needs else ()) if self.lost(visit, index, need)]
        if lost:
            return self.refused(visit, index, f"it needs item {lost[0] + 1}, which brought nothing")
        limit = self.graph.limits.messages
        if limit is not None and self.messages >= limit:
            self.exceed(f"{limit} messages")
            return visit
        try:
            start = self.start(step, visit, index)
        except UnderstudyError as error:
            return self.refused(visit, index, str(error))
        self.messages += 1
        self.commands.append(start)
        cursor = index + 1 if index == visit.cursor else visit.cursor
        slots = visit.slots.put(index, Slot("running", start))
        return replace(visit, slots=slots, running=visit.running + 1, cursor=cursor)

    def refused(self, visit: Visit, index: int, error: str) -> Visit:
        """Close a slot whose effect cannot be started; it has a record all the same."""
        value, item = (visit.previous, None) if visit.items is None else (visit.items[index], index)
        record = StepRecord(visit.step, None, item, value, None, 0.0, 0, error, visit.number, visit.order)
        self.records = self.records.add(record)
        return self.closed(visit, index, None, error)

    def lost(self, visit: Visit, index: int, need: int) -> bool:
        return not 0 <= need < index or visit.slots[need].status == "failed"

    def start(self, step: Step, visit: Visit, index: int) -> Start:
        scope: Mapping[str, Any] = self.scope()
        value, agent, item, key = visit.previous, step.agent, None, f"{self.run}/{step.name}/{visit.number}"
        if visit.items is not None:
            value = visit.items[index]
            key = f"{key}/{index}"
            item = index
            found = [visit.slots[need].output for need in visit.needs[index]] if visit.needs else None
            scope = item_scope(scope, value, index, found)
        arguments = {name: one.evaluate(scope) for name, one in step.input.items()} if step.input else None
        if isinstance(step.agent_from, Expression):
            agent = step.agent_from.evaluate(scope)
        elif step.agent_from is not None:
            try:
                agent = step.agent_from(value)
            except Exception as error:
                raise UnderstudyError(f"agent: {type(error).__name__}: {error}") from error
        return Start(step.name, visit.number, item, key, agent, arguments, value, scope)

    def closed(self, visit: Visit, index: int, output: Any, error: str | None) -> Visit:
        """The visit with slot ``index`` settled; the first error is kept."""
        slot = Slot("failed" if error is not None else "done", None, output)
        if error is not None:
            error = visit.error or (f"item {index + 1}: {error}" if visit.items is not None else error)
        cursor = index + 1 if index == visit.cursor else visit.cursor
        return replace(
            visit, slots=visit.slots.put(index, slot), open=visit.open - 1, cursor=cursor,
            error=error or visit.error,
        )  # fmt: skip

    def failed(self, step: Step, visit: Visit) -> None:
        self.active.pop(step.name, None)
        anything = visit.items is None or any(slot.status == "done" for slot in visit.slots)
        if step.failure == "collect" and anything:
            self.done(step, visit)
        else:
            self.fail(step.name, visit.error or "")

    def done(self, step: Step, visit: Visit) -> None:
        self.active.pop(step.name, None)
        outputs = [slot.output for slot in visit.slots]
        output = outputs[0] if visit.items is None else outputs
        self.outputs[step.name] = self.last = output
        self.leave(step, output)

    def leave(self, step: Step, output: Any) -> None:
        """Take the first route that is open."""
        if not step.routes:
            return
        scope = self.scope()
        for number, route in enumerate(step.routes):
            used = self.taken.get((step.name, number), 0)
            try:
                closed = route.when is not None and not route.when.evaluate(scope)
            except UnderstudyError as error:
                self.fail(step.name, f"routes[{number}]: {error}")
                return
            if closed or (route.at_most is not None and used >= route.at_most):
                continue
            self.taken[step.name, number] = used + 1
            self.entering.extend((target, step.name, output) for target in route.targets if target != END)
            return
        self.fail(step.name, "no route is left: none has its condition true and its at_most unused")

    # How it ends.

    def go_on(self) -> None:
        """Enter the steps that were led to. With nothing under way the run is over, unless a join still waits."""
        while self.entering and self.status == "running":
            self.enter(*self.entering.popleft())
        if self.active or self.status != "running":
            return
        for name, here in self.arrived.items():
            if here:
                away = [other for other in self.graph.steps[name].join if other not in here]
                self.fail(name, f"it waits for {', '.join(away)}, which will not come")
                return
        self.finish("completed", None)

    def fail(self, step: str, error: str) -> None:
        if self.status == "running":
            self.finish("failed", f"step {step}: {error}")

    def finish(self, status: Status, error: str | None) -> None:
        output, mistake = output_so_far(self.graph, self.scope(), self.last)
        if mistake is not None and status == "completed":
            status, error = "failed", mistake
        self.status = status
        self.active.clear()
        self.changed |= {"output": output, "error": error}
        self.commands = [Finish(status, output, error)]

    def scope(self) -> dict[str, Any]:
        return {"input": self.input, "team": self.team, **self.outputs}
