"""Messages that a role has not seen, with their right answers: a .csv with the role's columns, or a .jsonl."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .agents.role import Demonstration, Role
from .agents.role_document import as_text
from .core.errors import UnderstudyError
from .csv_table import Column, headed, read_table
from .workflows.demonstration_files import FORM, SIDES, Fields, FileReport, Row, read_rows
from .workflows.demonstrations import check_value
from .workflows.problems import InvalidFile
from .workflows.values import hint
from .workflows.yaml_document import KeyPath


def read_unseen(file: Path, role: Role) -> list[Demonstration]:
    """The messages of ``file``; a line may leave some of the fields that the role gives out.

    A table is read as that of a role is: see :func:`.csv_role.role_document`.
    Raises UnderstudyError with file:line for what does not fit the role and for a message that is among its
    demonstrations, and where there is no message.
    """
    table = file.suffix.lower() == ".csv"
    if not table and file.suffix != ".jsonl":
        raise UnderstudyError("messages lie in a .csv or .jsonl file", where=str(file), mend="name one of these")
    document = role.document()
    fields: Fields = {side: document[side] for side in SIDES}
    report = FileReport(file)
    rows = list(_table_rows(report, fields) if table else read_rows(report, fields))
    for row in [] if report.problems else rows:
        _check(row, fields, report)
    if not report.problems:
        _check_unseen(rows, role, report)
    if report.problems:
        raise InvalidFile(file, report.problems)
    if not rows:
        mend = "give each message and its answer a row under the header" if table else f"{FORM}, one a line"
        raise UnderstudyError("the file has no messages", where=f"{file}:1", mend=mend)
    return [Demonstration(row.value["takes"], row.value["gives"]) for row in rows]


def message_key(takes: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What is the same for the same message, whatever its white space.

    >>> message_key({"text": "Help  me\\n"}) == message_key({"text": "Help me"})
    True
    """
    return tuple(sorted((name, " ".join(as_text(value).split())) for name, value in takes.items()))


def _table_rows(report: FileReport, fields: Fields) -> Iterator[Row]:
    table = read_table(report.file)
    heads = [headed(header) for header in table.header]
    columns: list[Column] = []
    for header, (side, name) in zip(table.header, heads, strict=True):
        able = [(one, name) for one in ([side] if side else SIDES) if name in fields[one]]
        free = [one for one in able if one not in columns and (side or one not in heads)]
        if not able:
            known = [name for side in SIDES for name in fields[side]]
            why, mend = "a column is a field of takes or gives", hint(name, known) or ""
            report.add(table.line, 1, (header,), f"unknown column '{header[:60]}'", why, mend)
        elif not free:
            report.add(table.line, 1, (header,), f"two columns are called '{name}'", mend="leave one out")
        columns += free[:1]
    for line, row in [] if report.problems else table.rows:
        one: dict[str, dict[str, Any]] = {side: {} for side in SIDES}
        for (side, name), cell in zip(columns, row, strict=True):
            one[side][name] = table.value(cell, fields[side][name])
        yield Row(line, "", one)


def _check(row: Row, fields: Fields, report: FileReport) -> None:
    def note(path: KeyPath, what: str, why: str, mend: str) -> None:
        report.add(row.line, row.column(path), path, what, why, mend)

    for side in SIDES:
        values: Mapping[str, Any] = row.value[side]
        for name, value in values.items():
            if name in fields[side]:
                check_value(value, fields[side][name], (side, name), note)
            else:
                mend = hint(name, fields[side]) or ""
                note((side, name), f"unknown field '{name[:60]}'", f"the role's {side} has no such field", mend)
    for name in fields["takes"]:
        if name not in row.value["takes"]:
            note(("takes",), f"the field '{name}' is missing", "the role's takes has it", "")
    if not row.value["gives"]:
        note(("gives",), "no field of the answer is here", "", "give one of: " + ", ".join(fields["gives"]))


def _check_unseen(rows: Sequence[Row], role: Role, report: FileReport) -> None:
    """Who has learned a message knows it by heart: it says nothing of others."""

    def key(takes: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        return message_key(role.takes.model_validate(dict(takes)).model_dump())

    shown: dict[tuple[tuple[str, str], ...], int] = {}
    for number, one in enumerate(role.demonstrations, 1):
        shown.setdefault(key(one.takes), number)
    for row in rows:
        number = shown.get(key(row.value["takes"]), 0)
        if number:
            what = f"the role is learned from this message, demonstration {number}"
            report.add(row.line, 1, ("takes",), what, mend="leave it out: others alone say what to expect")
