"""Members: the agents of a team, from the lines of its file to agents that can be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..agents.agent import Agent
from ..agents.messages import CastMember, Message
from ..agents.role import Context, Role, role_from_document, role_named
from ..agents.tools import open_tool
from ..core.errors import UnderstudyError
from . import forms
from .function_role import function_role, is_function
from .resources import Resources
from .roles import SHIPPED, RoleFinder, is_role_path, not_learned

if TYPE_CHECKING:
    from ..agents.gatherer import Decoder

OPTIONS = ("passages",)


@dataclass(frozen=True)
class Member:
    """One agent as the team's file describes it.

    Attributes:
        role: its role, without the head.
        head: the folder of its head; None while the role is not learned.
        learn_from: what ``understudy learn`` takes to learn it; "" where a registered function stands for the role.
        does: what the planner reads; None for the role's own words.
        tools: as in the file, ``{sql: path}``.
        options: its other settings (``passages``, ``history``), paths made absolute.
    """

    name: str
    role: Role
    head: Path | None = None
    learn_from: str = "ROLE.yaml"
    threshold: float = 0.0
    does: str | None = None
    tools: tuple[Mapping[str, str], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


def members_of(agents: Mapping[str, Any], finder: RoleFinder) -> dict[str, Member]:
    """The members that the ``agents`` of a checked team file describe. Raises UnderstudyError for an unknown role."""
    members = {}
    for name, written in agents.items():
        document = dict(forms.agent(written))
        if "call" in document:
            members[name] = Member(name, function_role(document["call"]), None, "", does=document.get("does"))
            continue
        role, head, learn_from = _role(str(document["role"]), finder)
        options = {key: document[key] for key in OPTIONS if key in document}
        if "history" in document:
            options["history"] = str((finder.base / document["history"]).absolute())
        members[name] = Member(
            name, role, head, learn_from, finder.threshold(head), document.get("does"),
            tuple(forms.tool(one) for one in document.get("tools", ())), options,
        )  # fmt: skip
    return members


def _role(written: str, finder: RoleFinder) -> tuple[Role, Path | None, str]:
    if is_role_path(written):
        file = finder.base / written
        role = Role.load(file)
        return role, finder.head(role.name), str(file)
    found = finder.find(written)
    if found is None:
        raise UnderstudyError(f"unknown role '{written}'", mend=finder.suggestion(written))
    document = found.document() if found.head is not None else {}
    if found.shipped and not document:
        return role_named(written), found.head, written
    return role_from_document(document, found.head or finder.base, where=str(found.head)), found.head, written


class TeamAgent(Agent):
    """An agent of a team: what it may look things up in is made ready when it is first asked."""

    def __init__(self, member: Member, resources: Resources, cast: Callable[[], tuple[CastMember, ...]]) -> None:
        super().__init__(member.name, member.role, member.role.name, resources, threshold=member.threshold)
        self.member = member
        self._resources = resources
        self._cast = cast
        if member.head is not None:
            resources.name_head(member.role.name, member.head)

    @property
    def does(self) -> str:
        """What the planner reads: the team's own words for it, else the role's."""
        return self.member.does or self.member.role.does

    @property
    def learned(self) -> bool:
        """Whether its role has a head, or needs none."""
        return is_function(self) or self._resources.has_head(self.head)

    async def handle(self, message: Message) -> Message:
        """See :meth:`Agent.handle`. Raises UnderstudyError as well where the role is not learned yet."""
        self.require_head()
        self._make_ready()
        return await super().handle(message)

    def played_by(self, decoder: Decoder, head: str = "", threshold: float = 0.0) -> Agent:
        """An agent of the same name, role, tools and knowledge whose calls ``decoder`` answers with the head ``head``.

        What is compared with the agent is played so: everything but the head, or what stands in its place, is the same.
        """
        self._make_ready()
        return Agent(self.name, self.member.role, head, decoder, self.context, threshold=threshold)

    def require_head(self) -> None:
        """Raise UnderstudyError, with what to do about it, where the role has no head."""
        if not self.learned:
            name = self.member.role.name
            what = f"the role '{name}' has not been learned"
            mend = not_learned(self.member.learn_from)
            if name in SHIPPED:
                what = f"there is no head for the role '{name}' on this backbone"
                mend = "use the default backbone, or train heads: understudy train roles --backbone …"
            raise UnderstudyError(what, where=f"agent {self.name}", mend=mend)

    def _make_ready(self) -> None:
        if self.context is None and not is_function(self):
            self.context = self._make_context()

    def _make_context(self) -> Context:
        opened = [open_tool(dict(tool), self._resources.base) for tool in self.member.tools]
        tools = {tool.name: tool for tool in opened}
        return Context(self._resources.store, tools, self._cast(), self.member.options)
