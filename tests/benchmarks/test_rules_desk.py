"""The rules answer what rules can, in the shape that a decoder answers in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.rules_desk import Rules
from understudy.core.fields import Grades, Record
from understudy.core.prompts import Passage, Prompt

CAST = "coder: figures and averages from a table; qa: looks up facts; guide: suggests where to go next"
TABLES = "countries: name, capital, continent, area_km2 number, population number, driving_side"


def ask(
    role: str, passages: tuple[Passage, ...] = (), record: Record | None = None, **message: str
) -> dict[str, Any]:
    prompt = Prompt(passages=passages, message=tuple(message.items()), role=role)
    return Rules().decode([SimpleNamespace(prompt=prompt, record=record)])[0].values


@pytest.mark.parametrize(
    ("request_", "agents"),
    [
        ("What is the capital of Peru?", ["qa"]),
        ("How many countries are there?", ["coder"]),
        ("I loved Peru. Where next?", ["guide"]),
        ("Which neighbours of Peru have the most people?", ["qa", "coder"]),
        ("What is the capital of Peru, and how many people live in Chile?", ["qa", "coder"]),
    ],
)
def test_plans(request_: str, agents: list[str]) -> None:
    steps = ask("plan", cast=CAST, request=request_)["steps"]
    assert [step["agent"] for step in steps] == agents
    assert all(request_[step["request"].start : step["request"].end] == step["request"].text for step in steps)


@pytest.mark.parametrize(
    ("message", "sql"),
    [
        ({"request": "How many countries are in Asia?", "values": "continent = 'Asia'"},
         "SELECT COUNT(*) FROM countries WHERE continent = 'Asia'"),
        ({"request": "Which countries have more than 5 people?", "numbers": "5"},
         "SELECT name FROM countries WHERE population > 5"),
        ({"request": "The smallest country?"}, "SELECT name FROM countries ORDER BY area_km2 LIMIT 1"),
        ({"request": "Average population of these?", "given": "name IN (:given): Peru, Chile"},
         "SELECT AVG( population) FROM countries WHERE name IN (:given)"),
    ],
)  # fmt: skip
def test_sql(message: dict[str, str], sql: str) -> None:
    assert ask("SQL", tables=TABLES, **message)["sql"] == sql


def test_reading() -> None:
    borders, brief = "Peru borders: Chile, Brazil", "The capital of Peru is Lima."
    passages = (Passage("", borders, "graph"), Passage("Peru", brief, "a"))
    assert ask("answer", passages, question="Which countries border Peru?")["answer"].text == "Chile, Brazil"
    found = ask("answer", passages, question="What is the capital of Peru?")["answer"]
    assert found.text == "Lima" and brief[found.start : found.end] == "Lima"
    assert ask("answer", passages, question="Who wrote the anthem of Finland?")["answer"] is None


def test_ranking() -> None:
    shown = ("Chad: speaks Persian", "Chile: borders Peru, speaks Spanish", "Spain: speaks Spanish")
    record = Record((("places", Grades(("Chad", "Chile", "Spain"), shown=shown)),))
    found = ask("recommend", record=record, mentioned="Peru: speaks Spanish, borders Chile; Iran: speaks Persian",
                request="I loved Peru, but not Iran.")  # fmt: skip
    assert found == {"liked": ["Peru"], "places": {"Chad": 0, "Chile": 2, "Spain": 1}}
