"""Saving a team: its file, and the roles and heads that the file needs beside it, all of them or none.

A team that was loaded from a file keeps it as it was written, comments and all; only what changed is changed.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..agents.role import Role
from ..core.errors import UnderstudyError
from .changes import Changes
from .function_role import FunctionRole
from .graph import Graph, difference
from .problems import InvalidFile
from .schema import format_of
from .team_composition import require
from .team_document import document_of, is_meant, revised
from .team_folder import TeamFolder
from .yaml_document import parse_document, read_document
from .yaml_edits import edited
from .yaml_text import text_of

if TYPE_CHECKING:
    from .team import Team

SUFFIXES = (".yaml", ".yml")


def save(team: Team, path: str | Path) -> Path:
    """Write ``team`` as a file that loads the same; see :meth:`Team.save`."""
    file = Path(path)
    if file.suffix not in SUFFIXES:
        raise UnderstudyError("a team's file ends in .yaml", where=str(file), mend=f"save it as {file.stem}.yaml")
    graph = graph_of(team)
    require(graph, team.agents)
    former = _former(team, file)
    value = {} if former is None else parse_document(former.text).value
    whole = "workflow" in value or not is_meant(team, graph)
    folder = TeamFolder(team.resources, file.parent)
    new = document_of(team, graph, folder, whole=whole)
    if former is None:
        text = text_of(new)
    else:
        old = document_of(former.team, graph_of(former.team), TeamFolder(former.team.resources, former.folder),
                          whole=whole)
        text = edited(former.text, revised(value, old, new))
    with Changes() as changes:
        for place, role in folder.texts.items():
            changes.write(place, role)
        for place, head in folder.heads.items():
            changes.folder(place, head)
        changes.write(file, _encoded(text, file))
        _check(team, graph, file)
    return file


class _Former:
    """A file that says the team as it was before: the one that it was loaded from, or that is written again."""

    def __init__(self, team: Team, file: Path) -> None:
        self.text = _read(file)
        self.folder = file.parent
        self.team = type(team).load(file, team.resources.source, allow=team.resources.allow)


def _former(team: Team, file: Path) -> _Former | None:
    """What was written before, if anything. Raises UnderstudyError for a file that must not be written over."""
    own = team.file if team.file is not None and team.file.exists() else None
    if file.exists() and (own is None or not file.samefile(own)):
        value = read_document(file).value
        if format_of(value) != "team" or value.get("team") != team.name:
            raise UnderstudyError(f"there is a file that is not of the team '{team.name}'", where=str(file),
                                  mend="name another, or remove it")
    if own is None:
        return _Former(team, file) if file.exists() else None
    if team.text is not None and _read(own) != team.text:
        raise UnderstudyError("the file was changed since the team was loaded", where=str(own),
                              mend="load it again, or save the team under another name")
    return _Former(team, own)


def graph_of(team: Team) -> Graph:
    """The workflow of a team, under the team's name."""
    return replace(team.graph, name=team.name)


def _check(team: Team, graph: Graph, file: Path) -> None:
    """Raise UnderstudyError where the file that was written does not load the same."""
    try:
        loaded = type(team).load(file, team.resources.source, allow=team.resources.allow)
    except InvalidFile as error:
        first = error.problems[0]
        what = f"the team cannot be written as a file: {first.path}: {first.what}"
        raise UnderstudyError(what, where=team.name, mend=first.suggestion or first.why or None) from error
    found = difference(likeness(team, graph), likeness(loaded, graph_of(loaded)))
    if found is not None:
        raise UnderstudyError(f"the team would not load the same: {found}", where=team.name)
    if team.file is None or team.file.exists() and team.file.samefile(file):
        team.file, team.text = file, _read(file)


def likeness(team: Team, graph: Graph) -> dict[str, Any]:
    """What two teams that are the same have in common, as plain values. Types of messages count by their fields."""
    document = dict(graph.document)
    steps = {name: dict(step) for name, step in document["steps"].items()}
    for name, step in graph.steps.items():
        if step.ask is not None and step.ask.gives is not None:
            steps[name]["gives"] = list(step.ask.gives.model_fields)
        if step.retry is not None:
            steps[name]["retry"] = [getattr(step.retry, one.name) for one in fields(step.retry) if one.name != "on"]
    takes = [] if graph.takes is None else list(graph.takes.model_fields)
    agents = {name: _member(agent.member) for name, agent in team.agents.items()}
    return {**document, "steps": steps, "takes": takes, "does": team.does, "agents": agents, "tests": list(team.tests),
            "knowledge": sorted(team.resources.knowledge or {})}  # fmt: skip


def _member(member: Any) -> dict[str, Any]:
    role = member.role
    known: Any = role.document() if type(role) is Role else role.name
    if isinstance(known, dict):
        known = {**known, "demonstrations": len(known["demonstrations"])}
    options = {name: value for name, value in member.options.items() if name != "history"}
    return {"role": known, "call": isinstance(role, FunctionRole), "does": member.does, "options": options,
            "tools": [list(tool) for tool in member.tools]}  # fmt: skip


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig")


def _encoded(text: str, file: Path) -> bytes:
    """The text with the ends of lines, and the mark at the beginning, that the file has so far."""
    former = file.read_bytes() if file.exists() else b""
    if b"\r\n" in former:
        text = text.replace("\n", "\r\n")
    return text.encode("utf-8-sig" if former.startswith(b"\xef\xbb\xbf") else "utf-8")
