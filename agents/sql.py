"""SQL as the coder writes it: schemas, the literals a query may hold, and the grammar of both.

SQL has one spelling throughout (upper-case keywords, single spaces, single quotes), so that it is few tokens and the
grammar is small.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

#: ``kind`` of a column: text with one value, text with several values between commas, or a number.
KINDS = ("text", "list", "number")
BEGINS, LIKE = "BEGINS", "LIKE"
_LIKE = {LIKE: "%{}%", BEGINS: "{}%"}  # operators that SQL has as patterns


@dataclass(frozen=True)
class Column:
    """A column: its identifier, its kind (one of :data:`KINDS`), and how many capital letters each value is, if so."""

    name: str
    kind: str
    letters: int = 0

    def text(self) -> str:
        """The column as prompts show it: ``area_km2 number``, ``iso2 2 letters``; other text columns are unmarked."""
        if self.letters:
            return f"{self.name} {self.letters} letters"
        return self.name if self.kind == "text" else f"{self.name} {self.kind}"


def letters_of(values: Iterable[object]) -> int:
    """How many capital letters each of the values is, where all are codes of as many, two or three; 0 otherwise."""
    texts = filter(None, map(str, values))
    lengths = {len(text) if text.isascii() and text.isalpha() and text.isupper() else 0 for text in texts}
    length = lengths.pop() if len(lengths) == 1 else 0
    return length if length in (2, 3) else 0


@dataclass(frozen=True)
class Table:
    """A table and its columns, the one that names the row first."""

    name: str
    columns: tuple[Column, ...]

    def text(self) -> str:
        """The table in one line, as prompts show it: ``rivers: name, length_km number``; see :meth:`Column.text`."""
        return f"{self.name}: " + ", ".join(column.text() for column in self.columns)


@dataclass(frozen=True)
class Schema:
    """The tables a query may read."""

    tables: tuple[Table, ...]

    def text(self) -> str:
        """The tables, as prompts show them."""
        return "; ".join(table.text() for table in self.tables)


@dataclass(frozen=True)
class Condition:
    """A comparison of one column with a value that the question names, found by :class:`.links.ValueIndex`."""

    table: str
    column: str
    operator: str
    value: str

    def sql(self) -> str:
        """The condition as it stands in SQL and in the prompt, quotes doubled."""
        value = self.value.replace("'", "''")
        if self.operator in _LIKE:
            return f"{self.column} LIKE '{_LIKE[self.operator].format(value)}'"
        return f"{self.column} {self.operator} '{value}'"

    def negated(self) -> str:
        """The opposite condition."""
        value = self.value.replace("'", "''")
        if self.operator in _LIKE:
            return f"{self.column} NOT LIKE '{_LIKE[self.operator].format(value)}'"
        return f"{self.column} != '{value}'"


@dataclass(frozen=True)
class Literals:
    """All that a query may compare with: linked conditions, numbers, and the columns that earlier results name."""

    conditions: tuple[Condition, ...] = ()
    numbers: tuple[str, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)  # table → the column that holds the given values
    places: tuple[int, ...] = ()  # 2 where the question asks for the second largest, …


NOTHING = "SELECT NULL"
"""What is written where no column tells what is asked."""


def _alternatives(options: Sequence[str]) -> str:
    return " | ".join(json.dumps(option, ensure_ascii=False) for option in dict.fromkeys(options))


def grammar(schema: Schema, literals: Literals) -> str:
    """A Lark grammar (llguidance dialect) of the SELECT statements over ``schema`` with no literal but ``literals``.

    One table a statement; projections, aggregates, up to four conditions, grouping, ordering, a limit; or
    :data:`NOTHING`.
    """
    queries = [f"query{number}" for number in range(len(schema.tables))]
    rules = ["start: " + " | ".join([*queries, json.dumps(NOTHING)])]
    for number, table in enumerate(schema.tables):
        rules.extend(_table_rules(str(number), table, literals))
    return "\n".join(rules) + "\n"


def _either(n: str, texts: Sequence[str]) -> list[str]:
    """Two or more of the conditions, each once and in the order of the question: what may stand between ORs."""
    written = [json.dumps(text, ensure_ascii=False) for text in texts]
    later = [" | ".join(f"either{n}_{other}" for other in range(at + 1, len(texts))) for at in range(len(texts))]
    rules = [
        f"either{n}_{at}: {text}" + (f' (" OR " ({later[at]}))?' if later[at] else "")
        for at, text in enumerate(written) if at
    ]  # fmt: skip
    firsts = [f'{text} " OR " ({after})' for text, after in zip(written, later, strict=True) if after]
    return [*rules, f"either{n}: " + " | ".join(firsts)]


def _table_rules(n: str, table: Table, literals: Literals) -> list[str]:
    linked = [condition for condition in literals.conditions if condition.table == table.name]
    given = literals.given.get(table.name)
    numeric = [column.name for column in table.columns if column.kind == "number"]
    textual = [column.name for column in table.columns if column.kind != "number"]
    limits = [value for value in literals.numbers if value.isdigit() and 1 < int(value) <= 100]
    texts = [condition.sql() for condition in linked]
    negative = [condition.negated() for condition in linked]
    if given:
        texts.append(f"{given} IN (:given)")
        negative.append(f"{given} NOT IN (:given)")
    conditions: list[str] = []
    rules: list[str] = []
    if texts:
        rules.append(f"linked{n}: {_alternatives(texts)}")
        rules.append(f"unlike{n}: {_alternatives(negative)}")
        conditions += [f"linked{n}", f"unlike{n}"]
        if len(texts) > 1:
            rules.extend(_either(n, texts))
            conditions.append(f'"( " either{n} ")"')
    key = table.columns[0].name
    rows = [condition.sql() for condition in linked if condition.column == key and condition.operator == "="]
    same = [json.dumps(f"{name} = (SELECT {name} FROM {table.name} WHERE ") for name in textual if name != key]
    if rows and same:  # what one row has that the question names
        conditions.append(f'({" | ".join(same)}) ({_alternatives(rows)}) ")"')
    items = ['"COUNT(*)"']
    if textual:
        rules.append(f"text{n}: {_alternatives(textual)}")
        items.append(f'"COUNT(DISTINCT " text{n} ")"')
    order = f"item{n}"
    if numeric:
        rules.append(f"number{n}: {_alternatives(numeric)}")
        ratio = f' (" * 1.0 / " number{n})?' if len(numeric) > 1 else ""
        rules.append(f"value{n}: number{n}{ratio}")
        rules.append(f'compare{n}: value{n} (" > " | " < " | " >= " | " <= " | " = ")')
        items.append(f'("AVG( " | "SUM( " | "MIN( " | "MAX( ") value{n} ")"')
        order = f"item{n} | value{n}"
        spreads = [f'"MAX( " {json.dumps(name)} ")" " - MIN( " {json.dumps(name)} ")"' for name in numeric]
        items.append(" | ".join(spreads))  # of two things: how far apart they are
        times = [f'"MAX( " {json.dumps(name)} ")" " * 1.0 / MIN( " {json.dumps(name)} ")"' for name in numeric]
        items.append(" | ".join(times))  # and how many times the one holds the other
        where = f'(" WHERE " linked{n})?' if texts else ""
        for name in numeric:  # and what share of all, in percent
            quoted, whole = json.dumps(name), json.dumps(f" * 100.0 / (SELECT SUM( {name}) FROM {table.name}")
            items.append(f'({quoted} | "SUM( " {quoted} ")") {whole} {where} ")"')
        head = f'compare{n} "(SELECT " (value{n} | ("AVG( " | "MAX( " | "MIN( ") value{n} ")")'
        conditions.append(f'{head} " FROM {table.name}" {where} ")"')
        if literals.numbers:
            rules.append(f"figure{n}: {_alternatives(literals.numbers)}")
            conditions += [f"compare{n} figure{n}", f'number{n} " BETWEEN " figure{n} " AND " figure{n}']
    rules.append(f"column{n}: {_alternatives([column.name for column in table.columns])}")
    rules.append(f"item{n}: " + " | ".join(items))
    shown = f"column{n} | item{n}" + (f" | value{n}" if numeric else "")
    rules.append(f"shown{n}: {shown}")
    where = ""
    if conditions:
        rules.append(f"condition{n}: " + " | ".join(conditions))
        where = f' (" WHERE " condition{n} (" AND " condition{n}){{0,3}})?'
    places = [f"1 OFFSET {place - 1}" for place in literals.places]
    rules.append(f'limit{n}: " LIMIT " ({_alternatives(["1", *limits, *places])})')
    group = f' (" GROUP BY " text{n})?' if textual else ""
    rules.append(
        f'query{n}: "SELECT " "DISTINCT "? shown{n} (", " shown{n}){{0,3}} " FROM {table.name}"{where}{group}'
        f' (" ORDER BY " ({order}) " DESC"? limit{n}?)?'
    )
    return rules
