"""Meaning: what is wrong with a file in which every part is right: types that do not fit, loops without a limit.

What loads the file is tried, so that a file without problems is a file that loads. Of a team in which something else is
wrong, the rest is looked at all the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import UnderstudyError
from .roles import RoleFinder
from .shapes import Report
from .team_graph import WHOLE
from .team_patterns import Player, named, pattern_flow, patterns_in, takes_of
from .yaml_document import KeyPath

if TYPE_CHECKING:
    from ..agents.messages import Message
    from .members import Member
    from .pattern_graph import PatternFlow
    from .team import Team

PARTS = re.compile(r"[^.\[\]]+|\[\d+\]")
ARGUMENT = re.compile(r"\b(after|input|merge|retry|when)=([\w\[{]?)")
"""How a keyword of Python is written where a problem of the graph says what to write."""
WORKFLOW = re.compile(r"\bworkflow (?=\S+ (?:takes|needs)\b)")
"""Who does a step, where a workflow does; in a file it is a team or a pattern."""
BRANCHES = ("make the branches one workflow that is a step, with its on_error",
            "put the branches into a team of their own, which a step does with team: PATH and on_error")


def check_role(role: Mapping[str, Any], report: Report) -> None:
    """Report what keeps the role of a document from being loaded or learned."""
    from ..agents.role import role_from_document

    file = report.document.file
    try:
        role_from_document(role, file.parent, where=file.name).examples()
    except UnderstudyError as error:
        path: KeyPath = ("demonstrations",) if "demonstration" in (error.where or "") else ()
        report.add(path, error.what, suggestion=error.mend)


class Unknown:
    """Stands for an agent of which nothing is known."""

    def __init__(self, name: str) -> None:
        self.name = name


def check_team(team: Mapping[str, Any], report: Report, unsound: Collection[KeyPath], family: dict[Path, Team]) -> None:
    """Report what keeps the team of a document from being loaded or run.

    Of a document with mistakes what is right in it is looked at. ``unsound``: where it names files that have mistakes
    themselves; ``family``: the teams of those that have none, as far as they were made.
    """
    from .salvage import Salvaged, hopeless

    if hopeless(report):
        return
    members = _members(team, report, unsound)
    teams = _teams(team, report, unsound, family)
    takes = _takes(team, members, report)
    patterns = _patterns(team, members, takes, report)
    try:
        found = Salvaged(team, report, takes, teams, patterns)
    except UnderstudyError as error:
        report.add((), error.what, why=error.where or "", suggestion=error.mend)
        return
    if found.graph is None:
        return
    agents = {name: members[name].role if name in members else Unknown(name) for name in team.get("agents", {})}
    for problem in found.graph.check(agents):
        path = graph_path(problem.path)
        inside = path[2:3] == ("workflow",) and len(path) > 3  # the mistakes of a team are those of its own file
        if found.holds(path) and not inside:
            step = team.get("workflow", {}).get("steps", {}).get(path[1]) if len(path) > 1 else None
            what = WORKFLOW.sub("team " if "team" in (step or ()) else "the pattern of step ", problem.what)
            mend = ARGUMENT.sub(lambda found: f"{found[1]}: {found[2]}".rstrip(), problem.suggestion)
            report.add(written_path(path, team), what, why=problem.why, suggestion=mend.replace(*BRANCHES))
    for step, path, _ in patterns_in(team):
        for problem in patterns[step].graph().check(agents) if step != WHOLE and step in patterns else ():
            report.add(path, problem.what, why=problem.why, suggestion=problem.suggestion)


def _members(team: Mapping[str, Any], report: Report, unsound: Collection[KeyPath]) -> dict[str, Member]:
    """The members of which all is known."""
    from .members import members_of

    finder = RoleFinder(report.document.file.parent, str(team.get("backbone", "default")))
    found: dict[str, Member] = {}
    for name, written in team.get("agents", {}).items():
        if report.wrong("agents", name) or any(path[:2] == ("agents", name) for path in unsound):
            continue
        try:
            found |= members_of({name: written}, finder)
        except UnderstudyError as error:
            report.add(("agents", name), error.what, why=error.where or "", suggestion=error.mend)
    return found


def _teams(team: Mapping[str, Any], report: Report, unsound: Collection[KeyPath],
           family: dict[Path, Team]) -> dict[str, Team]:
    """The teams that do steps, by their paths, as far as they have no mistakes."""
    from .team import Team
    from .team_file import teams_of

    found: dict[str, Team] = {}
    for name, step in team.get("workflow", {}).get("steps", {}).items():
        path: KeyPath = ("workflow", "steps", name, "team")
        if not isinstance(step, dict) or "team" not in step or report.wrong(*path) or path in unsound:
            continue
        try:
            found |= teams_of([step["team"]], report.document, None, Team, family)
        except UnderstudyError as error:
            report.add(path, error.what, why=error.where or "", suggestion=error.mend)
    return found


def _patterns(team: Mapping[str, Any], members: Mapping[str, Member], takes: type[Message] | None,
              report: Report) -> dict[str, PatternFlow]:
    """The workflows of the patterns, by their steps, as far as they have no mistakes."""
    players = {name: Player(name, member.role, member.does) for name, member in members.items()}
    found: dict[str, PatternFlow] = {}
    for step, path, written in patterns_in(team):
        if report.wrong(*path) or any(one not in players for one in _agents_of(written)):
            continue
        try:
            given = takes if step == WHOLE else takes_of(str(team["team"]), step, written)
            if given is not None:
                found[step] = pattern_flow(written, players, step or str(team["team"]), given)
        except UnderstudyError as error:
            report.add((*path, *written), error.what, suggestion=error.mend)
    return found


def _agents_of(pattern: Mapping[str, Any]) -> list[str]:
    return [one for said in pattern.values() for _, one in named(said) if isinstance(one, str)]


def _takes(team: Mapping[str, Any], members: Mapping[str, Member], report: Report) -> type[Message] | None:
    """The type of a run's input; None where it is not known."""
    from .team_file import takes_of as takes_of_team

    alone = "workflow" not in team and "input" not in team
    if report.wrong("input") or (alone and len(members) < len(team.get("agents", {}))):
        return None
    try:
        return takes_of_team(team, members, report.document.file.name)
    except UnderstudyError as error:
        report.add(("input",), error.what, suggestion=error.mend)
        return None


def graph_path(path: str) -> KeyPath:
    """The parts of a path such as ``steps.plan.routes[0].to``."""
    return tuple(int(part[1:-1]) if part.startswith("[") else part for part in PARTS.findall(path))


def written_path(path: KeyPath, team: Mapping[str, Any]) -> KeyPath:
    """Where in the document stands what is at ``path`` in the graph, which has other names for some of it."""
    if path[:1] not in (("steps",), ("start",)):
        return path
    if "workflow" not in team:
        return ("agents",)  # the steps are not written, they follow from these
    if "pattern" in team["workflow"]:
        return ("workflow", "pattern")
    path = ("workflow", *path)
    step = team["workflow"]["steps"].get(path[2]) if len(path) > 3 else None
    if not isinstance(step, dict):
        return path
    word, *rest = path[3:]
    if word == "routes" and "routes" not in step:
        return (*path[:3], *(("then",) if "then" in step else ()))
    if word == "routes" and rest and isinstance(rest[0], int) and not isinstance(step["routes"][rest[0]], dict):
        return (*path[:3], "routes", rest[0])  # the short form
    inner, asks = ("team" if "team" in step else "pattern"), ("ask" if "ask" in step else "ask_from")
    other = {"join": "after", "workflow": inner, "ask": asks}.get(str(word), word)
    return (*path[:3], other, *rest)
