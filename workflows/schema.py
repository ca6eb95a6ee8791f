"""Checking team and role files: every mistake at once, with its place, what is wrong and how to mend it.

>>> print(check_text("schema: understudy/role/v2", "role.yaml")[0])
role.yaml:1:9: schema: unknown format 'understudy/role/v2'; did you mean 'understudy/role/v1'?
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import meaning
from .demonstration_files import SIDES, SUFFIXES
from .demonstrations import check_file, check_inline
from .formats import FORMATS, ROLE_FORMAT, TEAM_FORMAT, json_schema
from .places import Confined, allowed, confined, missing
from .problems import InvalidFile, Problem
from .references import NamedFile, check_references
from .shapes import Report
from .values import hint, kind
from .yaml_document import VARIABLE, KeyPath, YamlDocument, parse_document, read_document

if TYPE_CHECKING:
    from .team import Team

__all__ = ["check", "check_text", "json_schema", "read", "read_role", "read_team"]


def check(path: Path | str, allow: Iterable[Path | str] = ()) -> list[Problem]:
    """Every mistake in a team or role file and in the files it names, in the order of the files.

    ``allow``: folders in which they may name places, beside their own. Empty for a file without mistakes. Never raises
    for what a file holds.
    """
    return check_document(read(Path(path), allowed(allow)))


def check_text(text: str, file: Path | str = "<text>") -> list[Problem]:
    """Like :func:`check`, for text that would stand in ``file``."""
    document = parse_document(text, file)
    return check_document(_with_environment(document, lambda: parse_document(text, file, os.environ)))


def read_team(path: Path | str, allow: Iterable[Path | str] = ()) -> YamlDocument:
    """The document of a team file without mistakes; ``allow`` as in :func:`check`.

    Raises InvalidFile with all of them otherwise.
    """
    return _valid(read(Path(path), allowed(allow)), "team")


def read_role(path: Path | str) -> YamlDocument:
    """The document of a role file without mistakes. Raises InvalidFile with all of them otherwise."""
    return _valid(read(Path(path)), "role")


def format_of(value: Any) -> str | None:
    """Which format a document says that it has, "team" or "role"; or which its keys are of."""
    if not isinstance(value, dict):
        return None
    said = {TEAM_FORMAT: "team", ROLE_FORMAT: "role"}.get(str(value.get("schema")))
    if said:
        return said
    counts = {name: sum(key in shape.keys for key in value) for name, shape in FORMATS.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] > 1 or (counts[best] == 1 and "schema" not in value) else None


@dataclass(frozen=True)
class Line:
    """How a check came to a file.

    Attributes:
        above: the files that led to it, none of which may be named again.
        seen: the mistakes of files that were named before, on whatever way.
        family: the teams that were made of some of them.
    """

    above: tuple[Path, ...] = ()
    seen: dict[Path, list[Problem]] = field(default_factory=dict)
    family: dict[Path, Team] = field(default_factory=dict)


def check_document(document: YamlDocument, line: Line | None = None) -> list[Problem]:
    """Every mistake of a document that was read, and of the files that it names."""
    line = line or Line()
    problems = list(document.problems)
    name = format_of(document.value)
    report = Report(document)
    if name is None:
        if document.value is None and problems:
            return sorted(problems)
        _neither(document, report)
        return sorted(set(problems + report.problems), key=_order)
    FORMATS[name].check(document.value, (), report)
    others: list[Problem] = []
    if name == "team":
        named = check_references(document.value, report)
        others, unsound = _check_files(named, report, line)
        meaning.check_team(document.value, report, unsound, line.family)
    else:
        others += _check_demonstrations(document.value, report)
        if not (problems or report.problems or others):
            meaning.check_role(document.value, report)
    return sorted(set(problems + report.problems), key=_order) + list(dict.fromkeys(others))


def _neither(document: YamlDocument, report: Report) -> None:
    if not isinstance(document.value, dict):
        report.expected((), document.value, "a team or a role (a mapping)")
        return
    known = [TEAM_FORMAT, ROLE_FORMAT]
    said = document.value.get("schema")
    if said is None:
        report.add((), "the key 'schema' is missing", suggestion=f"write schema: {' or '.join(known)}")
    else:
        report.add(("schema",), f"unknown format '{str(said)[:60]}'", suggestion=hint(str(said), known))


def _check_files(files: list[NamedFile], report: Report, line: Line) -> tuple[list[Problem], list[KeyPath]]:
    """The mistakes of files that a team names, and where it names those that have some."""
    found: list[Problem] = []
    unsound: list[KeyPath] = []
    above, seen = (*line.above, report.document.file.resolve()), line.seen
    for named in files:
        place = named.file.resolve()
        if place in above:
            names = " → ".join(one.name for one in (*above[above.index(place) :], place))
            report.add(named.path, f"the team is a part of itself: {names}", why="its runs would never end",
                       suggestion="let a third team have what both need")
            continue
        if place not in seen:
            other = read(named.file, report.document.allow)
            format = format_of(other.value)
            if format is not None and format != named.format:
                report.add(named.path, f"'{named.file.name}' is the file of a {format}, not of a {named.format}")
                continue
            seen[place] = check_document(other, Line(above, seen, line.family))
        found += seen[place]
        if seen[place]:
            unsound.append(named.path)
    return found, unsound


def _check_demonstrations(role: Mapping[str, Any], report: Report) -> list[Problem]:
    fields = {side: role[side] for side in SIDES if isinstance(role.get(side), dict)}
    if len(fields) < len(SIDES):
        return []
    written = role.get("demonstrations")
    if isinstance(written, list):
        check_inline(written, fields, report)
    if not isinstance(written, str) or not written.strip():
        return []
    base = report.document.file.parent
    place = confined(written, base, allow=report.document.allow)
    if isinstance(place, Path) and place.is_file() and place.suffix in SUFFIXES:
        return check_file(place, fields)
    if isinstance(place, Confined):
        report.add(("demonstrations",), place.what, why=place.why, suggestion=place.mend)
    elif place is None:
        near = missing(written, base)
        report.add(("demonstrations",), f"the file '{written}' does not exist",
                   suggestion=f"did you mean '{near}'?" if near else "a path is relative to this file")
    else:
        report.add(("demonstrations",), f"'{written}' is not a .jsonl or .csv file")
    return []


def read(path: Path, allow: tuple[Path, ...] = ()) -> YamlDocument:
    """The document of a file, with or without mistakes; of a team with what it has of the environment.

    ``allow``: resolved folders in which it may name places, beside its own.
    """
    document = _with_environment(read_document(path), lambda: read_document(path, os.environ))
    return replace(document, allow=allow)


def _with_environment(document: YamlDocument, again: Callable[[], YamlDocument]) -> YamlDocument:
    # Only a team's file speaks of the machine it runs on; in a role's texts a ${…} is a text.
    return again() if format_of(document.value) == "team" and _varies(document.value) else document


def _varies(value: Any) -> bool:
    """Whether a text of ``value`` is another one where the environment is known."""
    if isinstance(value, Mapping | list):
        return any(map(_varies, value.values() if isinstance(value, Mapping) else value))
    return isinstance(value, str) and VARIABLE.search(value) is not None


def _valid(document: YamlDocument, name: str) -> YamlDocument:
    problems = check_document(document)
    found = format_of(document.value)
    if not problems and found != name:
        problems = [document.problem((), f"expected a {name}, found {'a ' + found if found else kind(None)}")]
    if problems:
        raise InvalidFile(document.file, problems)
    return document


def _order(problem: Problem) -> tuple[int, int, str, str]:
    return problem.line, problem.column, problem.path, problem.what
