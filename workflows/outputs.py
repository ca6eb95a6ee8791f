"""Outputs: the kind of what each step of a graph gives, of what it is led to with, and of the names that it sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..agents.messages import Message
from .annotations import Signature, signature_of
from .expressions import Expression
from .fitting import field_kinds
from .graph import END, Graph, Step
from .inference import kind_of_expression
from .kinds import (
    ANYTHING,
    NONE,
    TEXT,
    WHOLE,
    Fields,
    Kind,
    Many,
    Plain,
    Row,
    kind_of_value,
    members,
    one_of,
)
from .merged_kinds import merged_kind

ERROR = Fields((("step", TEXT), ("error", TEXT)))
"""What a step is given that ``on_error`` leads to."""


@dataclass(frozen=True)
class Arrival:
    """What a step is led to with: ``origins`` are the steps from which, () of the run's input.

    Attributes:
        kind: of the value.
        certain: whether it comes as soon as the origins have ended.
        mistake: why it cannot be made, where outputs are merged.
    """

    origins: tuple[str, ...]
    kind: Kind
    certain: bool = True
    failed: bool = False
    mistake: str = ""

    def __str__(self) -> str:
        if not self.origins:
            return "the input"
        if len(self.origins) > 1:
            return f"the join of {' and '.join(self.origins)}"
        return f"the error of step {self.origins[0]}" if self.failed else f"step {self.origins[0]}"


class Outputs:
    """The kinds of a graph's values. ``agents``: those that are known, by name; ``within``: what it is a step of."""

    def __init__(self, graph: Graph, agents: Mapping[str, Any], within: tuple[Any, ...] = ()) -> None:
        self.graph = graph
        self.agents = agents
        self._within = within
        self._children: dict[int, Kind] = {}
        self._given: dict[str, Kind] = {}
        self._signatures: dict[str, Signature] = {}
        self._comers: dict[str, list[tuple[str, bool, bool]]] = {name: [] for name in graph.steps}
        for name, step in graph.steps.items():
            self._lead(name, step)

    def _lead(self, name: str, step: Step) -> None:
        seen = set()
        for number, route in enumerate(step.routes):
            for to in route.targets:
                if to in self._comers and to not in seen:
                    seen.add(to)
                    self._comers[to].append((name, number == 0 and route.when is None, False))
        if step.on_error in self._comers:
            self._comers[step.on_error].append((name, False, True))

    def signature(self, step: Step) -> Signature:
        """What the function of ``step`` says of itself."""
        if step.name not in self._signatures:
            self._signatures[step.name] = signature_of(step.call) if step.call is not None else Signature()
        return self._signatures[step.name]

    def of(self, name: str) -> Kind:
        """What the step gives. What depends on itself is not known."""
        if name not in self._given:
            self._given[name] = ANYTHING
            self._given[name] = self._of(self.graph.steps[name])
        return self._given[name]

    def _of(self, step: Step) -> Kind:
        one = self._one(step)
        if step.failure == "collect":
            one = one_of((one, NONE))
        return one if step.each is None else Many(one)

    def _one(self, step: Step) -> Kind:
        """What the step gives, or gives for one item."""
        if step.call is not None:
            return self.signature(step).gives
        if step.agent is not None:
            return gives_of(self.agents.get(step.agent))
        if step.ask is not None:
            if step.ask.gives is not None:
                return Plain(step.ask.gives)
            return one_of(kind_of_value(choice) for choice in step.ask.choices)
        if step.sleep is not None:
            return self.item(step) if step.each is not None else one_of(one.kind for one in self.arriving(step))
        if step.workflow is not None:
            return self._of_workflow(step.workflow)
        return ANYTHING

    def _of_workflow(self, doer: Any) -> Kind:
        """What a workflow or a team gives as a step; one within itself is told of elsewhere, and gives ANYTHING."""
        if any(doer is outer for outer in self._within):
            return ANYTHING
        if id(doer) not in self._children:
            try:
                flow = getattr(doer, "workflow", doer)
                inner = Outputs(flow.graph(), {**self.agents, **flow.agents}, (*self._within, doer))
            except Exception:  # told where the child itself is checked
                return ANYTHING
            self._children[id(doer)] = inner.result if flow is doer or inner.graph.output else ANYTHING
        return self._children[id(doer)]

    @property
    def result(self) -> Kind:
        """What a run gives where it is a step of another."""
        if self.graph.limits.on_exceed != "stop":
            return ANYTHING  # it may end with a part of its output
        return self.output if self.graph.output else self.last

    @property
    def output(self) -> Kind:
        """The kind of a run's output."""
        return Fields(tuple((key, self.read(one)) for key, one in self.graph.output.items()))

    @property
    def last(self) -> Kind:
        """The kind of what the step gives that ends a run, where branches do not race for it."""
        steps = self.graph.steps.values()
        forks = any(len(route.targets) > 1 for step in steps for route in step.routes)
        if forks or any(step.on_error == END for step in steps):
            return ANYTHING
        return one_of(self.of(step.name) for step in steps if END in (step.onward or (END,)))

    def read(self, expression: Expression, step: Step | None = None, mistake: Any = None) -> Kind:
        """The kind of an expression of ``step``, of one item where it has them. ``mistake`` is told what is wrong."""
        return kind_of_expression(expression, self.names(step), mistake or _unheard)

    def names(self, step: Step | None) -> Callable[[str], Kind]:
        """The kind of each name that the expressions of ``step`` see; None: those outside any."""

        def named(name: str) -> Kind:
            if name == "input":
                return self.input
            if name == "index" and step is not None and step.each is not None:
                return WHOLE
            if name == "item" and step is not None and step.each is not None:
                return _shown(self.item(step))
            if name == "error" and self.graph.guarded:
                return one_of((ERROR, NONE))
            if name in self.graph.lists:
                return self.grown(name)
            return self.of(name) if name in self.graph.steps else ANYTHING

        return named

    @property
    def input(self) -> Kind:
        """The kind of the run's input."""
        return ANYTHING if self.graph.takes is None else Plain(self.graph.takes)

    def item(self, step: Step) -> Kind:
        """The kind of the items of an ``each``."""
        assert step.each is not None
        return one_of(
            part.item if isinstance(part, Many) else one_of(part.items) if isinstance(part, Row) else ANYTHING
            for part in members(self.read(step.each))
        )

    def grown(self, name: str) -> Kind:
        """The kind of a growing list."""
        kinds = []
        for step in self.graph.steps.values():
            if step.into == name:
                kind = self.of(step.name)
                kinds.append(kind.item if step.each is not None and isinstance(kind, Many) else kind)
        return Many(one_of(kinds), Sequence)

    def arriving(self, step: Step) -> list[Arrival]:
        """What the step may be led to with."""
        found = [Arrival((), self.input)] if step.name in self.graph.first else []
        if len(step.join) > 1:
            given = {name: self._joined(name, step) for name in step.join if name in self.graph.steps}
            if step.merge is None:
                return [*found, Arrival(step.join, Row(tuple(given.values()), list))]
            kind, mistake = merged_kind(step.merge, given)
            return [*found, Arrival(step.join, kind, mistake=mistake)]
        for name, certain, failed in self._comers[step.name]:
            kind = ERROR if failed else self.of(name)
            found.append(Arrival((name,), kind, certain, failed))
        return found

    def _joined(self, name: str, step: Step) -> Kind:
        """What ``step`` finds of ``name``, which it joins: None where that has failed and leads there by on_error."""
        kind = self.of(name)
        return one_of((kind, NONE)) if self.graph.steps[name].on_error == step.name else kind


def gives_of(agent: Any) -> Kind:
    """What an agent answers with, by its ``gives`` or what its ``handle`` says."""
    gives = _said(agent, "gives")
    if isinstance(gives, type):
        return Plain(gives) if issubclass(gives, Message) else ANYTHING
    return ANYTHING if (handle := _said(agent, "handle")) is None else signature_of(handle).gives


def takes_of(agent: Any) -> type[Message] | None:
    """The type of message that an agent or a workflow takes; None where it does not say."""
    takes = _said(agent, "takes")
    return takes if isinstance(takes, type) and issubclass(takes, Message) else None


def types_of(agents: Mapping[str, Any]) -> frozenset[Any]:
    """What is known of the types of ``agents``: checks of a graph with equal ones are equal."""
    return frozenset((name, type(one), takes_of(one), _type(_said(one, "gives"))) for name, one in agents.items())


def _type(said: Any) -> type | None:
    return said if isinstance(said, type) else None


def _said(agent: Any, name: str) -> Any:
    try:
        return getattr(agent, name, None)
    except Exception:  # a property of somebody else's
        return None


def _unheard(what: str, mend: str) -> None:
    return None


def _shown(item: Kind) -> Kind:
    """What expressions see as ``item``: of one with ``needs`` these are what the needed items gave."""
    parts: list[Kind] = []
    for part in members(item):
        fields = field_kinds(part.cls) if isinstance(part, Plain) else {}
        if isinstance(part, Fields):
            fields = dict(part.fields)
        shown = Fields(tuple({**fields, "needs": ANYTHING}.items()), name=str(part))
        parts.append(shown if "needs" in fields else part)
    return one_of(parts)
