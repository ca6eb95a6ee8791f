"""From a team file to the team that it describes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..agents.messages import Message, Task
from ..agents.role_document import message_type_of
from .members import Member, members_of
from .references import planners
from .resources import Resources
from .roles import RoleFinder
from .schema import read_team
from .team import Team
from .team_graph import graph_of

if TYPE_CHECKING:
    from ..core.backbone import Backbone

REQUEST = {"request": "text"}


def load(kind: type[Team], path: str | Path, backbone: str | Backbone | None) -> Team:
    """The team of the file, made by ``kind``; see :meth:`Team.load`."""
    document = read_team(path)
    value, base = document.value, document.file.parent
    chosen = backbone if backbone is not None else str(value.get("backbone", "default"))
    finder = RoleFinder(base, chosen if isinstance(chosen, str) else chosen.name)
    members = members_of(value["agents"], finder)
    graph = graph_of(value, takes_of(value, members, str(document.file)))
    resources = Resources(chosen, base, value.get("knowledge"))
    return kind(value["team"], members, graph, resources, does=value.get("does", ""), file=document.file)


def takes_of(document: Mapping[str, Any], members: Mapping[str, Member], where: str) -> type[Message]:
    """The type of a run's input. Raises UnderstudyError for a field that no message can have."""
    alone = "workflow" not in document and not planners(document["agents"])
    if "input" not in document and alone:
        return next(iter(members.values())).role.takes
    fields = document.get("input", REQUEST)
    # A type of the package's own is known to every process that reads the journal, without the team's file.
    return Task if fields == REQUEST else message_type_of(f"{document['team']}.input", fields, where)
