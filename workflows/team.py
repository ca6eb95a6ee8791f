"""Team: agents with a head each on one backbone, and the workflow in which they answer a request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Unpack, overload

from ..core.errors import UnderstudyError
from .flow import Workflow, run_alone
from .refs import Ref
from .values import hint

if TYPE_CHECKING:
    from ..agents.messages import CastMember, Message
    from ..agents.role import Role
    from ..core.adaptation import Report
    from ..core.backbone import Backbone
    from ..core.bank import HeadBank
    from .diagram import Diagram
    from .events import Event
    from .graph import Graph
    from .learning import OnProgress
    from .members import Member, TeamAgent
    from .outcome import Result
    from .resources import Resources
    from .session import RunOptions


class Team:
    """Agents that share a backbone and a knowledge store, and the workflow in which they work.

    Made by :meth:`load` from a file, or by :meth:`of` in Python; :meth:`save` writes it as a file. Nothing heavy is
    loaded before the first agent is asked.

    Attributes:
        name: of the team.
        does: what it is for, in a sentence.
        file: where it was loaded from, or first saved; None for one that is in memory alone.
        text: of the file, as it was then.
        tests: requests with what they should come to, as in the file.
        resources: backbone, heads and knowledge.
    """

    def __init__(self, name: str, members: Mapping[str, Member], graph: Graph, resources: Resources, *,
                 does: str = "", file: Path | None = None, tests: Sequence[Any] = ()) -> None:
        from .members import TeamAgent

        self.name = name
        self.does = does
        self.file = file
        self.text: str | None = None
        self.tests = tuple(tests)
        self.resources = resources
        self._graph = graph
        self._agents = {key: TeamAgent(member, resources, lambda: self.cast) for key, member in members.items()}

    @classmethod
    def load(cls, path: str | Path, backbone: str | Backbone | None = None, *,
             allow: Iterable[str | Path] = ()) -> Team:
        """The team of a ``team.yaml``.

        ``backbone`` takes the place of the one that the file names. ``allow`` are folders in which the file, and those
        that it names, may name places; without them each may do so in its own folder only. Raises InvalidFile with
        every mistake in the file, each with its place.
        """
        from .team_file import load

        team = load(cls, path, backbone, allow)
        team.text = Path(path).read_text(encoding="utf-8-sig")
        return team

    @classmethod
    def of(
        cls,
        name: str,
        workflow: Workflow | None = None,
        agents: Mapping[str, Any] | None = None,
        *,
        does: str = "",
        knowledge: Mapping[str, Any] | None = None,
        tests: Sequence[Any] = (),
        backbone: str | Backbone = "default",
        folder: str | Path = ".",
        allow: Iterable[str | Path] = (),
    ) -> Team:
        """A team composed in Python.

        Args:
            workflow: its steps name the agents; None for what is meant without one: a planner plans and the others
                work, or the only agent answers. Where it does not say what it takes, that is a Task.
            agents: by name a Role, the name of a shipped or learned one, the path of a ``role.yaml``, or a mapping as
                in a team file: ``{"role": "qa", "passages": 5}``.
            knowledge: as in a team file: ``{"add": ["notes/*.md"]}``.
            tests: as in a team file, for ``understudy test``.
            folder: to which paths are relative.
            allow: other folders that paths may lead to.

        Raises UnderstudyError for a role or file that is not there, and for the first mistake in the workflow.
        """
        from .places import allowed
        from .resources import Resources
        from .team_composition import composed

        resources = Resources(backbone, Path(folder), knowledge, allowed(allow))
        return composed(cls, name, workflow, agents or {}, resources, does, tests)

    def save(self, path: str | Path) -> Path:
        """Write the team as a ``team.yaml`` that loads the same: agents, workflow, limits, output, knowledge, tests.

        A file that it was loaded from, or that has it already, keeps its comments, its order and all that is the same.
        Roles that have no file are written into ``roles/`` beside it, and heads learned here into ``heads/``. All of it
        is written, or nothing.

        Raises UnderstudyError for what a file cannot say, such as a function that is not registered, and how to mend
        it; for a file that it must not write over; and where the file was changed since it was loaded.
        """
        from .saving import save

        return save(self, path)

    @overload
    def __getitem__(self, name: str) -> TeamAgent: ...
    @overload
    def __getitem__(self, name: Ref) -> Ref: ...
    def __getitem__(self, name: str | Ref) -> TeamAgent | Ref:
        """The agent ``name``; a Ref stays one, for agents that are chosen while a workflow runs."""
        if isinstance(name, Ref):
            return name
        if name not in self._agents:
            raise UnderstudyError(f"there is no agent '{name}'", where=self.name, mend=hint(name, self._agents))
        return self._agents[name]

    def __contains__(self, name: object) -> bool:
        return name in self._agents

    @property
    def agents(self) -> Mapping[str, TeamAgent]:
        """The agents by name."""
        return MappingProxyType(self._agents)

    @property
    def cast(self) -> tuple[CastMember, ...]:
        """Those whom a plan may give steps to: the agents that take a Task."""
        from ..agents.messages import CastMember
        from .cast import cast_of

        return tuple(member for member in cast_of(self._agents) if isinstance(member, CastMember))

    @property
    def workflow(self) -> Workflow:
        """The workflow of the team, with its agents.

        It is made anew each time; one that is assigned takes its place. Raises WorkflowError for its first mistake.
        """
        return Workflow.of(self._graph, self._agents)

    @workflow.setter
    def workflow(self, workflow: Workflow) -> None:
        from .team_composition import graph_in, require

        graph = graph_in(workflow, self.name, self._agents, self.takes)
        require(graph, self._agents)
        self._graph = graph

    @property
    def graph(self) -> Graph:
        """The workflow as a frozen graph."""
        return self._graph

    def diagram(self, inside: bool = False) -> Diagram:
        """A picture of the workflow, as Mermaid and as SVG; ``inside``: with the steps of teams that are steps."""
        return self._graph.diagram(inside)

    def add(self, name: str, agent: Any) -> TeamAgent:
        """Have ``agent`` join the team, or take the place of the one of its name; see ``agents`` of :meth:`of`."""
        from .members import TeamAgent
        from .team_composition import members_in

        (member,) = members_in({name: agent}, self.resources).values()
        self._agents[name] = TeamAgent(member, self.resources, lambda: self.cast)
        return self._agents[name]

    @property
    def takes(self) -> type[Message]:
        """The type of message that a run begins with."""
        assert self._graph.takes is not None
        return self._graph.takes

    @property
    def backbone(self) -> Backbone:
        """The backbone; loaded when it is first asked for."""
        return self.resources.backbone

    @property
    def bank(self) -> HeadBank:
        """The heads in use, by role."""
        return self.resources.bank

    def message(self, request: str | Mapping[str, Any] | Message) -> Message:
        """The message that a run begins with, from its fields, or from a text where it has one field.

        Raises UnderstudyError with the field that is missing, unknown or of the wrong type.
        """
        from ..agents.requests import message_from

        return message_from(self.takes, request, self.name)

    async def run(self, request: str | Mapping[str, Any] | Message, *, run_id: str | None = None,
                  **options: Unpack[RunOptions]) -> Result:
        """Answer a request.

        Args:
            request: a text, the fields of the team's input, or a message.
            run_id: a name for the run; made up where it is None.
            options: ``journal`` to keep the run in, so that it can be resumed, ``on_event`` and more: see
                :class:`..session.RunOptions`.

        Raises:
            UnderstudyError: the request does not fit, or a role of the team has not been learned.
        """
        message = self.message(request)
        self.require_heads()
        return await self.workflow.run(message, run_id=run_id, team=self._scope(), **options)

    def run_sync(self, request: str | Mapping[str, Any] | Message, **options: Any) -> Result:
        """As :meth:`run`, outside any event loop."""
        return run_alone(self.run(request, **options), "team.run(…)")

    async def resume(self, run: str, *, changed: bool = False, answers: Mapping[str, Any] | None = None,
                     **options: Unpack[RunOptions]) -> Result:
        """Go on with a run that was cut off, or that waits for ``answers``; what is recorded is not done again.

        Raises UnderstudyError where there is no such run, or where the workflow is not the one it began with
        (unless ``changed``).
        """
        self.require_heads()
        return await self.workflow.resume(run, changed=changed, answers=answers, **options)

    async def fork(self, run: str, step: str | None = None, **options: Any) -> Result:
        """A new run that shares what ``run`` did before ``step``: see :meth:`Workflow.fork`."""
        self.require_heads()
        return await self.workflow.fork(run, step, **options)

    def fork_sync(self, run: str, step: str | None = None, **options: Any) -> Result:
        """As :meth:`fork`, outside any event loop."""
        return run_alone(self.fork(run, step, **options), "team.fork(…)")

    def resume_sync(self, run: str, **options: Any) -> Result:
        """As :meth:`resume`, outside any event loop."""
        return run_alone(self.resume(run, **options), "team.resume(…)")

    def stream(self, request: str | Mapping[str, Any] | Message, **options: Any) -> AsyncIterator[Event | Result]:
        """The events of a run as they happen, and its result as the last."""
        message = self.message(request)
        self.require_heads()
        return self.workflow.stream(message, team=self._scope(), **options)

    def learn(self, role: Role, on_progress: OnProgress | None = None, *, save: str | Path | None = None) -> Report:
        """Learn ``role`` from its demonstrations; it is usable at once, under its name.

        The agents of the team that have the role get the new head; where there is none, one joins the team. Nothing
        is written unless ``save`` names a folder of heads (such as ``heads``); the head goes into it under the
        role's name, where every team beside it finds it.

        Raises UnderstudyError as :func:`..learning.learn` does.
        """
        from .learning import learn
        from .members import Member, TeamAgent

        head, report = learn(role, self.backbone, on_progress)
        folder = None if save is None else Path(save) / role.name
        if folder is not None:
            head.save(folder)
        self.resources.put_head(head)
        mine = [agent for agent in self._agents.values() if agent.member.role.name == role.name]
        if not mine and role.name in self._agents:
            raise UnderstudyError(f"another agent is called '{role.name}'", where=self.name, mend="rename the role")
        for name in [agent.name for agent in mine] or [role.name]:
            former = self._agents[name].member if name in self._agents else Member(name, role)
            member = replace(former, role=role, threshold=head.threshold, head=None)
            self._agents[name] = TeamAgent(member, self.resources, lambda: self.cast)
        return report

    def require_heads(self) -> None:
        """Raise UnderstudyError for the first agent whose role has not been learned, with how to learn it."""
        for agent in self._agents.values():
            agent.require_head()

    def make_ready(self) -> None:
        """Load the backbone and the knowledge now rather than at the first question; nothing where no agent has a head.

        Raises UnderstudyError where the backbone cannot be loaded or a file of the knowledge cannot be read.
        """
        from .child_runs import teams
        from .function_role import is_function

        for team in (self, *teams(self._graph)):
            if any(not is_function(agent) for agent in team.agents.values()):
                team.resources.make_ready()

    def close(self) -> None:
        """Close the knowledge store, and those of the teams that do steps."""
        from .child_runs import teams

        for team in (self, *teams(self._graph)):
            team.resources.close()

    def __repr__(self) -> str:
        return f"Team({self.name!r}, agents={list(self._agents)})"

    def _scope(self) -> dict[str, Any]:
        return {"name": self.name, "does": self.does, "cast": self.cast}


__all__ = ["Team"]
