"""Demonstrations of a role file, inline or in a file beside it, each checked against the role's fields."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .demonstration_files import SIDES, Fields, FileReport, Row, read_rows
from .problems import Problem
from .shapes import Report
from .values import hint, kind
from .yaml_document import KeyPath

Note = Callable[[KeyPath, str, str, str], None]
"""Notes a mistake: path within the demonstration, what, why, suggestion."""


def check_inline(demonstrations: list[Any], fields: Fields, report: Report) -> None:
    """Report what is wrong in demonstrations that stand in the role file itself."""
    said = _Said()
    for number, one in enumerate(demonstrations):

        def note(path: KeyPath, what: str, why: str, mend: str, number: int = number) -> None:
            at = ("demonstrations", number, *path)
            report.add(at, what, why=why, suggestion=mend, key=what.startswith("unknown field"))

        if isinstance(one, dict):
            said.check(one, f"demonstration {number + 1}", fields, note)


SPELT = ("yes", "no", "on", "off", "true", "false")
"""What YAML takes as a text, or is quoted, where a boolean was meant."""


class _Said:
    """What was answered to each message so far."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[str, str]] = {}

    def check(self, one: Mapping[str, Any], place: str, fields: Fields, note: Note) -> None:
        """:func:`check_one`, and note one without mistakes that answers a message otherwise than an earlier one."""
        wrong: list[str] = []

        def noting(path: KeyPath, what: str, why: str, mend: str) -> None:
            wrong.append(what)
            note(path, what, why, mend)

        check_one(one, fields, noting)
        if wrong or not all(isinstance(one.get(side), dict) for side in SIDES):
            return
        takes, gives = (json.dumps(one.get(side), sort_keys=True, default=str) for side in SIDES)
        before, where = self._answers.setdefault(takes, (gives, place))
        if before != gives:
            mend = "a message has one right answer: keep one of the two"
            note(("gives",), f"contradicts {where}, which answers the same message otherwise", "", mend)


def check_file(file: Path, fields: Fields) -> list[Problem]:
    """What is wrong in a .jsonl or .csv file of demonstrations, with its own lines and columns."""
    report = FileReport(file)
    rows, said = 0, _Said()
    for row in read_rows(report, fields):
        rows += 1

        def note(path: KeyPath, what: str, why: str, mend: str, row: Row = row) -> None:
            report.add(row.line, row.column(path), path, what, why, mend)

        said.check(row.value, f"line {row.line}", fields, note)
    if rows < 2 and not report.problems:
        report.add(1, 1, (), f"expected at least 2 demonstrations, found {rows}")
    return report.problems


def check_one(one: Mapping[str, Any], fields: Fields, note: Note) -> None:
    """Note what is wrong in one demonstration, a mapping with ``takes`` and ``gives``."""
    for side in SIDES:
        values, types = one.get(side), fields.get(side, {})
        if not isinstance(values, dict):
            continue
        for name, value in values.items():
            if name in types:
                check_value(value, types[name], (side, name), note)
            else:
                why = f"the role's {side} has no such field"
                note((side, name), f"unknown field '{name[:60]}'", why, hint(name, types) or "")
        for name in types:
            if name not in values:
                note((side,), f"the field '{name}' is missing", f"the role's {side} has it", "")


def check_value(value: Any, written: Any, path: KeyPath, note: Note) -> None:
    """Note a value that is not of the type ``written`` in the role file."""
    if isinstance(written, list):
        choices = [choice for choice in written if isinstance(choice, str)]
        if value not in choices:
            shown = f"'{value[:60]}'" if isinstance(value, str) else kind(value)
            near = hint(value, choices) if isinstance(value, str) else None
            mend = near if near and near.startswith("did") else ""
            note(path, f"{shown} is not among the choices", f"choices: {', '.join(choices)}", mend)
    elif isinstance(written, dict):
        if not isinstance(value, list):
            note(path, f"expected a list, found {kind(value)}", "", "")
            return
        for number, part in enumerate(value):
            check_value(part, written.get("list"), (*path, number), note)
    elif written == "text" and value == "" and path[0] == "gives":
        return  # nothing of the kind is in the message
    elif not _fits(value, written):
        empty = isinstance(value, str) and not value.strip()
        quote = written == "text" and isinstance(value, int | float)
        found = "an empty text" if empty else kind(value)
        spelt = written == "boolean" and isinstance(value, str) and value.strip().lower() in SPELT
        mend = "quote it" if quote else "write true or false" if spelt else ""
        note(path, f"expected {written}, found {found}", "", mend)


def _fits(value: Any, written: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match written:
        case "text":
            return isinstance(value, str) and bool(value.strip())
        case "boolean":
            return isinstance(value, bool)
        case "number":
            return number and abs(value) < float("inf")
        case "integer":
            return number and abs(value) < float("inf") and value == int(value)
    return True  # an unknown type is reported where it is written
