"""From a team file to the team that it describes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..agents.messages import Message, Task
from ..agents.role_document import message_type_of
from .meant import REQUEST, planners
from .members import Member, members_of
from .resources import Resources
from .roles import RoleFinder
from .schema import read, read_team
from .team import Team
from .team_graph import graph_of
from .team_patterns import Player, flows_of
from .yaml_document import YamlDocument

if TYPE_CHECKING:
    from ..core.backbone import Backbone


def load(kind: type[Team], path: str | Path, backbone: str | Backbone | None, allow: Iterable[str | Path]) -> Team:
    """The team of the file, made by ``kind``; see :meth:`Team.load`."""
    return team_of(read_team(path, allow), backbone, kind, {})


def team_of(document: YamlDocument, backbone: str | Backbone | None, kind: type[Team],
            family: dict[Path, Team]) -> Team:
    """The team of a document in which, and in the files that it names, no mistake was found.

    ``family``: the teams that were made before, by their files; this one and those of its steps are added.
    """
    value, base = document.value, document.file.parent
    chosen = backbone if backbone is not None else str(value.get("backbone", "default"))
    finder = RoleFinder(base, chosen if isinstance(chosen, str) else chosen.name)
    members = members_of(value.get("agents", {}), finder)
    steps = value.get("workflow", {}).get("steps", {})
    paths = [step["team"] for step in steps.values() if "team" in step]
    teams = teams_of(paths, document, backbone, kind, family)
    takes = takes_of(value, members, str(document.file))
    players = {name: Player(name, member.role, member.does) for name, member in members.items()}
    graph = graph_of(value, takes, teams, flows_of(value, players, takes))
    resources = resources_of(Resources(chosen, base, value.get("knowledge"), document.allow), family.values())
    made = kind(value["team"], members, graph, resources, does=value.get("does", ""), file=document.file,
                tests=value.get("tests", ()))
    family[document.file.resolve()] = made
    return made


def teams_of(paths: Iterable[str], document: YamlDocument, backbone: str | Backbone | None, kind: type[Team],
             family: dict[Path, Team]) -> dict[str, Team]:
    """The teams that do steps, by the paths that ``document`` has for them, in which no mistake was found.

    See :func:`team_of`.
    """
    base = document.file.parent
    return {
        path: family.get((base / path).resolve()) or team_of(read(base / path, document.allow), backbone, kind, family)
        for path in dict.fromkeys(paths)
    }


class Lent(Resources):
    """Resources of a team whose backbone is that of another team as well, and is loaded once for both."""

    def __init__(self, mine: Resources, lender: Resources) -> None:
        super().__init__(mine.source, mine.base, mine.knowledge, mine.allow)
        self.lender = lender

    @property
    def backbone(self) -> Backbone:
        """The backbone; loaded when the first of the teams asks for it."""
        return self.lender.backbone


def resources_of(mine: Resources, family: Iterable[Team]) -> Resources:
    """``mine``, or the same on the backbone that one of the ``family`` has."""
    lender = next((team.resources for team in family if _model(team.resources) == _model(mine)), None)
    return mine if lender is None else Lent(mine, lender)


def _model(resources: Resources) -> Any:
    return resources.beside.resolve() if resources.beside else resources.source


def takes_of(document: Mapping[str, Any], members: Mapping[str, Member], where: str) -> type[Message]:
    """The type of a run's input. Raises UnderstudyError for a field that no message can have."""
    alone = "workflow" not in document and not planners(document.get("agents", {}))
    if "input" not in document and alone:
        return next(iter(members.values())).role.takes
    fields = document.get("input", REQUEST)
    # A type of the package's own is known to every process that reads the journal, without the team's file.
    return Task if fields == REQUEST else message_type_of(f"{document['team']}.input", fields, where)
