"""Progress: how a run goes on from what is known of it, step by step, until its end."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from ..agents.usage import Usage
from ..core.errors import UnderstudyError
from .commands import command_for, items_of, question_of_limit
from .evolve import evolve
from .graph import END, Graph, Step
from .items import ahead, positions
from .limits import Budget, Spent, used_up
from .merging import merged
from .outcome import output_so_far
from .scope import Scope
from .state import WAITING, Ask, Cancel, Command, Finish, Slot, Start, State, Status, StepRecord, Visit
from .vector import Vector

_ONE_WAITING = Vector.of([WAITING])


class Progress:
    """A state that is copied, changed, and frozen again, with the commands that follow from it."""

    # Under the names that they have in the state, whose fields are taken over, and given back, as a whole.
    graph: Graph
    run: str
    status: Status
    input: Any
    team: Any
    outputs: Mapping[str, Any]
    active: dict[str, Visit]
    visits: Mapping[str, int]
    entered: int
    taken: Mapping[tuple[str, int], int]
    arrived: Mapping[str, frozenset[str]]
    lists: Mapping[str, Vector[Any]]
    records: Vector[StepRecord]
    messages: int
    spent: Mapping[str, Spent]
    granted: int
    paused: Ask | None
    usage: Usage
    last: Any
    output: Mapping[str, Any]
    error: str | None
    at: float
    seconds: float

    __slots__ = ("__dict__", "commands", "entering", "old")

    def __init__(self, state: State) -> None:
        self.__dict__.update(state.__dict__)
        self.old = state
        self.commands: list[Command] = []
        self.entering: deque[tuple[str, str | None, Any]] = deque()
        self.active = dict(state.active)

    def state(self) -> State:
        made = object.__new__(State)
        made.__dict__.update(self.__dict__)
        return made

    # What follows.

    def exceed(self, limit: str) -> None:
        how = self.graph.limits.on_exceed
        if self.paused is not None:
            return
        if how == "ask":
            self.paused = question_of_limit(self.run, limit, self.granted)
            self.commands.append(self.paused)
        else:
            self.finish("partial" if how == "partial" else "failed", f"the run used up its {limit}")

    def enter(self, name: str, origin: str | None, value: Any) -> None:
        """Lead a branch to the step ``name``, which starts once all that it joins have come."""
        step = self.graph.steps[name]
        joined: Mapping[str, Any] | None = None
        if len(step.join) > 1 and origin is not None:
            here = self.arrived.get(name, frozenset()) | {origin}
            complete = here.issuperset(step.join)
            self.arrived = {**self.arrived, name: frozenset() if complete else here}
            if not complete:
                return
            joined = {other: self.outputs.get(other) for other in step.join}
            value = list(joined.values())
        if name in self.active:
            self.fail(name, f"it was reached again from {origin} while it was still under way")
            return
        number = self.visits.get(name, 0) + 1
        self.visits = {**self.visits, name: number}
        items: tuple[Any, ...] | None = None
        needs: tuple[tuple[int, ...], ...] = ()
        try:
            if joined is not None and step.merge is not None:
                value = merged(step.merge, joined)
            if step.each is not None:
                items = items_of(step.each, self.scope(name))
                needs = positions(items)
        except UnderstudyError as error:
            self.lead_on(step, str(error))
            return
        slots = _ONE_WAITING if items is None else Vector.of([WAITING] * len(items))
        self.entered += 1
        order = self.entered
        self.proceed(Visit(name, number, order, value, items, needs, slots, open=len(slots)))

    def proceed(self, visit: Visit) -> None:
        """Start what can be started of ``visit``, or close it when nothing is open."""
        step = self.graph.steps[visit.step]
        while visit.open and self.status == "running" and self.paused is None:
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
        if visit.needs:
            lost = [need for need in visit.needs[index] if self.lost(visit, index, need)]
            if lost:
                return self.refused(visit, index, f"it needs item {lost[0] + 1}, which brought nothing")
        try:
            command = command_for(self.run, step, visit, index, self.scope(step.name), self.at)
        except UnderstudyError as error:
            return self.refused(visit, index, str(error))
        if isinstance(command, Start):
            if self.graph.limits.bounded:
                up = self.used(self.graph.limits, Spent(self.messages, self.usage.tokens))
                if up is not None:
                    self.exceed(up)
                    return visit
            if self.graph.limits.agents and (up := self.charged(command)) is not None:
                self.exceed(up)
                return visit
            self.messages += 1
        self.commands.append(command)
        cursor = index + 1 if index == visit.cursor else visit.cursor
        slots = visit.slots.put(index, Slot("running", command))
        return evolve(visit, slots=slots, running=visit.running + 1, cursor=cursor)

    def charged(self, command: Start) -> str | None:
        """Count the message for its agent; what of the agent's budget is used up, where something is."""
        name = str(getattr(command.agent, "name", command.agent))
        budget = self.graph.limits.agents.get(name)
        if budget is None:
            return None
        so_far = self.spent.get(name, Spent())
        if (up := self.used(budget, so_far)) is not None:
            return f"{up} for {name}"
        self.spent = {**self.spent, name: evolve(so_far, messages=so_far.messages + 1)}
        return None

    def used(self, budget: Budget, spent: Spent) -> str | None:
        return used_up(budget, spent, self.granted)

    def refused(self, visit: Visit, index: int, error: str) -> Visit:
        """Close a slot whose effect cannot be started; it has a record all the same."""
        value, item = (visit.previous, None) if visit.items is None else (visit.items[index], index)
        record = StepRecord(visit.step, None, item, value, None, 0.0, 0, error, visit.number, visit.order)
        self.records = self.records.add(record)
        return self.closed(visit, index, None, error)

    def lost(self, visit: Visit, index: int, need: int) -> bool:
        return not 0 <= need < index or visit.slots[need].status == "failed"

    def closed(
        self, visit: Visit, index: int, output: Any, error: str | None, running: int | None = None
    ) -> Visit:
        """The visit with slot ``index`` settled; the first error is kept."""
        slot = Slot("failed" if error is not None else "done", None, output)
        if error is not None:
            error = visit.error or (f"item {index + 1}: {error}" if visit.items is not None else error)
        cursor = index + 1 if index == visit.cursor else visit.cursor
        slots = visit.slots.put(index, slot)
        running = visit.running if running is None else running
        return evolve(
            visit, slots=slots, open=visit.open - 1, cursor=cursor, running=running, error=error or visit.error
        )

    def failed(self, step: Step, visit: Visit) -> None:
        self.active.pop(step.name, None)
        anything = visit.items is None or any(slot.status == "done" for slot in visit.slots)
        if step.failure == "collect" and anything:
            self.done(step, visit)
            return
        if visit.running:
            running = (slot.start for slot in visit.slots if slot.status == "running")
            self.commands.append(Cancel(tuple(start.key for start in running if start is not None)))
        self.lead_on(step, visit.error or "")

    def lead_on(self, step: Step, error: str) -> None:
        """The step has failed finally: its ``on_error`` is led to; without one the run fails."""
        if step.on_error is None:
            self.fail(step.name, error)
            return
        value = {"step": step.name, "error": error}
        # None stands for what it would have given, as for an item that was collected.
        self.outputs = {**self.outputs, step.name: None, "error": value}
        if step.on_error != END:
            self.entering.append((step.on_error, step.name, value))

    def done(self, step: Step, visit: Visit) -> None:
        self.active.pop(step.name, None)
        outputs = [slot.output for slot in visit.slots]
        output = outputs[0] if visit.items is None else outputs
        self.outputs = {**self.outputs, step.name: output}
        self.last = output
        if step.into is not None:
            grown = self.lists[step.into]
            for each in outputs:
                grown = grown.add(each)
            self.lists = {**self.lists, step.into: grown}
        self.leave(step, output)

    def leave(self, step: Step, output: Any) -> None:
        """Take the first route that is open."""
        if not step.routes:
            return
        for number, route in enumerate(step.routes):
            used = self.taken.get((step.name, number), 0)
            try:
                closed = route.when is not None and not route.when.evaluate(self.scope())
            except UnderstudyError as error:
                self.fail(step.name, f"routes[{number}]: {error}")
                return
            if closed or (route.at_most is not None and used >= route.at_most):
                continue
            if route.at_most is not None:
                self.taken = {**self.taken, (step.name, number): used + 1}
            self.entering.extend((target, step.name, output) for target in route.targets if target != END)
            return
        self.fail(step.name, "no route is left: none has its condition true and its at_most unused")

    # How it ends.

    def go_on(self) -> None:
        """Enter the steps that were led to. With nothing under way the run is over, unless a join still waits."""
        while self.entering and self.status == "running":
            self.enter(*self.entering.popleft())
        if self.active or self.paused is not None or self.status != "running":
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
        scope = self.scope(whole=status == "completed")
        output, mistake = output_so_far(self.graph, scope, self.last)
        if mistake is not None and status == "completed":
            status, error = "failed", mistake
        self.status, self.output, self.error, self.paused = status, output, error, None
        self.active.clear()
        self.commands = [Finish(status, output, error)]

    def scope(self, reader: str = "", whole: bool = True) -> Scope:
        """What expressions of ``reader`` see; ``whole``: steps that the run has not come to are null."""
        own = {"input": self.input, "team": self.team}
        return Scope(own, self.outputs, self.lists, (lambda name: self.never(name, reader)) if whole else None)

    def never(self, name: str, reader: str) -> bool:
        """Whether the step ``name`` has not run, and nothing but ``reader`` that is under way can lead to it."""
        if name not in self.graph.steps or name in self.outputs:
            return False
        joining = (to for to, some in self.arrived.items() if some)
        under_way = {*self.active, *(to for to, _, _ in self.entering), *joining}
        leads = self.graph.roads.leads
        return not any(other == name or leads(other, name) for other in under_way - {reader, END})
