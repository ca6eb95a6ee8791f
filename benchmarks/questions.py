"""What of the questions is of the travel desk alone: its data as tables for the reference SQL, and as facts.

``desk_questions.jsonl``, ``desk_questions_second.jsonl``, ``…_third.jsonl`` and ``…_fourth.jsonl`` are what has been
looked at while the desk was made; ``FRESH``, ``SECOND``, ``THIRD``, ``FOURTH`` and ``FIFTH`` are what judges it, in the
order in which they were written. Their form is that of :mod:`understudy.questions`; ``reference`` is SQL on the CSV
files of the desk (:func:`database`), which gives ``values``, where it is SQL; a test runs it.
"""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from understudy.questions import Question, Value

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = Path(__file__).with_name("desk_questions.jsonl")
DEVELOPING = tuple(QUESTIONS.with_name(f"desk_questions_{which}.jsonl") for which in ("second", "third", "fourth"))
FRESH = ROOT / "tests" / "data" / "travel_desk_questions.jsonl"
SECOND = FRESH.with_name("travel_desk_questions_second.jsonl")
THIRD = FRESH.with_name("travel_desk_questions_third.jsonl")
FOURTH = FRESH.with_name("travel_desk_questions_fourth.jsonl")
FIFTH = FRESH.with_name("travel_desk_questions_fifth.jsonl")
DESK = ROOT / "examples" / "travel_desk"
NUMBERS = {"area_km2": "REAL", "population": "INTEGER", "population_year": "INTEGER", "independent_since": "INTEGER",
           "temperature_c": "INTEGER"}  # fmt: skip
FACTS = ("borders", "speaks", "pays_with", "lies_in")


def database(folder: Path = DESK / "data") -> sqlite3.Connection:
    """``countries``, ``triples`` and, where it is there, ``notes`` of the desk as tables in memory, for reference SQL.

    A number that is missing is NULL.
    """
    connection = sqlite3.connect(":memory:")
    for name in ("countries", "triples", "notes"):
        path = folder / f"{name}.csv"
        if name == "notes" and not path.is_file():
            continue
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        cells = [[None if not cell and column in NUMBERS else cell for column, cell in zip(header, row, strict=True)]
                 for row in rows]  # fmt: skip
        columns = ", ".join(f"{column} {NUMBERS.get(column, 'TEXT')}" for column in header)
        connection.execute(f"CREATE TABLE {name} ({columns})")
        connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(header))})", cells)
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
