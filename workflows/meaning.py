"""Meaning: what is wrong with a file in which every part is right: types that do not fit, loops without a limit.

Asked last, of files in which nothing else was found; what loads the file is tried, so that a file without problems
is a file that loads.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..core.errors import UnderstudyError
from .calls import CALLS
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
    from .team_file import takes_of
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
        path: KeyPath = ("workflow", "steps", name, "input")
        if "input" in step and step.get("agent") in members:
            member = members[step["agent"]]
            fields = {field: info.is_required() for field, info in member.role.takes.model_fields.items()}
            check_input(step["input"], f"agent {member.name}", fields, path, report)
        elif "call" in step:
            arguments = inspect.signature(CALLS[step["call"]]).parameters
            needed = {key: one.default is inspect.Parameter.empty for key, one in arguments.items()}
            check_input(step.get("input", {}), f"function {step['call']}", needed, path, report)


def check_input(written: Mapping[str, Any], doer: str, takes: Mapping[str, bool], path: KeyPath,
                report: Report) -> None:
    """Report fields of a step's input that its doer does not take, and those that it lacks.

    ``takes``: field → whether it is needed.
    """
    for name in written:
        if name not in takes:
            report.add((*path, name), f"{doer} takes no '{name}'", suggestion=hint(name, takes), key=True)
    for name, needed in takes.items():
        if needed and name not in written:
            report.add(path, f"{doer} needs '{name}'", suggestion=f"add {name}: …", key=True)


def written_path(path: str) -> KeyPath:
    """The path in the file of a path in the graph, which knows no ``workflow`` around its steps."""
    parts: KeyPath = tuple(
        int(part[1:-1]) if part.startswith("[") else part for part in PARTS.findall(path)
    )
    return ("workflow", *parts) if parts and parts[0] in ("steps", "start") else parts
