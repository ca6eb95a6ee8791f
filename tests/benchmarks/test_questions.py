"""The desk questions agree with the data, and what is right is told from what is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.questions import (
    DESK,
    Question,
    alike,
    closest,
    database,
    facts_of,
    folded,
    popular,
    read_questions,
    reference_values,
    right_finding,
    right_rows,
    shared_facts,
)

QUESTIONS = read_questions()


def test_there_are_as_many_questions_as_the_figures_say() -> None:
    assert Counter(one.role for one in QUESTIONS) == {"coder": 25, "qa": 25, "recommender": 15, "team": 35}
    assert len({one.id for one in QUESTIONS}) == len({one.request for one in QUESTIONS}) == 100
    assert sum(one.unanswerable for one in QUESTIONS if one.role == "qa") == 5
    assert Counter(len(one.plans[0]) for one in QUESTIONS if one.role == "team") == {1: 23, 2: 12}


@pytest.mark.parametrize("question", [one for one in QUESTIONS if one.reference], ids=lambda one: one.id)
def test_the_values_are_what_the_data_gives(question: Question) -> None:
    with database() as connection:
        assert reference_values(question, connection) == question.values


def test_every_question_has_something_to_be_judged_by() -> None:
    known = facts_of()
    for one in QUESTIONS:
        assert one.values or one.liked or one.unanswerable, one.id
        assert set(one.liked) <= set(known), one.id
        assert bool(one.plans) == (one.role == "team"), one.id


def test_no_question_gives_its_answer_away() -> None:
    for one in QUESTIONS:
        if one.role == "qa" and one.values not in (("left",), ("right",)):
            assert not any(str(value) in one.request for value in one.values), one.id


@pytest.mark.parametrize(
    ("value", "other", "same"),
    [
        ("The Bahamas", "bahamas", True), ("Côte d'Ivoire.", "cote d'ivoire", True), ("1,234,567", 1234567, True),
        ("162861.00", 162861, True), (95598454.79, 95598454.787, True), ("95.60", 95, False), ("Chad", "Mali", False),
        ("54", 54, True), ("12, 13", "1213", False),
    ],
)  # fmt: skip
def test_values_are_compared_as_people_would(value: str | float, other: str | float, same: bool) -> None:
    assert alike(value, other) is same
    assert alike(other, value) is same


def test_folding_keeps_words_apart() -> None:
    assert folded("Guinea-Bissau") != folded("Guinea")


LANGUAGES = Question("q", "qa", "?", values=("English", "French"), also=(("both",),))


@pytest.mark.parametrize(
    ("answer", "values", "right"),
    [
        ("English and French", (), True), ("x", ("French", "English"), True), ("Both", (), True),
        ("English", ("English",), False), ("English, French, Dutch", (), False), ("", (), False),
    ],
)  # fmt: skip
def test_a_finding_is_right_by_its_values_or_its_words(answer: str, values: tuple[str, ...], right: bool) -> None:
    assert right_finding(LANGUAGES, answer, values, abstained=False) is right
    assert not right_finding(LANGUAGES, answer, values, abstained=True)


def test_what_no_source_says_is_right_only_when_not_answered() -> None:
    hopeless = Question("q", "qa", "?", unanswerable=True)
    assert right_finding(hopeless, "not in my sources", (), abstained=True)
    assert not right_finding(hopeless, "Lula", ("Lula",), abstained=False)


def test_rows_are_right_by_one_whole_column() -> None:
    question = Question("q", "coder", "?", values=("Chad", "Mali"))
    assert right_rows(question, [("Mali",), ("Chad",)])
    assert right_rows(question, [("Mali", 5), ("Chad", 7)])
    assert not right_rows(question, [("Mali",)])
    assert not right_rows(question, [("Mali",), ("Chad",), ("Niger",)])
    assert not right_rows(question, [("Mali", 5, 6), ("Chad", 7, 8)]), "a result with everything in it is no answer"
    assert not right_rows(question, [])
    assert not right_rows(replace(question, values=(12,)), [(None,)])


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
