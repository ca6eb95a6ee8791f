"""A CSV table with the line of each row: comma, semicolon or tab, as its header says; UTF-8, with a mark or without."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from .core.errors import UnderstudyError
from .workflows.demonstration_files import FileReport
from .workflows.problems import InvalidFile

DELIMITERS = ",;\t"


@dataclass(frozen=True)
class CsvTable:
    """The header, and the rows, each with the line on which it begins; all have as many cells as the header."""

    file: Path
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read_table(file: Path) -> CsvTable:
    """The table of a CSV file, without its empty rows; cells without outer space.

    Raises UnderstudyError with file:line where the file cannot be read, is not UTF-8 or has no header, and with every
    row that has more or fewer cells than the header.
    """
    text = _text(file)
    first = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    report = FileReport(file)
    header: tuple[str, ...] = ()
    rows = []
    line = 1
    try:
        for cells in reader:
            row, begins, line = tuple(cell.strip() for cell in cells), line, reader.line_num + 1
            if not any(row):
                continue
            if not header:
                header = row
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
    return CsvTable(file, header, tuple(rows))


def field_name(header: str) -> str:
    """The field that a column is called by: its header with ``_`` for what no name may have; "" where nothing is left.

    >>> field_name("Order number?")
    'Order_number'
    """
    name = re.sub(r"\W+", "_", header).strip("_")
    return f"field_{name}" if name[:1].isdigit() else name


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
    return {",": "a comma", ";": "a semicolon", "\t": "a tab"}[delimiter]
