"""Staging: a workflow with the scripts of a test in place of its agents and steps, also in workflows that are steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..agents.agent import Agent
from ..agents.messages import Message
from ..core.errors import UnderstudyError
from ..workflows.cast import cast_of
from ..workflows.child_runs import Inner
from ..workflows.flow import Workflow
from ..workflows.function_role import is_function
from ..workflows.graph import Graph
from ..workflows.values import hint
from .clock import FakeClock
from .scripted import ScriptedAgent


@dataclass(frozen=True)
class StagedTeam:
    """Stands for a team: its workflow with scripts in it. It needs no heads."""

    name: str
    does: str
    takes: type[Message] | None
    cast: tuple[Message, ...]
    workflow: Workflow

    def require_heads(self) -> None:
        """Nothing is required."""


@dataclass
class Staging:
    """Puts agents, and functions for steps, in their places.

    A name stands for every agent or step of that name; with the steps that lead to a workflow before it, as in
    ``report/coder``, for the one there. Agents that a model plays, and that are not given, get an empty script; those
    that are registered functions stand by themselves.

    Attributes:
        agents: by name: agents, lists of replies, or functions of the message.
        steps: functions by the names of steps.
        clock: waits for agents that a model plays.
        cast: what was put in place, by its name, or by the way to it.
    """

    agents: Mapping[str, Any]
    steps: Mapping[str, Callable[..., Any]]
    clock: FakeClock
    cast: dict[str, Any] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)
    _known: dict[str, None] = field(default_factory=dict)

    def staged(self, doer: Any, where: str) -> Workflow | StagedTeam:
        """``doer``, a workflow or a team, with all in its place.

        Raises UnderstudyError for what has no place, or a reply that is not of the type that its agent gives.
        """
        for name, given in self.agents.items():
            self.cast[name] = given if hasattr(given, "handle") else ScriptedAgent(name, given)
        functions: dict[str, Any] = {**self.steps}
        for name, function in functions.items():
            if not callable(function):
                what = f"what is given for the step '{name}' cannot be called"
                raise UnderstudyError(what, where=where, mend="give a function")
        made: Workflow | StagedTeam = self._inside(doer, "", ())
        for kind, given in (("agent", self.agents), ("step", self.steps)):
            for name in given:
                if f"{kind} {name}" not in self._used:
                    known = [one.removeprefix(f"{kind} ") for one in self._known if one.startswith(f"{kind} ")]
                    raise UnderstudyError(f"there is no {kind} '{name}'", where=where, mend=hint(name, known))
        return made

    def _inside(self, doer: Any, way: str, within: tuple[Any, ...]) -> Any:
        if any(doer is outer for outer in within):
            return doer  # a workflow within itself: told by the checks before the run
        inner = Inner.of(doer)
        graph = inner.flow.graph()
        steps = {}
        for name, step in graph.steps.items():
            if (function := self._given("step", self.steps, way + name)) is not None:
                step = replace(
                    step, call=function, agent=None, agent_from=None, workflow=None, ask=None, sleep=None
                )
            elif step.workflow is not None:
                step = replace(step, workflow=self._inside(step.workflow, f"{way}{name}/", (*within, doer)))
            steps[name] = step
        agents = self._agents(graph, inner.flow.agents, way)
        flow = Workflow.of(replace(graph, steps=steps), agents)
        if inner.team is None:
            return flow
        team = inner.team
        return StagedTeam(team["name"], team["does"], getattr(doer, "takes", None), cast_of(agents), flow)

    def _agents(self, graph: Graph, own: Mapping[str, Any], way: str) -> dict[str, Any]:
        named = dict.fromkeys([*own, *(step.agent for step in graph.steps.values() if step.agent is not None)])
        if any(step.agent_from is not None for step in graph.steps.values()):
            named |= dict.fromkeys(name for name in self.agents if "/" not in name)  # any may be chosen
        agents = dict(own)
        for name in named:
            given, former = self._given("agent", self.agents, way + name), own.get(name)
            if given is not None:
                agents[name] = self._put(given, former)
            elif isinstance(former, Agent) and not is_function(former):
                agents[name] = self.cast[way + name] = self._bound(ScriptedAgent(way + name, []), former)
        return agents

    def _put(self, key: str, former: Any) -> Any:
        one = self.cast[key]
        if isinstance(one, ScriptedAgent) and former is not None:
            self._bound(one, former)
        elif isinstance(one, Agent):
            self.cast[key] = one = in_real_time(one, self.clock)
        return one

    def _bound(self, agent: ScriptedAgent, former: Any) -> ScriptedAgent:
        agent.bind(getattr(former, "takes", None), getattr(former, "gives", None), getattr(former, "does", ""))
        return agent

    def _given(self, kind: str, given: Mapping[str, Any], path: str) -> Any:
        """What is given for ``path``: of agents the name that it goes by, of steps the function."""
        self._known[f"{kind} {path}"] = None
        name = best(given, path)
        if name is None:
            return None
        self._used.add(f"{kind} {name}")
        return name if kind == "agent" else given[name]


def in_real_time(agent: Agent, clock: FakeClock) -> Any:
    """``agent``, for whom the clock waits while a model computes; a function's time is that of the clock."""
    return agent if is_function(agent) else _RealTime(agent, clock)


class _RealTime:
    """An agent that a model plays, in real time: the clock waits for it."""

    def __init__(self, agent: Agent, clock: FakeClock) -> None:
        self._agent = agent
        self._clock = clock

    async def handle(self, message: Message) -> Message:
        with self._clock.held():
            return await self._agent.handle(message)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._agent, name)


def best(names: Iterable[str], path: str) -> str | None:
    """The longest of ``names`` that is ``path`` or its end: ``report/draft`` before ``draft``."""
    fitting = [name for name in names if path == name or path.endswith(f"/{name}")]
    return max(fitting, key=len, default=None)


def paths(graph: Graph, asking: bool = False) -> Iterator[str]:
    """The steps of ``graph``, and those of workflows that are steps, with the way to them; only those ``asking``."""
    for name, step in graph.steps.items():
        if step.ask is not None or not asking:
            yield name
        if step.workflow is not None:
            for inner in paths(Inner.of(step.workflow).flow.graph(), asking):
                yield f"{name}/{inner}"
