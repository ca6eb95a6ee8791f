"""The desk questions agree with the data, and what is right is told from what is wrong."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.questions import (
    DESK,
    DEVELOPING,
    FIFTH,
    FOURTH,
    FRESH,
    QUESTIONS,
    SECOND,
    THIRD,
    closest,
    database,
    facts_of,
    popular,
    reference_values,
    shared_facts,
)
from understudy.examination import parts_of
from understudy.questions import Question, read_questions
from understudy.workflows.team import Team

SEEN = read_questions(QUESTIONS)
UNSEEN = read_questions(FRESH)
LOOKED_AT = [question for file in DEVELOPING for question in read_questions(file)]
SECOND_UNSEEN = read_questions(SECOND)
THIRD_UNSEEN = read_questions(THIRD)
FOURTH_UNSEEN = read_questions(FOURTH)
FIFTH_UNSEEN = read_questions(FIFTH)


@pytest.fixture(scope="module")
def tables() -> Iterator[sqlite3.Connection]:
    with database() as connection:
        yield connection


def test_there_are_as_many_questions_as_the_figures_say() -> None:
    assert Counter(one.role for one in SEEN) == {"coder": 25, "qa": 25, "recommender": 15, "team": 35}
    assert len({one.id for one in SEEN}) == len({one.request for one in SEEN}) == 100
    assert sum(one.unanswerable for one in SEEN if one.role == "qa") == 5
    assert Counter(one.needs_two for one in SEEN if one.role == "team") == {False: 23, True: 12}
    assert Counter(one.role for one in UNSEEN) == {"planner": 56, "coder": 60, "qa": 72, "recommender": 52, "team": 70}
    assert len({one.id for one in UNSEEN}) == 310
    assert all(one.needs_two for one in UNSEEN if one.role == "team")
    assert Counter(one.role for one in LOOKED_AT) == {"coder": 215, "qa": 215, "recommender": 20, "team": 260}
    assert Counter(one.role for one in SECOND_UNSEEN) == {"coder": 60, "qa": 60, "recommender": 54, "team": 120}
    assert sum(one.needs_two for one in SECOND_UNSEEN) == 68
    assert sum(one.unanswerable for one in SECOND_UNSEEN) == 12
    assert Counter(one.role for one in THIRD_UNSEEN) == {"coder": 60, "qa": 60, "team": 100}
    assert sum(one.needs_two for one in THIRD_UNSEEN) == 60
    assert Counter(one.role for one in THIRD_UNSEEN if one.unanswerable) == {"coder": 4, "qa": 12}
    assert Counter(one.role for one in FOURTH_UNSEEN) == {"coder": 60, "qa": 60, "team": 100}
    assert sum(one.needs_two for one in FOURTH_UNSEEN) == 60
    assert Counter(one.role for one in FOURTH_UNSEEN if one.unanswerable) == {"coder": 4, "qa": 12}
    assert Counter(one.role for one in FIFTH_UNSEEN) == {"coder": 60, "qa": 60, "team": 100}
    assert Counter(one.role for one in FIFTH_UNSEEN if one.unanswerable) == {"coder": 4, "qa": 12, "team": 5}
    everything = [*SEEN, *UNSEEN, *LOOKED_AT, *SECOND_UNSEEN, *THIRD_UNSEEN, *FOURTH_UNSEEN, *FIFTH_UNSEEN]
    assert len({one.id for one in SECOND_UNSEEN}) == 294
    for later in (THIRD_UNSEEN, FOURTH_UNSEEN, FIFTH_UNSEEN):
        assert len({one.id for one in later}) == 220
    assert len({one.request.lower() for one in everything}) == 2074


def test_the_desk_can_be_asked_all_of_them() -> None:
    team = Team.load(DESK / "team.yaml")
    for questions in (SEEN, UNSEEN, LOOKED_AT, SECOND_UNSEEN, THIRD_UNSEEN, FOURTH_UNSEEN, FIFTH_UNSEEN):
        assert sum(map(len, parts_of(team, questions).values())) == len(questions)


@pytest.mark.parametrize("question", [one for one in (*SEEN, *UNSEEN) if one.reference], ids=lambda one: one.id)
def test_the_values_are_what_the_data_gives(question: Question, tables: sqlite3.Connection) -> None:
    assert reference_values(question, tables) == question.values


LATER = [one for one in (*LOOKED_AT, *SECOND_UNSEEN, *THIRD_UNSEEN, *FOURTH_UNSEEN, *FIFTH_UNSEEN)
         if one.role == "coder"]  # fmt: skip


@pytest.mark.parametrize("question", LATER, ids=lambda one: one.id)
def test_the_values_of_the_later_files_are_what_the_data_gives(question: Question, tables: sqlite3.Connection) -> None:
    found = reference_values(question, tables)
    assert sorted(map(str, found)) == sorted(map(str, question.values)) or set(found) >= set(question.values)


def test_notes_are_read_where_they_are(tables: sqlite3.Connection, tmp_path: Path) -> None:
    count = "SELECT COUNT(*) FROM notes WHERE temperature_c < 100"
    (rows,) = tables.execute(count).fetchone()
    assert rows > 50
    for name in ("countries", "triples"):
        shutil.copy(DESK / "data" / f"{name}.csv", tmp_path)
    with database(tmp_path) as without, pytest.raises(sqlite3.OperationalError):
        without.execute(count)
    (tmp_path / "notes.csv").write_text("name,temperature_c\nChad,\nMali,28\n", encoding="utf-8")
    with database(tmp_path) as short:
        assert short.execute("SELECT name FROM notes WHERE temperature_c > 0").fetchall() == [("Mali",)]


def test_every_question_has_something_to_be_judged_by() -> None:
    known = facts_of()
    for one in SEEN:
        assert one.values or one.liked or one.unanswerable, one.id
        assert bool(one.plans) == (one.role == "team"), one.id
    for one in (*SEEN, *UNSEEN, *LOOKED_AT, *SECOND_UNSEEN, *THIRD_UNSEEN, *FOURTH_UNSEEN, *FIFTH_UNSEEN):
        assert set(one.liked) <= set(known), one.id


def test_no_question_gives_its_answer_away() -> None:
    for one in SEEN:
        if one.role == "qa" and one.values not in (("left",), ("right",)):
            assert not any(str(value) in one.request for value in one.values), one.id


def test_shared_facts_and_the_rankings_to_compare_with() -> None:
    facts = {
        "Peru": [("speaks", "Spanish"), ("borders", "Chile")],
        "Chile": [("speaks", "Spanish"), ("borders", "Peru")],
        "Spain": [("speaks", "Spanish")],
        "China": [("borders", name) for name in "abcdef"],
    }
    assert shared_facts(["Chile"], ["Peru"], facts) == 2
    assert shared_facts(["Chile", "China"], ["Peru"], facts) == 1
    assert shared_facts([], ["Peru"], facts) == 0
    assert popular(["Peru"], facts, 2) == ["China", "Chile"]
    assert closest(["Peru"], facts, 2) == ["Chile", "Spain"]


def test_the_desk_is_where_it_is_looked_for() -> None:
    assert (DESK / "team.yaml").is_file()
