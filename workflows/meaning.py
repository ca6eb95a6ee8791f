"""Meaning: what is wrong with a file in which every part is right: types that do not fit, loops without a limit.

Asked last, of files in which nothing else was found; what loads the file is tried, so that a file without problems
is a file that loads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..core.errors import UnderstudyError
from .roles import RoleFinder
from .shapes import Report
from .values import hint
from .yaml_document import KeyPath

if TYPE_CHECKING:
    from .members import Member

PARTS = re.compile(r"[^.\[\]]+|\[\d+\]")


def check_role(role: Mapping[str, Any], report: Report) -> None:
    """Report what keeps the role of a document from being loaded or learned."""
    from ..agents.role import role_from_document

    file = report.document.file
    try:
        role_from_document(role, file.parent, where=file.name).examples()
    except UnderstudyError as error:
        path: KeyPath = ("demonstrations",) if "demonstration" in (error.where or "") else ()
        report.add(path, error.what, suggestion=error.mend)


def check_team(team: Mapping[str, Any], report: Report) -> None:
    """Report what keeps the team of a document from being loaded or run."""
    from .members import members_of
    from .team import takes_of
    from .team_graph import graph_of

    file = report.document.file
    finder = RoleFinder(file.parent, str(team.get("backbone", "default")))
    members: dict[str, Member] = {}
    for name, written in team["agents"].items():
        try:
            members |= members_of({name: written}, finder)
        except UnderstudyError as error:
            report.add(("agents", name), error.what, why=error.where or "", suggestion=error.mend)
    if report.problems:
        return
    try:
        takes_of(team, members, file.name)
    except UnderstudyError as error:
        report.add(("input",), error.what, suggestion=error.mend)
    for problem in graph_of(team).check():
        report.add(written_path(problem.path), problem.what, why=problem.why, suggestion=problem.suggestion)
    for name, step in team.get("workflow", {}).get("steps", {}).items():
        if "input" in step and step.get("agent") in members:
            check_input(step["input"], members[step["agent"]], ("workflow", "steps", name, "input"), report)


def check_input(written: Mapping[str, Any], member: Member, path: KeyPath, report: Report) -> None:
    """Report fields of a step's input that its agent does not take, and those that it lacks."""
    takes = member.role.takes.model_fields
    for name in written:
        if name not in takes:
            report.add((*path, name), f"agent {member.name} takes no '{name}'", suggestion=hint(name, takes), key=True)
    for name, info in takes.items():
        if info.is_required() and name not in written:
            report.add(path, f"agent {member.name} needs '{name}'", suggestion=f"add {name}: …", key=True)


def written_path(path: str) -> KeyPath:
    """The path in the file of a path in the graph, which knows no ``workflow`` around its steps."""
    parts: KeyPath = tuple(
        int(part[1:-1]) if part.startswith("[") else part for part in PARTS.findall(path)
    )
    return ("workflow", *parts) if parts and parts[0] in ("steps", "start") else parts
