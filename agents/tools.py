"""Tools: what a role may call while it handles a message. The SQL tool reads tables and can change nothing."""

from __future__ import annotations

import csv
import re
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Protocol
from urllib.parse import quote

from ..core.errors import UnderstudyError
from .cancellation import cancelled, check_cancelled
from .links import ValueIndex, fold, parts
from .sql import Column, Schema, Table, letters_of

Cell = str | int | float | None

_ROWS = 1000
_INDEXED = 5000
_GIVEN = re.compile(r"'(?:[^']|'')*'|:given\b")
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION}


class Tool(Protocol):
    """What every tool has; what it can do is its own."""

    @property
    def name(self) -> str: ...


class ToolError(UnderstudyError):
    """A tool that cannot be opened, or refused a call."""


@dataclass(frozen=True)
class Rows:
    """The result of a query: at most 1000 rows; ``more`` says that there were others."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    more: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing was found: no row, or one of nulls only, as an average over nothing gives."""
        return all(cell is None for row in self.rows for cell in row)


class SqlTool:
    """Tables from a CSV file or a SQLite database, read with one SELECT at a time.

    A CSV is loaded into memory; a database is opened with ``mode=ro``. Either way an authorizer lets nothing but
    SELECT, reading and functions pass, and a statement that runs longer than ``seconds`` is stopped.
    """

    name = "sql"

    def __init__(self, path: str | Path, seconds: float = 2.0) -> None:
        self.path = Path(path)
        self.seconds = seconds
        self._lock = RLock()
        if not self.path.is_file():
            raise ToolError("the tables cannot be found", where=str(self.path))
        try:
            if self.path.suffix.lower() in (".csv", ".tsv"):
                self._connection = _load(self.path)
            else:
                uri = f"file:{quote(str(self.path.resolve()))}?mode=ro"
                self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            self._schema, self._index, self._values = _look(self._connection)
        except (sqlite3.Error, UnicodeDecodeError, csv.Error) as error:
            raise ToolError(f"the tables cannot be read: {error}", where=str(self.path)) from None
        if not self._schema.tables:
            raise ToolError("there is no table in it", where=str(self.path))
        self._connection.execute("PRAGMA query_only = ON")
        self._connection.set_authorizer(_authorize)

    def schema(self) -> Schema:
        """The tables and their columns."""
        return self._schema

    def values(self, table: str, column: str) -> tuple[str, ...]:
        """The distinct values of a text column (elements of a list column), at most 5000."""
        return tuple(self._values.get((table, column), {}).values())

    @property
    def index(self) -> ValueIndex:
        """What links the words of a question to values of columns."""
        return self._index

    def given(self, values: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
        """The column of each table that holds most of ``values``, and the values as the tables spell them.

        Values that no table holds stay as they are; tables that hold none are left out.
        """
        columns: dict[str, str] = {}
        spelt: dict[str, str] = {}
        keys = [fold(value) for value in values]
        for table in self._schema.tables:
            best = 0
            for column in table.columns:
                known = self._values.get((table.name, column.name), {})
                here = {key: known[key] for key in keys if key in known}
                if column.kind == "text" and len(here) > best:
                    best, columns[table.name] = len(here), column.name
                    spelt = here | spelt if len(here) <= len(spelt) else spelt | here
        return columns, tuple(spelt.get(key, value) for key, value in zip(keys, values, strict=True))

    def execute(self, sql: str, given: Sequence[str] = ()) -> Rows:
        """Run one SELECT, ``:given`` bound to the given values.

        Raises:
            ToolError: SQLite's message, a statement that is not a SELECT, or one that ran too long.
            Cancelled: nobody waits for the rows any more.
        """
        names = [f":given{number}" for number in range(len(given))]
        listed = ", ".join(names) or "NULL"
        text = _GIVEN.sub(lambda match: listed if match.group() == ":given" else match.group(), sql)
        bound = {name[1:]: value for name, value in zip(names, given, strict=True)}
        with self._lock:
            stop = time.monotonic() + self.seconds
            self._connection.set_progress_handler(lambda: cancelled() or time.monotonic() > stop, 1000)
            try:
                cursor = self._connection.execute(text, bound)
                if cursor.description is None:
                    raise ToolError("only SELECT may be run", where="sql")
                rows = cursor.fetchmany(_ROWS + 1)
            except sqlite3.Error as error:
                check_cancelled()
                late = "interrupted" in str(error)
                raise ToolError(f"it ran longer than {self.seconds:g} s" if late else str(error), where="sql") from None
            except sqlite3.Warning as error:
                raise ToolError(str(error), where="sql") from None
            finally:
                self._connection.set_progress_handler(None, 0)
        columns = tuple(str(column[0]) for column in cursor.description)
        return Rows(columns, tuple(tuple(_cell(cell) for cell in row) for row in rows[:_ROWS]), len(rows) > _ROWS)

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


def open_tool(document: Mapping[str, str], base: Path) -> Tool:
    """The tool that a team file names: ``{sql: data/countries.csv}``, the path under ``base``."""
    if set(document) != {"sql"}:
        raise ToolError(f"there is no tool {', '.join(document) or '(nothing)'}", mend="use {sql: FILE}")
    return SqlTool(base / document["sql"])


def _authorize(action: int, first: str | None, second: str | None, database: str | None, source: str | None) -> int:
    if action == sqlite3.SQLITE_FUNCTION and second == "load_extension":
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _cell(value: object) -> Cell:
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return value if isinstance(value, str | int | float) or value is None else str(value)


def identifier(text: str, taken: Iterable[str] = ()) -> str:
    """A column or table name in plain letters: ``Area (km²)`` → ``area_km2``, numbered where it is taken."""
    plain = re.sub(r"[^a-z0-9]+", "_", fold(text.replace("_", " ").replace("²", "2"))).strip("_") or "column"
    plain = f"c_{plain}" if plain[0].isdigit() or plain.upper() in _RESERVED else plain
    name, number = plain, 1
    while name in taken:
        number += 1
        name = f"{plain}_{number}"
    return name


_RESERVED = frozenset(
    (
        "SELECT FROM WHERE ORDER GROUP BY AND OR NOT IN LIKE LIMIT TABLE INDEX TO ON AS IS NULL SET VALUES "
        "JOIN UNION ALL DISTINCT HAVING CASE WHEN THEN ELSE END BETWEEN EXISTS DEFAULT CHECK UNIQUE PRIMARY "
        "REFERENCES CREATE DELETE UPDATE INSERT DROP ALTER COLLATE CONSTRAINT FOREIGN ADD TRANSACTION "
    ).split()
)


def _number(text: str) -> float | int | None:
    """The number a cell holds, or None: codes such as 007 are texts."""
    if not re.fullmatch(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", text):
        return None
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _load(path: Path) -> sqlite3.Connection:
    """A CSV file as a table in memory, named by the file; columns of numbers hold numbers, empty cells are NULL."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [row for row in csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",") if row]
    if len(lines) < 2:
        raise ToolError("the table has no rows", where=str(path))
    header: list[str] = []
    for title in lines[0]:
        header.append(identifier(title, header))
    for number, row in enumerate(lines[1:], 2):
        if len(row) != len(header):
            raise ToolError(f"{len(row)} cells in a row of {len(header)}", where=f"{path}, row {number}",
                            mend="put a cell that has commas in quotes")  # fmt: skip
    columns = list(zip(*lines[1:], strict=True))
    numeric = [all(_number(cell) is not None for cell in column if cell) and any(column) for column in columns]
    cells = [
        [(_number(cell) if is_number else cell) if cell else None for cell in column]
        for column, is_number in zip(columns, numeric, strict=True)
    ]
    table = identifier(path.stem)
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    kinds = ", ".join(
        f"{name} {'NUMERIC' if is_number else 'TEXT'}" for name, is_number in zip(header, numeric, strict=True)
    )
    connection.execute(f"CREATE TABLE {table} ({kinds})")
    marks = ", ".join("?" for _ in header)
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", zip(*cells, strict=True))
    connection.commit()
    return connection


Values = dict[tuple[str, str], dict[str, str]]


def _look(connection: sqlite3.Connection) -> tuple[Schema, ValueIndex, Values]:
    """The tables of a database, the index of their text values, and these values by their folded form."""
    listed = (
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    )
    names = [row[0] for row in connection.execute(listed)]
    index, values, tables = ValueIndex(), Values(), []
    for name in names:
        if not name.isidentifier() or not name.isascii():
            continue
        columns = []
        for row in connection.execute(f"PRAGMA table_info({name})"):
            if not row[1].isidentifier() or not row[1].isascii():
                continue
            held = [found[0] for found in connection.execute(
                f"SELECT DISTINCT {row[1]} FROM {name} WHERE {row[1]} IS NOT NULL LIMIT {_INDEXED}")]  # fmt: skip
            kind = _kind(held)
            column = Column(row[1], kind, letters_of(held) if kind == "text" else 0)
            columns.append(column)
            if column.kind != "number":
                texts = [str(value) for value in held]
                index.add(name, column, texts)
                pieces = texts if column.kind == "text" else [part for text in texts for part in parts(text)]
                values[name, row[1]] = {fold(piece): piece for piece in pieces}
        if columns:
            tables.append(Table(name, tuple(columns)))
    return Schema(tuple(tables)), index, values


def _kind(values: Sequence[object]) -> str:
    """Number, list (several elements in a cell, which come back in other cells), or text."""
    if values and all(isinstance(value, int | float) for value in values):
        return "number"
    pieces = [parts(str(value)) for value in values]
    several = [found for found in pieces if len(found) > 1]
    singles = {found[0] for found in pieces if len(found) == 1}
    elements = {part for found in several for part in found}
    again = sum(1 for found in several for part in found if part in singles) + sum(map(len, several)) - len(elements)
    return "list" if several and again > len(elements) / 3 and len(several) > 1 else "text"
