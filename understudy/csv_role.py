"""A role from a bare CSV file: its columns become fields, its cells tell their types, its rows are demonstrations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .agents.messages import Message
from .core.errors import UnderstudyError
from .csv_table import Column, CsvTable, field_name, headed, read_table, ungrouped
from .workflows.demonstration_files import SIDES, FileReport
from .workflows.formats import ROLE_FORMAT
from .workflows.problems import InvalidFile
from .workflows.roles import SHIPPED
from .workflows.values import hint

LEAST = 4
"""Rows that a role needs."""
MOST_CHOICES = 12
LONGEST_CHOICE = 40
"""Choices of a field at most, and characters in one of them."""

_BOOLEANS = ("yes", "no", "true", "false")
_INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]{0,11})")  # 007 is a code and no number, and so are more than 12 digits
_NUMBER = re.compile(r"[+-]?((0|[1-9][0-9]{0,11})(\.[0-9]*[1-9])?|\.[0-9]*[1-9])")  # 1.10 would come back as 1.1


def role_document(file: Path, gives: Sequence[str] = ()) -> dict[str, Any]:
    """The role of a CSV file as the values of a role.yaml.

    Its name is the file's. Columns headed ``takes.NAME`` or ``gives.NAME`` are what they say; of the others ``gives``
    names those that are given; without it the first is taken and the rest are given.
    Raises UnderstudyError with file:line and every mistake of the kind that is found first.
    """
    name = role_name(file)
    table = read_table(file)
    columns = columns_of(table, gives)
    _check_cells(table)
    if len(table.rows) < LEAST:
        what = f"{len(table.rows)} rows, but a role needs at least {LEAST}"
        raise UnderstudyError(what, where=f"{file}:{table.line}", mend="better are 8 to 40 of them")
    kinds: dict[str, dict[str, Any]] = {side: {} for side in SIDES}
    for number, (side, field) in enumerate(columns):
        cells = [row[number] for _, row in table.rows]
        kinds[side][field] = kind = kind_of(cells, choices=side == "gives", thousands=table.thousands)
        if side == "gives":
            _check_case(table, number, kind)
            if len({table.value(cell, kind) for cell in cells}) == 1:
                what = f"all rows give the same {field}, '{cells[0][:60]}'"
                mend = "add rows with other values, or leave the column out"
                raise UnderstudyError(what, where=f"{file}:{table.line}", mend=mend)
    demonstrations = []
    for _, row in table.rows:
        one: dict[str, dict[str, Any]] = {side: {} for side in SIDES}
        for (side, field), cell in zip(columns, row, strict=True):
            one[side][field] = table.value(cell, kinds[side][field])
        demonstrations.append(one)
    _check_contradictions(table, demonstrations)
    does = f"gives {_listed(kinds['gives'])} for {_listed(kinds['takes'], articles=True)}"
    return {"schema": ROLE_FORMAT, "role": name, "does": does, **kinds, "demonstrations": demonstrations}


def role_name(file: Path) -> str:
    """The role's name: the file's, with ``_`` for what no name may have. Raises UnderstudyError for a shipped role's.

    >>> role_name(Path("data/Customer mail.csv"))
    'Customer_mail'
    """
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", file.stem).strip("_-")
    name = name if name[:1].isalpha() else f"role_{name}".rstrip("_")
    if name in SHIPPED:
        raise UnderstudyError(f"'{name}' is a role that ships", where=str(file), mend="call the file otherwise")
    return name


def columns_of(table: CsvTable, gives: Sequence[str] = ()) -> tuple[Column, ...]:
    """The side and field of each column: see :func:`role_document`. Raises UnderstudyError at the header's line."""
    where = f"{table.file}:{table.line}"
    headers = [headed(header) for header in table.header]
    bare = [name for side, name in headers if not side]
    wanted = [field_name(name) for name in gives]
    for name, field in zip(gives, wanted, strict=True):
        if field not in bare:
            raise UnderstudyError(f"there is no column '{name}'", where=where, mend=hint(field, bare))
    said = {side for side, _ in headers if side}
    if bare and not wanted and len(said) == len(SIDES):
        raise UnderstudyError(f"is '{bare[0]}' taken or given?", where=where,
                              mend=f"head it takes.{bare[0]} or gives.{bare[0]}")  # fmt: skip
    columns: list[Column] = []
    for number, (side, field) in enumerate(headers):
        if not side and wanted:
            side = "gives" if field in wanted else "takes"
        elif not side:
            side = "gives" if said == {"takes"} or (not said and number > 0) else "takes"
        header = table.header[number]
        if not field:
            what = f"the header '{header}' has no letters" if header else f"column {number + 1} has no header"
            raise UnderstudyError(what, where=where, mend="the first line names the columns")
        if field.startswith("_") or hasattr(Message, field):
            raise UnderstudyError(f"a field cannot be called '{field}'", where=where, mend="name the column otherwise")
        if (side, field) in columns:
            raise UnderstudyError(f"two columns are called '{field}'", where=where, mend="name one otherwise")
        columns.append((side, field))
    sides = {side for side, _ in columns}
    if "gives" not in sides:
        raise UnderstudyError(
            "no column says what is given", where=where,
            mend="the first column is what comes in, the others are the answer; parted by comma, semicolon or tab",
        )  # fmt: skip
    if "takes" not in sides:
        raise UnderstudyError("no column says what comes in", where=where, mend="leave one out of --gives")
    return tuple(columns)


def kind_of(cells: Sequence[str], *, choices: bool, thousands: bool = True) -> Any:
    """The type of a field as a role.yaml writes it, from all of its values.

    Numbers are those alone that lose nothing as numbers: 007, 1.10 and what has more than 12 digits are texts.
    ``thousands``: commas may part their thousands. Choices are short, shared by several rows, at most half as many as
    the rows and 12, and nearly all there twice. Only what is given may be choices (``choices``): what comes in may be
    something else tomorrow.

    >>> kind_of(["yes", "No"], choices=True), kind_of(["1", "20"], choices=True), kind_of(["1", "2.5"], choices=True)
    ('boolean', 'integer', 'number')
    >>> kind_of(["refund", "booking", "refund", "booking"], choices=True)
    ['refund', 'booking']
    """
    if all(cell.lower() in _BOOLEANS for cell in cells):
        return "boolean"
    numbers = [ungrouped(cell) for cell in cells] if thousands else cells
    if all(_INTEGER.fullmatch(number) for number in numbers):
        return "integer"
    if all(_NUMBER.fullmatch(number) for number in numbers):
        return "number"
    counts = Counter(cells)
    once = sum(count == 1 for count in counts.values())
    few = 1 < len(counts) <= min(MOST_CHOICES, max(2, len(cells) // 2))
    if choices and few and once <= max(1, len(counts) // 3) and max(map(len, counts)) <= LONGEST_CHOICE:
        return list(counts)  # in the order in which they come
    return "text"


def write_role(document: Mapping[str, Any], file: Path) -> None:
    """Write a role's values as a role.yaml, to be edited. Raises UnderstudyError where there is such a file already."""
    from ruamel.yaml import YAML

    if file.exists():
        raise UnderstudyError("the file is there already", where=str(file), mend="name another, or remove it")
    yaml = YAML()
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8") as out:
        yaml.dump(dict(document), out)


def _check_cells(table: CsvTable) -> None:
    report = FileReport(table.file)
    for line, row in table.rows:
        for header, cell in zip(table.header, row, strict=True):
            if not cell:
                mend = 'fill it in or leave the row out; a role.yaml may say "" where there is nothing to find'
                report.add(line, 1, (header,), "the cell is empty", mend=mend)
    if report.problems:
        raise InvalidFile(table.file, report.problems)


def _check_case(table: CsvTable, column: int, kind: Any) -> None:
    """A choice that is written now with a capital and now without would be two."""
    cells = [row[column] for _, row in table.rows]
    folded = [cell.casefold() for cell in cells]
    choices = isinstance(kind, list) or isinstance(kind_of(folded, choices=True), list)
    if not choices and not (kind == "text" and len(set(folded)) == 1):
        return
    report = FileReport(table.file)
    written: dict[str, dict[str, int]] = {}
    for (line, _), cell, same in zip(table.rows, cells, folded, strict=True):
        forms = written.setdefault(same, {})
        if forms and cell not in forms:
            other, before = next(iter(forms.items()))
            what = f"'{cell[:60]}' and '{other[:60]}' ({table.file}:{before}) differ in case alone"
            report.add(line, 1, (table.header[column],), what, mend="write them alike")
        forms.setdefault(cell, line)
    if report.problems:
        raise InvalidFile(table.file, report.problems)


def _check_contradictions(table: CsvTable, demonstrations: Sequence[Mapping[str, Mapping[str, Any]]]) -> None:
    report = FileReport(table.file)
    said: dict[str, tuple[Any, int]] = {}
    for (line, _), one in zip(table.rows, demonstrations, strict=True):
        gives, before = said.setdefault(repr(one["takes"]), (one["gives"], line))
        if gives != one["gives"]:
            what = f"contradicts line {before}, which answers the same message otherwise"
            report.add(line, 1, (), what, mend="a message has one right answer: keep one of the two")
    if report.problems:
        raise InvalidFile(table.file, report.problems)


def _listed(names: Iterable[str], *, articles: bool = False) -> str:
    words = [name.replace("_", " ") for name in names]
    if articles:
        words = [f"{'an' if word[0].lower() in 'aeiou' else 'a'} {word}" for word in words]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
