"""Rows: tables of CSV, TSV, JSON and JSONL.

Columns ``subject``, ``relation`` and ``object`` make every row a fact (:mod:`.triples`), ``title`` and ``text`` a
passage whose other columns are metadata. Any other table is about things: :mod:`.things` makes a passage of each row,
and a fact of each of its cells.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..core.errors import UnderstudyError
from .pieces import Piece
from .readings import Reading, decoded, plain, shown
from .things import named, thing
from .triples import COLUMNS, MORE, facts_of

Row = dict[str, Any]

# Longer numbers and those that begin with a zero are codes.
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?")
_PASSAGE = ("title", "text")
_KNOWN = frozenset((*_PASSAGE, *COLUMNS, *MORE))


def comma_separated(content: bytes, name: str, where: str) -> Reading:
    """Reads CSV. Raises UnderstudyError, with the line, when it is not UTF-8 or a row is malformed."""
    return _table(decoded(content, where), name, where, ",")


def tab_separated(content: bytes, name: str, where: str) -> Reading:
    """Reads CSV with tabs. Raises UnderstudyError, with the line, when it is not UTF-8 or a row is malformed."""
    return _table(decoded(content, where), name, where, "\t")


def json_rows(content: bytes, name: str, where: str) -> Reading:
    """Reads a list of objects, an object with one such list (its other values are metadata), or one object.

    Raises:
        UnderstudyError: when it is not UTF-8, not JSON, or a row is no object.
    """
    text = decoded(content, where)
    if not text.strip():
        return Reading()
    value = _json(text, where)
    metadata: Row = {}
    if isinstance(value, dict) and not {key.strip().lower() for key in value}.issuperset(_PASSAGE):
        lists = [key for key, one in value.items() if _objects(one)]
        if len(lists) == 1:
            metadata = {key: one for key, one in value.items() if key != lists[0]}
            value = value[lists[0]]
    rows = value if isinstance(value, list) else [value]
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            what = f"row {number} is no object" if isinstance(value, list) else "neither an object nor a list of them"
            raise UnderstudyError(what, where=where, mend='write [{"title": "…", "text": "…"}, …]')
    reading = _reading([_known(row) for row in rows], name, where)
    return Reading(reading.pieces, reading.facts, metadata)


def json_lines(content: bytes, name: str, where: str) -> Reading:
    """Reads one object a line. Raises UnderstudyError, with the line, when it is not UTF-8 or a line is malformed."""
    rows: list[Row] = []
    for number, line in enumerate(decoded(content, where).split("\n"), 1):
        if line.strip():
            row = _json(line, where, number, "write one object a line")
            if not isinstance(row, dict):
                mend = 'write {"title": "…", "text": "…"}'
                raise UnderstudyError("the line holds no object", where=f"{where}:{number}", mend=mend)
            rows.append(_known(row))
    return _reading(rows, name, where)


def number(cell: str) -> int | float | str:
    """The number that a cell of CSV holds, else the cell: ``007`` is a code."""
    if not _NUMBER.fullmatch(cell):
        return cell
    return float(cell) if "." in cell else int(cell)


def _table(text: str, name: str, where: str, delimiter: str) -> Reading:
    lines = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    rows: list[Row] = []
    header: list[str] | None = None
    try:
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = _header(cells, f"{where}:{lines.line_num}")
                continue
            if len(cells) != len(header):
                raise UnderstudyError(
                    f"{len(cells)} cells under {len(header)} columns",
                    where=f"{where}:{lines.line_num}",
                    mend=f"quote cells that hold a {'tab' if delimiter == chr(9) else 'comma'}",
                )
            # A column without a name is a table program's count of its rows.
            rows.append({column: cell.strip() for column, cell in zip(header, cells, strict=True) if column})
    except csv.Error as error:
        raise UnderstudyError(f"not a CSV row: {error}", where=f"{where}:{lines.line_num}") from None
    return _reading(rows, name, where, number)


def _header(cells: Sequence[str], where: str) -> list[str]:
    header = [cell.strip() for cell in cells]
    header = [column.lower() if column.lower() in _KNOWN else column for column in header]
    twice = [column for column, times in Counter(header).items() if column and times > 1]
    if twice:
        raise UnderstudyError(f"the column {twice[0]} stands twice", where=where, mend="rename one of the two")
    if len(header) == 1:
        mend = "knowledge needs title,text (passages), subject,relation,object (facts), or a name and more columns"
        raise UnderstudyError(f"the only column is {header[0]}", where=where, mend=mend)
    _check(header, where)
    return header


def _check(columns: Sequence[str], where: str) -> None:
    given = [column for column in COLUMNS if column in columns]
    if len(given) == 2:
        missing = next(column for column in COLUMNS if column not in given)
        raise UnderstudyError(
            f"the columns are {', '.join(columns)}: facts lack their {missing}",
            where=where,
            mend="call the columns subject, relation and object",
        )


def _json(text: str, where: str, line: int | None = None, mend: str | None = None) -> Any:
    try:
        return plain(json.loads(text, parse_constant=_refused))
    except json.JSONDecodeError as error:
        at = f"{where}:{line or error.lineno}:{error.colno}"
        raise UnderstudyError(f"not JSON: {error.msg}", where=at, mend=mend) from None
    except RecursionError:
        what = "it is nested too deeply"
    except ValueError as error:  # a number with thousands of digits, or no number at all
        what = str(error)
    raise UnderstudyError(f"not JSON: {what}", where=f"{where}:{line}" if line else where, mend=mend)


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no value")


def _objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _known(row: Row) -> Row:
    return {
        key.strip().lower() if key.strip().lower() in _KNOWN else key.strip(): value.strip()
        if isinstance(value, str)
        else value
        for key, value in row.items()
    }


def _reading(rows: Sequence[Row], name: str, where: str, value: Callable[[Any], Any] = lambda cell: cell) -> Reading:
    """Passages and facts of rows; ``value`` makes a cell what metadata hold of it."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    if set(COLUMNS) <= set(columns):
        return Reading((), facts_of(rows, name, where))
    _check(columns, where)
    if set(_PASSAGE) <= set(columns):
        return Reading(_passages(rows, name, where, value))
    if not columns:
        return Reading()
    column = named(rows, columns)
    for at, row in enumerate(rows, 1):
        if isinstance(row.get(column), dict | list) or not shown(row.get(column)).strip():
            raise UnderstudyError(f"the row has no name in its column {column}", where=f"{where}#{at}")
    subjects = [" ".join(shown(row[column]).split()) for row in rows]
    read = [
        thing(row, column, subject, source, _metadata(row, value))
        for row, subject, source in zip(rows, subjects, _sources(subjects, name), strict=True)
    ]
    return Reading([piece for piece, _ in read if piece.text], [one for _, facts in read for one in facts])


def _passages(rows: Sequence[Row], name: str, where: str, value: Callable[[Any], Any]) -> list[Piece]:
    for at, row in enumerate(rows, 1):
        for column in _PASSAGE:
            if not isinstance(row.get(column), str | int | float):
                mend = 'write {"title": "…", "text": "…"}'
                raise UnderstudyError(f'the row has no "{column}"', where=f"{where}#{at}", mend=mend)
    titles, texts = ([shown(row[column]).strip() for row in rows] for column in _PASSAGE)
    return [
        Piece(title, text, source, 0, len(text), metadata=_metadata(row, value, _PASSAGE))
        for row, title, text, source in zip(rows, titles, texts, _sources(titles, name), strict=True)
        if text
    ]


def _sources(titles: Sequence[str], name: str) -> list[str]:
    """What each row is cited as: its title where only it has that, else its number."""
    times = Counter(titles)
    plain_titles = (title if title and times[title] == 1 and not title.isdigit() else "" for title in titles)
    return [f"{name}#{title or at}" for at, title in enumerate(plain_titles, 1)]


def _metadata(row: Mapping[str, Any], value: Callable[[Any], Any], without: Sequence[str] = ()) -> Row:
    return {key: value(cell) for key, cell in row.items() if key not in without and cell not in (None, "", [], {})}
