"""A CSV table with the line of each row: comma, semicolon or tab, as its header says; UTF-8, with a mark or without.

A first line ``sep=;``, by which spreadsheets are told the delimiter, is taken at its word and is no row.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .core.errors import UnderstudyError
from .workflows.demonstration_files import SIDES, FileReport, cell_value
from .workflows.problems import InvalidFile

DELIMITERS = ",;\t"
_SAID = re.compile(r'"?sep=([,;\t|])"?[ \t]*(\r\n|\r|\n|$)', re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?")

Column = tuple[str, str]
"""A side, ``takes`` or ``gives``, and the field of it that a column holds."""


@dataclass(frozen=True)
class CsvTable:
    """The header, and the rows, each with the line on which it begins; all have as many cells as the header.

    ``line``: of the header. ``thousands``: whether a comma in a number parts its thousands; between semicolons it may
    as well be the decimal mark, and is left as it stands.
    """

    file: Path
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    line: int = 1
    thousands: bool = True

    def value(self, cell: str, kind: Any) -> Any:
        """The value of a cell for a field of the type ``kind``; the cell itself where it has none."""
        return cell_value(ungrouped(cell) if self.thousands and kind in ("integer", "number") else cell, kind)


def read_table(file: Path) -> CsvTable:
    """The table of a CSV file, without its empty rows; cells without outer space.

    Raises UnderstudyError with file:line where the file cannot be read, is not UTF-8 or has no header, and with every
    row that has more or fewer cells than the header.
    """
    text = _text(file)
    said = _SAID.match(text)
    first = text.split("\n", 1)[0]
    delimiter = said[1] if said else max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text[said.end() if said else 0 :], newline=""), delimiter=delimiter, strict=True)
    report = FileReport(file)
    header: tuple[str, ...] = ()
    rows = []
    above = 1 if said else 0
    line = headed_at = above + 1
    try:
        for cells in reader:
            row, begins, line = tuple(cell.strip() for cell in cells), line, reader.line_num + above + 1
            if not any(row):
                continue
            if not header:
                header, headed_at = row, begins
            elif len(row) != len(header):
                mend = f"put a cell that has {_named(delimiter)} in it in quotes"
                report.add(begins, 1, (), f"{len(row)} cells in a row of {len(header)}", mend=mend)
            else:
                rows.append((begins, row))
    except csv.Error as error:
        report.add(line, 1, (), f"CSV: {error}", mend="double a quote inside quotes")
    if report.problems:
        raise InvalidFile(file, report.problems)
    if not header:
        raise UnderstudyError("the file is empty", where=f"{file}:1", mend="the first line names the columns")
    return CsvTable(file, header, tuple(rows), headed_at, delimiter != ";")


def headed(header: str) -> Column:
    """The side that a header says, "" for none, and the field.

    >>> headed("Takes.Customer text"), headed("queue")
    (('takes', 'Customer_text'), ('', 'queue'))
    """
    side, dot, name = header.partition(".")
    if dot and side.strip().lower() in SIDES:
        return side.strip().lower(), field_name(name)
    return "", field_name(header)


def field_name(header: str) -> str:
    """The field that a column is called by: its header with ``_`` for what no name may have; "" where nothing is left.

    >>> field_name("Order number?")
    'Order_number'
    """
    name = re.sub(r"\W+", "_", header).strip("_")
    return f"field_{name}" if name[:1].isdigit() else name


def ungrouped(cell: str) -> str:
    """A number without the commas that part its thousands; any other cell as it is.

    >>> ungrouped("1,234.5"), ungrouped("1,5"), ungrouped("0,125")
    ('1234.5', '1,5', '0,125')
    """
    return cell.replace(",", "") if _THOUSANDS.fullmatch(cell) else cell


def _text(file: Path) -> str:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UnderstudyError((error.strerror or "unreadable").lower(), where=str(file)) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        what = f"not UTF-8 text (byte {error.start})"
        raise UnderstudyError(what, where=f"{file}:{line}", mend="save it as UTF-8") from None


def _named(delimiter: str) -> str:
    return {",": "a comma", ";": "a semicolon", "\t": "a tab"}.get(delimiter, f"'{delimiter}'")
