"""Messages that a role has not seen, with their right answers: a .csv with the role's columns, or a .jsonl."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .agents.role import Demonstration, Role
from .core.errors import UnderstudyError
from .csv_table import field_name, read_table
from .workflows.demonstration_files import SIDES, SUFFIXES, Fields, FileReport, Row, cell_value, column_of, read_rows
from .workflows.demonstrations import check_value
from .workflows.problems import InvalidFile
from .workflows.values import hint
from .workflows.yaml_document import KeyPath


def read_unseen(file: Path, role: Role) -> list[Demonstration]:
    """The messages of ``file``; a line may leave some of the fields that the role gives out.

    Raises UnderstudyError with file:line for what does not fit the role, and where there is no message.
    """
    if file.suffix not in SUFFIXES:
        raise UnderstudyError("messages lie in a .csv or .jsonl file", where=str(file))
    document = role.document()
    fields: Fields = {side: document[side] for side in SIDES}
    report = FileReport(file)
    rows = list(_table_rows(report, fields) if file.suffix == ".csv" else read_rows(report, fields))
    for row in [] if report.problems else rows:
        _check(row, fields, report)
    if report.problems:
        raise InvalidFile(file, report.problems)
    if not rows:
        raise UnderstudyError("the file has no messages", where=f"{file}:1")
    return [Demonstration(row.value["takes"], row.value["gives"]) for row in rows]


def _table_rows(report: FileReport, fields: Fields) -> Iterator[Row]:
    table = read_table(report.file)
    columns = []
    for header in table.header:
        side, dot, name = header.partition(".")
        prefixed = bool(dot) and side in SIDES
        column = column_of(f"{side}.{field_name(name)}" if prefixed else field_name(header), fields)
        if column is None:
            known = [name for side in SIDES for name in fields[side]]
            why, mend = "a column is a field of takes or gives", hint(header, known) or ""
            report.add(1, 1, (header,), f"unknown column '{header[:60]}'", why, mend)
        columns.append(column)
    for line, row in table.rows:
        one: dict[str, dict[str, Any]] = {side: {} for side in SIDES}
        for column, cell in zip(columns, row, strict=True):
            if column is not None:
                side, name = column
                one[side][name] = cell_value(cell, fields[side][name])
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
