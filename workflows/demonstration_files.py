"""Files of demonstrations, read line by line so that every mistake can be named by its line.

A .jsonl line is ``{"takes": {…}, "gives": {…}}``. A .csv has one column for each field, named by it, or
``takes.NAME`` and ``gives.NAME`` where both sides have a field of that name; ``;`` parts the items of a list.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .problems import Problem, key_path
from .values import hint, kind
from .yaml_document import KeyPath

SIDES = ("takes", "gives")
SUFFIXES = (".jsonl", ".csv")
FORM = 'write {"takes": {…}, "gives": {…}}'

Fields = Mapping[str, Mapping[str, Any]]
"""Side ("takes", "gives") → field → the type as it is written in the role file."""


class FileReport:
    """The mistakes found in one file of demonstrations."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def add(self, line: int, column: int, path: KeyPath, what: str, why: str = "", mend: str = "") -> None:
        """Note a mistake."""
        self.problems.append(Problem(str(self.file), line, column, key_path(path), what, why, mend))


@dataclass(frozen=True)
class Row:
    """One demonstration as it stands in a file: its line number, the line as written, and its value."""

    line: int
    written: str
    value: Mapping[str, Any]

    def column(self, path: KeyPath) -> int:
        """The column at which the value at ``path`` stands, as near as the line tells."""
        value: Any = self.value
        for part in path:
            inside = isinstance(value, dict) and part in value
            value = value[part] if inside or (isinstance(value, list) and isinstance(part, int)) else None
        forms = [str(path[-1])] if path else []
        if value is not None:
            forms = [json.dumps(value, ensure_ascii=False), json.dumps(value), str(value), *forms]
        for form in forms:
            if form and form in self.written:
                return self.written.index(form) + 1
        return 1


def read_rows(report: FileReport, fields: Fields) -> Iterator[Row]:
    """The demonstrations of the report's file; what cannot be read is reported and passed over."""
    file = report.file
    if file.suffix not in SUFFIXES:
        report.add(1, 1, (), f"demonstrations cannot be a '{file.suffix}' file",
                   "they stand in the role file, or in a .jsonl or .csv file")
        return
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        report.add(1, 1, (), f"the file is not UTF-8 text (byte {error.start})", mend="save it as UTF-8")
        return
    except OSError as error:
        report.add(1, 1, (), f"the file cannot be read: {error.strerror}")
        return
    yield from _jsonl(text, report) if file.suffix == ".jsonl" else _csv(text, report, fields)


def _jsonl(text: str, report: FileReport) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            one = json.loads(line)
        except json.JSONDecodeError as error:
            report.add(number, error.colno, (), f"JSON: {error.msg}", "each line is one object")
            continue
        except (RecursionError, ValueError) as error:
            report.add(number, 1, (), f"JSON: {str(error)[:80]}")
            continue
        if not isinstance(one, dict):
            report.add(number, 1, (), f"expected a demonstration, found {kind(one)}", mend=FORM)
            continue
        row = Row(number, line, one)
        for name in one:
            if name not in SIDES:
                report.add(number, row.column((name,)), (name,), f"unknown key '{name[:60]}'",
                           "a demonstration has takes and gives")
        for side in SIDES:
            if not isinstance(one.get(side), dict):
                report.add(number, 1, (side,), f"the demonstration's {side} is missing", mend=FORM)
        yield row


def _csv(text: str, report: FileReport, fields: Fields) -> Iterator[Row]:
    lines = text.split("\n")
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip() for name in next(reader, [])]
        columns = [column_of(name, fields) for name in header]
        if not _header_fits(header, columns, lines[0], report, fields):
            return
        for cells in reader:
            number = reader.line_num
            if not cells:
                continue
            if len(cells) != len(header):
                report.add(number, 1, (), f"{len(cells)} cells in a row of {len(header)}",
                           mend="put a cell that has commas in quotes")
                continue
            one: dict[str, dict[str, Any]] = {side: {} for side in SIDES}
            for column, cell in zip(columns, cells, strict=True):
                if column is not None:
                    side, name = column
                    one[side][name] = cell_value(cell, fields[side][name])
            yield Row(number, lines[min(number, len(lines)) - 1], one)
    except csv.Error as error:
        report.add(max(reader.line_num, 1), 1, (), f"CSV: {error}")


def _header_fits(header: list[str], columns: list[tuple[str, str] | None], line: str, report: FileReport,
                 fields: Fields) -> bool:
    known = [name for side in SIDES for name in fields.get(side, {})]
    for name, column in zip(header, columns, strict=True):
        if column is None:
            report.add(1, line.find(name) + 1, (name,), f"unknown column '{name[:60]}'",
                       "a column is a field of takes or gives", hint(name, known) or "")
    for side in SIDES:
        for name in fields.get(side, {}):
            if (side, name) not in columns:
                report.add(1, 1, (side, name), f"no column '{name}'", f"the role's {side} has it")
    return not report.problems


def column_of(name: str, fields: Fields) -> tuple[str, str] | None:
    """The side and field that the CSV column ``name`` holds; None where no field is called so."""
    side, dot, field = name.partition(".")
    if dot and side in SIDES and field in fields.get(side, {}):
        return side, field
    return next(((side, name) for side in SIDES if name in fields.get(side, {})), None)


def cell_value(cell: str, written: Any) -> Any:
    """The value of a CSV cell for a field of the type ``written``; the cell itself where it has none."""
    text = cell.strip()
    if isinstance(written, dict):
        return [cell_value(part, written.get("list")) for part in text.split(";") if part.strip()]
    if written == "boolean":
        return {"true": True, "yes": True, "false": False, "no": False}.get(text.lower(), cell)
    if written in ("number", "integer"):
        try:
            return int(text) if text.lstrip("+-").isdecimal() else float(text)
        except ValueError:
            return cell
    return text
