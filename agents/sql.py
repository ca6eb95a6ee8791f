"""Tables as the coder sees them: schemas, the values a question names, and the grammar of the SQL that may be written.

Everything here is a pure function over frozen values. SQL has one spelling throughout (upper-case keywords, single
spaces, single quotes, a blank after an opening bracket), so that it is few tokens, a name has the same tokens wherever
it stands, and the grammar is small.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

#: ``kind`` of a column: text with one value, text with several values between commas, or a number.
KINDS = ("text", "list", "number")


@dataclass(frozen=True)
class Column:
    """A column: its identifier and its kind (one of :data:`KINDS`)."""

    name: str
    kind: str


@dataclass(frozen=True)
class Table:
    """A table and its columns, the one that names the row first."""

    name: str
    columns: tuple[Column, ...]

    def text(self) -> str:
        """The table in one line, as prompts show it, text columns unmarked: ``rivers: name, length_km number``."""
        return f"{self.name}: " + ", ".join(
            column.name if column.kind == "text" else f"{column.name} {column.kind}" for column in self.columns
        )


@dataclass(frozen=True)
class Schema:
    """The tables a query may read."""

    tables: tuple[Table, ...]

    def text(self) -> str:
        """The tables, as prompts show them."""
        return "; ".join(table.text() for table in self.tables)


@dataclass(frozen=True)
class Condition:
    """A comparison of one column with a value that the question names, found by :class:`ValueIndex`."""

    table: str
    column: str
    operator: str
    value: str

    def sql(self) -> str:
        """The condition as it stands in SQL and in the prompt, quotes doubled."""
        value = self.value.replace("'", "''")
        if self.operator == "LIKE":
            return f"{self.column} LIKE '%{value}%'"
        return f"{self.column} {self.operator} '{value}'"

    def negated(self) -> str:
        """The opposite condition."""
        value = self.value.replace("'", "''")
        if self.operator == "LIKE":
            return f"{self.column} NOT LIKE '%{value}%'"
        return f"{self.column} != '{value}'"


_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?", re.UNICODE)
_ENDINGS = ("s", "es", "n", "an", "ian", "ean", "'s", "’s", "s'")
_LONGEST = 6


def fold(text: str) -> str:
    """Lower case without diacritics, words separated by one space: the form in which values are compared."""
    if not text.isascii():
        plain = unicodedata.normalize("NFKD", text)
        text = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(_WORD.findall(text.lower()))


def _stems(words: str) -> Iterable[str]:
    """The folded words, and what they may be a plural, a possessive or an adjective of (African → africa)."""
    yield words
    for ending in _ENDINGS:
        if words.endswith(ending) and len(words) - len(ending) > 2:
            yield words[: -len(ending)]
    if words.endswith("ies"):
        yield words[:-3] + "y"
    if words.endswith("an") and len(words) > 5:
        yield words[:-2] + "e"


def parts(value: str) -> list[str]:
    """The elements of a list-like value, split at commas and semicolons."""
    return [part.strip() for part in re.split(r"[,;]", value) if part.strip()]


class ValueIndex:
    """Which column values a question names: exact values, elements of lists, last words of longer values.

    Case, diacritics, plural and adjective endings are folded. Values of up to three letters (codes) are found only
    in their own case, since ``IN`` and ``IS`` are also words.
    """

    def __init__(self) -> None:
        self._exact: dict[str, list[Condition]] = {}
        self._flags: dict[str, list[Condition]] = {}
        self._seen: set[tuple[str, str, str]] = set()

    def add(self, table: str, column: Column, values: Iterable[str]) -> None:
        """Index the distinct text values of one column. Number columns are ignored."""
        if column.kind == "number":
            return
        distinct = dict.fromkeys(value for value in values if value)
        if {value.lower() for value in distinct} == {"yes", "no"}:
            for value in sorted(distinct, reverse=True):
                self._put(self._flags, fold(column.name.replace("_", " ")), Condition(table, column.name, "=", value))
            return
        tails: dict[str, tuple[str, int]] = {}
        for value in distinct:
            pieces = parts(value) if column.kind == "list" else [value]
            for piece in pieces:
                if "%" in piece or "\n" in piece or len(piece) > 60:
                    continue
                operator = "LIKE" if column.kind == "list" else "="
                key = piece if len(piece) <= 3 else fold(piece)
                self._put(self._exact, key, Condition(table, column.name, operator, piece))
                words = piece.split()
                if len(words) > 1 and len(words[-1]) > 2 and words[-1].islower():
                    last = fold(words[-1])
                    tails[last] = (words[-1], tails.get(last, ("", 0))[1] + 1)
        for key, (word, _) in tails.items():
            if not any(known.column == column.name for known in self._exact.get(key, ())):
                self._put(self._exact, key, Condition(table, column.name, "LIKE", word))

    def _put(self, index: dict[str, list[Condition]], key: str, condition: Condition) -> None:
        same = (key, condition.column, condition.sql())
        if key and same not in self._seen:
            self._seen.add(same)
            index.setdefault(key, []).append(condition)

    def link(self, question: str, at_most: int = 8) -> tuple[Condition, ...]:
        """The conditions that the question's words name, longest match first at each place, in order of place."""
        matches = list(_WORD.finditer(question))
        raw = [match.group() for match in matches]
        words = [fold(word) or word.lower() for word in raw]
        found: list[Condition] = []
        place = 0
        while place < len(words):
            for length in range(min(_LONGEST, len(words) - place), 0, -1):
                here = self._lookup(" ".join(words[place : place + length]), raw[place] if length == 1 else "")
                if here:
                    found.extend(condition for condition in here if condition not in found)
                    place += length
                    break
            else:
                place += 1
        return tuple(found[:at_most])

    def _lookup(self, words: str, raw: str) -> list[Condition]:
        if raw and raw in self._exact and len(raw) <= 3:
            return self._exact[raw]
        for stem in _stems(words):
            if len(stem) > 3 and stem in self._exact:
                return self._exact[stem]
            if stem in self._flags:
                return self._flags[stem]
        return []


_SCALES = {"thousand": 10**3, "k": 10**3, "million": 10**6, "millions": 10**6, "m": 10**6, "mn": 10**6, "bn": 10**9,
           "billion": 10**9, "billions": 10**9, "trillion": 10**12}
_NUMERALS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
             "twelve": 12, "fifteen": 15, "twenty": 20, "fifty": 50, "hundred": 100}
_NUMBER = re.compile(r"(?<![\w.])(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)\s*(thousand|k|millions?|mn?|bn|billions?|trillion)?\b"
                     r"|\b(an?|" + "|".join(_NUMERALS) + r")(?:\s+(hundred|thousand|million|billion|trillion))?\b",
                     re.IGNORECASE)


def numbers(question: str, at_most: int = 4) -> tuple[str, ...]:
    """The numbers in a question, written out: ``50 million`` → ``50000000``, ``three`` → ``3``."""
    found: list[str] = []
    for digits, scale, word, times in _NUMBER.findall(question):
        if word:
            if word.lower() in ("a", "an") and not times:
                continue
            value = float(_NUMERALS.get(word.lower(), 1)) * ({"hundred": 100} | _SCALES).get(times.lower(), 1)
        else:
            value = round(float(digits.replace(",", "")) * _SCALES.get(scale.lower(), 1), 6)
        text = str(int(value)) if value == int(value) else str(value)
        if text not in found:
            found.append(text)
    return tuple(found[:at_most])


@dataclass(frozen=True)
class Literals:
    """All that a query may compare with: linked conditions, numbers, and the columns that earlier results name."""

    conditions: tuple[Condition, ...] = ()
    numbers: tuple[str, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)  # table → the column that holds the given values


def _alternatives(options: Sequence[str]) -> str:
    return " | ".join(json.dumps(option, ensure_ascii=False) for option in dict.fromkeys(options))


def grammar(schema: Schema, literals: Literals) -> str:
    """A Lark grammar (llguidance dialect) of the SELECT statements over ``schema`` with no literal but ``literals``.

    One table a statement; projections, aggregates, up to four conditions, grouping, ordering, a limit.
    """
    rules = ["start: " + " | ".join(f"query{number}" for number in range(len(schema.tables)))]
    for number, table in enumerate(schema.tables):
        rules.extend(_table_rules(str(number), table, literals))
    return "\n".join(rules) + "\n"


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
        conditions += [f"linked{n}", f"unlike{n}", f'"( " linked{n} " OR " linked{n} ")"']
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
        where = f'(" WHERE " linked{n})?' if texts else ""
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
    rules.append(f'limit{n}: " LIMIT " ({_alternatives(["1", *limits])})')
    group = f' (" GROUP BY " text{n})?' if textual else ""
    rules.append(f'query{n}: "SELECT " "DISTINCT "? shown{n} (", " shown{n}){{0,3}} " FROM {table.name}"{where}{group}'
                 f' (" ORDER BY " ({order}) " DESC"? limit{n}?)?')
    return rules
