"""The desk questions: what a stranger would ask the travel desk, what would be right, and whether an answer is.

``desk_questions.jsonl`` holds one question a line. ``reference`` is SQL over the CSV files of the desk
(:func:`database`), which gives ``values``; a test runs it. ``also`` are other lists of values that are right too,
``plans`` the sequences of agents, ``liked`` what a recommender must find liked, ``unanswerable`` what no source says.
"""

from __future__ import annotations

import csv
import json
import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Value = str | int | float

QUESTIONS = Path(__file__).with_name("desk_questions.jsonl")
DESK = Path(__file__).resolve().parent.parent / "examples" / "travel_desk"
FACTS = ("borders", "speaks", "pays_with", "lies_in")


@dataclass(frozen=True)
class Question:
    """One line of the file; see the module."""

    id: str
    role: str
    request: str
    values: tuple[Value, ...] = ()
    also: tuple[tuple[Value, ...], ...] = ()
    reference: tuple[str, ...] = ()
    plans: tuple[tuple[str, ...], ...] = ()
    liked: tuple[str, ...] = ()
    unanswerable: bool = False

    @property
    def accepted(self) -> tuple[tuple[Value, ...], ...]:
        """Every list of values that is right."""
        return (self.values, *self.also)


def read_questions(path: Path = QUESTIONS) -> list[Question]:
    """All questions, in the order of the file."""
    return [_question(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _question(document: Mapping[str, Any]) -> Question:
    def fixed(value: Any) -> Any:
        return tuple(fixed(part) for part in value) if isinstance(value, list) else value

    return Question(**{name: fixed(value) for name, value in document.items()})


def database(folder: Path = DESK / "data") -> sqlite3.Connection:
    """``countries`` and ``triples`` of the desk as tables in memory, for the reference SQL."""
    connection = sqlite3.connect(":memory:")
    numbers = {"area_km2": "REAL", "population": "INTEGER", "population_year": "INTEGER"}
    for name in ("countries", "triples"):
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        columns = ", ".join(f"{column} {numbers.get(column, 'TEXT')}" for column in header)
        connection.execute(f"CREATE TABLE {name} ({columns})")
        connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(header))})", rows)
    return connection


def reference_values(question: Question, connection: sqlite3.Connection) -> tuple[Value, ...]:
    """What the reference SQL of a question gives, cells of all rows in order; whole numbers as integers."""
    cells = [cell for sql in question.reference for row in connection.execute(sql) for cell in row]
    return tuple(int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in cells)


def facts_of(folder: Path = DESK / "data") -> dict[str, list[tuple[str, str]]]:
    """Country → its facts (relation, other end), of the relations that a recommendation may rest on."""
    facts: dict[str, list[tuple[str, str]]] = {}
    with (folder / "triples.csv").open(encoding="utf-8", newline="") as file:
        for subject, relation, other in csv.reader(file):
            if relation in FACTS:
                facts.setdefault(subject, []).append((relation, other))
    return facts


def folded(value: Value) -> str | float:
    """A value as it is compared: numbers as numbers, words without case, accents, article and outer punctuation."""
    if isinstance(value, str):
        plain = value.replace(",", "") if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", value) else value
        if re.fullmatch(r"-?\d+(\.\d+)?", plain):
            return float(plain)
        bare = "".join(c for c in unicodedata.normalize("NFKD", value.casefold()) if not unicodedata.combining(c))
        return " ".join(re.sub(r"^the\s+", "", bare.strip(" .,;:!?\"")).split())
    return float(value)


def alike(one: Value, other: Value, tolerance: float = 1e-4) -> bool:
    """Whether two values are the same; numbers within a share of ``tolerance``, which covers rounding for show."""
    left, right = folded(one), folded(other)
    if isinstance(left, float) and isinstance(right, float):
        return abs(left - right) <= tolerance * max(abs(left), abs(right))
    return left == right


def same_set(found: Iterable[Value], wanted: Iterable[Value]) -> bool:
    """Whether each found value is wanted and each wanted value found."""
    found, wanted = list(found), list(wanted)
    return within(found, wanted) and within(wanted, found)


def within(some: Iterable[Value], all_of: Sequence[Value]) -> bool:
    """Whether every one of ``some`` is among ``all_of``."""
    return all(any(alike(value, other) for other in all_of) for value in some)


def pieces(text: str) -> list[str]:
    """A text that lists things, split: ``Dari, Pashto and Turkmen``."""
    return [piece.strip() for piece in re.split(r",|;|\band\b", text) if piece.strip()]


def right_finding(question: Question, answer: str, values: Sequence[Value], abstained: bool) -> bool:
    """Whether a finding answers a question: its values, or the list that its words are, are an accepted one."""
    if question.unanswerable or abstained:
        return question.unanswerable and abstained
    tried = (values, [answer], pieces(answer))
    return any(same_set(found, wanted) for found in tried for wanted in question.accepted)


def right_rows(question: Question, rows: Sequence[Sequence[Value | None]], most: int = 2) -> bool:
    """Whether one column of a result holds just the accepted values; a result of more than ``most`` columns is none."""
    columns = list(zip(*rows, strict=True))
    if not 0 < len(columns) <= most:
        return False
    found = [[cell for cell in column if cell is not None] for column in columns]
    return any(same_set(column, wanted) for column in found for wanted in question.accepted)


def shared_facts(
    places: Iterable[str], liked: Sequence[str], facts: Mapping[str, Sequence[tuple[str, str]]]
) -> float:
    """Mean number of facts that a place has in common with what was liked, or that lead to one of it."""
    known = {fact for name in liked for fact in facts.get(name, ())}
    counts = [sum(fact in known or fact[1] in liked for fact in facts.get(place, ())) for place in places]
    return sum(counts) / len(counts) if counts else 0.0


def popular(liked: Sequence[str], facts: Mapping[str, Sequence[tuple[str, str]]], most: int = 3) -> list[str]:
    """The places with most facts of all, whatever was liked: what a ranking must beat."""
    return sorted((name for name in facts if name not in liked), key=lambda name: (-len(facts[name]), name))[:most]


def closest(liked: Sequence[str], facts: Mapping[str, Sequence[tuple[str, str]]], most: int = 3) -> list[str]:
    """The places that share most facts with what was liked: the best there is."""
    others = (name for name in facts if name not in liked)
    return sorted(others, key=lambda name: (-shared_facts([name], liked, facts), name))[:most]
