"""Team: agents with a head each on one backbone, and the workflow in which they answer a request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, overload

from ..agents.messages import CastMember, Message, Task
from ..agents.requests import message_from
from ..agents.role_document import message_type_of
from ..core.errors import UnderstudyError
from .events import Event
from .flow import Workflow, run_alone
from .graph import Graph
from .learning import OnProgress, learn
from .members import Member, TeamAgent, members_of
from .references import planners
from .refs import Ref
from .resources import Resources
from .roles import RoleFinder
from .runner import cast_of
from .schema import read_team
from .team_graph import graph_of
from .values import hint

if TYPE_CHECKING:
    from ..agents.role import Role
    from ..core.adaptation import Report
    from ..core.backbone import Backbone
    from ..core.bank import HeadBank
    from .journal import Journal
    from .outcome import Result

REQUEST = {"request": "text"}


class Team:
    """Agents that share a backbone and a knowledge store, and the workflow in which they work.

    Made by :meth:`load`. Nothing heavy is loaded before the first agent is asked.

    Attributes:
        name: of the team.
        does: what it is for, in a sentence.
        file: where it was loaded from.
        resources: backbone, heads and knowledge.
    """

    def __init__(self, name: str, members: Mapping[str, Member], graph: Graph, resources: Resources, *,
                 does: str = "", file: Path | None = None) -> None:
        self.name = name
        self.does = does
        self.file = file
        self.resources = resources
        self._graph = graph
        self._agents = {key: TeamAgent(member, resources, lambda: self.cast) for key, member in members.items()}

    @classmethod
    def load(cls, path: str | Path, backbone: str | Backbone | None = None) -> Team:
        """The team of a ``team.yaml``.

        ``backbone`` takes the place of the one that the file names. Raises InvalidFile with every mistake in the
        file, each with its place.
        """
        document = read_team(path)
        value, base = document.value, document.file.parent
        chosen = backbone if backbone is not None else str(value.get("backbone", "default"))
        finder = RoleFinder(base, chosen if isinstance(chosen, str) else chosen.name)
        members = members_of(value["agents"], finder)
        graph = graph_of(value, takes_of(value, members, str(document.file)))
        resources = Resources(chosen, base, value.get("knowledge"))
        return cls(value["team"], members, graph, resources, does=value.get("does", ""), file=document.file)

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
        return tuple(member for member in cast_of(self._agents) if isinstance(member, CastMember))

    @property
    def workflow(self) -> Workflow:
        """The workflow of the team, with its agents."""
        return Workflow.of(self._graph, self._agents)

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
        return message_from(self.takes, request, self.name)

    async def run(self, request: str | Mapping[str, Any] | Message, *, journal: Journal | str | Path | None = None,
                  run_id: str | None = None, on_event: Callable[[Event], None] | None = None) -> Result:
        """Answer a request.

        Args:
            request: a text, the fields of the team's input, or a message.
            journal: where the run is kept, so that it can be resumed; in memory where it is None.
            on_event: told of every event.

        Raises:
            UnderstudyError: the request does not fit, or a role of the team has not been learned.
        """
        message = self.message(request)
        self.require_heads()
        return await self.workflow.run(message, journal=journal, run_id=run_id, on_event=on_event, team=self._scope())

    def run_sync(self, request: str | Mapping[str, Any] | Message, **options: Any) -> Result:
        """As :meth:`run`, outside any event loop."""
        return run_alone(self.run(request, **options), "team.run(…)")

    async def resume(self, run: str, *, journal: Journal | str | Path, changed: bool = False,
                     on_event: Callable[[Event], None] | None = None) -> Result:
        """Go on with a run that was cut off; what is recorded is not done again.

        Raises UnderstudyError where there is no such run, or where the workflow is not the one it began with
        (unless ``changed``).
        """
        self.require_heads()
        return await self.workflow.resume(run, journal=journal, on_event=on_event, changed=changed)

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
        """Load the backbone and the knowledge now rather than at the first question.

        Raises UnderstudyError where the backbone cannot be loaded or a file of the knowledge cannot be read.
        """
        self.resources.make_ready()

    def close(self) -> None:
        """Close the knowledge store."""
        self.resources.close()

    def __repr__(self) -> str:
        return f"Team({self.name!r}, agents={list(self._agents)})"

    def _scope(self) -> dict[str, Any]:
        return {"name": self.name, "does": self.does, "cast": self.cast}


def takes_of(document: Mapping[str, Any], members: Mapping[str, Member], where: str) -> type[Message]:
    """The type of a run's input. Raises UnderstudyError for a field that no message can have."""
    alone = "workflow" not in document and not planners(document["agents"])
    if "input" not in document and alone:
        return next(iter(members.values())).role.takes
    fields = document.get("input", REQUEST)
    # A type of the package's own is known to every process that reads the journal, without the team's file.
    return Task if fields == REQUEST else message_type_of(f"{document['team']}.input", fields, where)


__all__ = ["Team"]
