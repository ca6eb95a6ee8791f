"""Answers of roles and of runs are judged as the figures say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from understudy.agents.messages import Finding, Message, Place, Plan, PlannedStep, Query, Ranking
from understudy.core.errors import UnderstudyError
from understudy.judging import judge_role, judge_team, require_judgeable
from understudy.questions import Question

PLANNED = Question("t", "team", "?", values=("Mali",), plans=(("qa", "coder"),))


def plan(*agents: str) -> Plan:
    return Plan(steps=tuple(PlannedStep(agent=name, request="?") for name in agents))


def run(agents: tuple[str, ...], output: dict[str, Any] | None, status: str = "completed") -> Any:
    step = SimpleNamespace(name="think", output=plan(*agents))
    return SimpleNamespace(status=status, output=output or {}, error=None, steps=[step], value=None)


def nowhere(name: str) -> bool:
    return False


def answer(*values: str, abstained: bool = False) -> dict[str, Any]:
    return {"answer": "; ".join(values), "values": values, "abstained": abstained}


def test_a_plan_is_right_by_its_agents_in_order() -> None:
    assert judge_role(PLANNED, plan("qa", "coder")).right
    assert not judge_role(PLANNED, plan("coder", "qa")).right
    assert not judge_role(PLANNED, plan("qa")).right


def test_a_query_is_right_by_its_rows() -> None:
    mali, chad = (Question("c", "coder", "?", values=(name,)) for name in ("Mali", "Chad"))
    query = Query(answer="Mali", sql="SELECT", columns=("name",), rows=(("Mali",),), attempts=1)
    assert judge_role(mali, query).right
    assert not judge_role(chad, query).right
    assert not judge_role(mali, query.model_copy(update={"abstained": True})).right


def test_a_ranking_is_right_by_what_was_liked() -> None:
    places = (Place(name="Chile", score=1, reasons=()),)
    question = Question("r", "recommender", "?", liked=("Peru",))
    judged = judge_role(question, Ranking(answer="Chile", liked=("Peru",), places=places))
    assert judged.right and judged.places == ("Chile",)
    assert not judge_role(question, Ranking(answer="Chile", liked=("Peru", "Brazil"), places=places)).right
    assert not judge_role(question, Ranking(answer="", liked=("Peru",), places=())).right
    assert not judge_role(question, Ranking(answer="?", liked=("Peru",), places=places, abstained=True)).right


def test_a_finding_of_the_reader() -> None:
    assert judge_role(Question("q", "qa", "?", values=("Lima",)), Finding(answer="Lima")).right


def test_a_run_is_judged_by_plan_and_answer() -> None:
    judged = judge_team(PLANNED, run(("qa", "coder"), answer("Mali")), nowhere)
    assert judged.right and judged.planned
    judged = judge_team(PLANNED, run(("coder",), answer("Mali")), nowhere)
    assert judged.right and not judged.planned
    failed = judge_team(PLANNED, run(("coder",), None, "failed"), nowhere)
    assert failed.failed and not failed.right


def test_a_run_that_ends_with_a_query_is_judged_by_its_rows_too() -> None:
    output = answer("Chad", "Niger") | {"rows": [["Chad", 15], ["Niger", 22]]}
    cases = (((15, 22), True), (("Chad", "Niger"), True), (("Chad", 15, "Niger", 22), True), ((15,), False))
    for values, right in cases:
        question = Question("t", "team", "?", values=values, plans=(("qa", "coder"),))
        assert judge_team(question, run(("qa", "coder"), output), nowhere).right is right
        assert not judge_team(question, run(("qa", "coder"), output | {"abstained": True}), nowhere).right


@pytest.mark.parametrize("rows", [[["Chad", 15], ["Mali"]], [[{"a": 1}]], [[[15]]], [[True]], ["15"], 15])
def test_rows_that_are_no_table_are_passed_over(rows: Any) -> None:
    question = Question("t", "team", "?", values=(1, 15), plans=(("coder",),))
    assert not judge_team(question, run(("coder",), answer("?") | {"rows": rows}), nowhere).right


@pytest.mark.parametrize(
    ("values", "right"),
    [
        (("Chile", "Mexican peso"), True), (("Mexico", "Chile", "Mexican peso"), False), (("Chile",), False),
        (("Mexican peso",), False),
    ],
)  # fmt: skip
def test_recommended_places_are_fresh_and_the_rest_is_there(values: tuple[str, ...], right: bool) -> None:
    question = Question("t", "team", "?", values=("Mexican peso",), liked=("Mexico",), plans=(("recommender", "qa"),))
    judged = judge_team(question, run(("recommender", "qa"), answer(*values)), {"Chile", "Mexico"}.__contains__)
    assert judged.right is right


HOPELESS = Question("t", "team", "?", unanswerable=True, plans=(("qa",),))


def test_what_cannot_be_answered_must_not_be() -> None:
    silent = judge_team(HOPELESS, run(("qa",), answer(abstained=True)), nowhere)
    assert silent.right and not silent.answered
    false = judge_team(HOPELESS, run(("qa",), answer("Lula")), nowhere)
    assert not false.right and false.answered


def test_a_failed_run_is_wrong_and_no_answer_even_where_there_is_none() -> None:
    for question in (PLANNED, HOPELESS):
        failed = judge_team(question, run(("qa",), answer("Mali", abstained=True), "failed"), nowhere)
        assert failed.failed and not failed.right and not failed.answered


def test_abstaining_from_what_can_be_answered_is_neither_right_nor_an_answer() -> None:
    silent = judge_team(PLANNED, run(("qa", "coder"), answer("Mali", abstained=True)), nowhere)
    assert not silent.right and not silent.answered and silent.planned
    question = Question("q", "qa", "?", values=("Lima",))
    alone = judge_role(question, Finding(answer="Lima", abstained=True))
    assert not alone.right and not alone.answered


@pytest.mark.parametrize("given", [
    Finding(answer="not in my sources", abstained=True), Ranking(answer="", abstained=True, liked=(), places=()),
    Query(answer="nothing found", abstained=True, sql="SELECT", columns=(), rows=(), attempts=1),
])  # fmt: skip
def test_each_role_is_right_to_abstain_where_there_is_no_answer(given: Finding) -> None:
    judged = judge_role(HOPELESS, given)
    assert judged.right and not judged.answered
    told = judge_role(HOPELESS, given.model_copy(update={"abstained": False}))
    assert not told.right and told.answered


def test_who_abstains_is_found_where_the_output_does_not_say_it() -> None:
    quiet = run((), {"answer": "not in my sources"})
    assert judge_team(HOPELESS, quiet, nowhere).answered
    quiet.value = Finding(answer="not in my sources", abstained=True)
    assert judge_team(HOPELESS, quiet, nowhere).right
    nested = run((), {"finding": Finding(answer="?", abstained=True)})
    assert judge_team(HOPELESS, nested, nowhere).right


def test_an_output_without_answer_and_values_is_judged_by_all_its_texts() -> None:
    question = Question("t", "team", "?", values=("Mali", "Chad"))
    assert judge_team(question, run((), {"one": "Chad", "two": ["Mali"]}), nowhere).right


@pytest.mark.parametrize(
    ("gives", "mend"), [(Finding, "values, unanswerable, expect"), (Query, "values, unanswerable"), (Plan, "plans")]
)
def test_only_what_recommends_is_judged_by_what_was_liked(gives: type[Message], mend: str) -> None:
    for values in ((), ("Lima",)):
        question = Question("q", "one", "?", values=values, liked=("Peru",), where="x:1")
        with pytest.raises(UnderstudyError, match=f"^x:1: 'liked' is for a recommender or the team.*give it {mend}"):
            require_judgeable(question, gives)
        require_judgeable(question, Ranking)
        require_judgeable(question, None)


@pytest.mark.parametrize("question", [
    Question("q", "qa", "?", liked=("Peru",)), Question("q", "qa", "?", values=(), also=((), ())),
])  # fmt: skip
def test_nothing_is_right_where_no_value_is_wanted(question: Question) -> None:
    assert question.accepted == ()
    assert not judge_role(question, Finding(answer="")).right and not judge_role(question, Finding(answer="x")).right
    empty = Query(answer="", sql="SELECT", columns=("name",), rows=((None,),), attempts=1)
    assert not judge_role(question, empty).right


class Sorted(Message):
    queue: str


def test_an_expectation_is_judged_by_the_fields() -> None:
    question = Question("t", "sorter", "?", expect={"queue": "billing"}, where="x:1")
    assert judge_role(question, Sorted(queue="Billing")).right
    assert not judge_role(question, Sorted(queue="bug")).right
    assert judge_team(question, run((), {"queue": "billing"}), nowhere).right
    assert not judge_team(question, run((), {"queue": "billing", "abstained": True}), nowhere).right
    abstaining = Question("t", "team", "?", expect={"abstained": True}, unanswerable=True)
    assert judge_team(abstaining, run((), {"queue": "billing", "abstained": True}), nowhere).right
    with pytest.raises(UnderstudyError, match="^x:1: the output has no field"):
        judge_role(Question("t", "sorter", "?", expect={"kue": "a"}, where="x:1"), Sorted(queue="bug"))


@pytest.mark.parametrize(
    ("question", "gives", "mend"),
    [
        (Question("q", "planner", "?", values=("a",), where="x:1"), Plan, "plans, expect"),
        (Question("q", "qa", "?", plans=(("qa",),), where="x:1"), Finding, "values, unanswerable, expect"),
        (Question("q", "qa", "?", also=(("a",),), where="x:1"), Finding, "values, unanswerable, expect"),
        (Question("r", "rec", "?", plans=(("qa",),), where="x:1"), Ranking, "values, liked, unanswerable, expect"),
        (Question("q", "team", "?", plans=(("qa",),), where="x:1"), None, "values, liked, unanswerable, expect"),
        (Question("q", "sorter", "?", values=("a",), where="x:1"), Sorted, "give it expect"),
    ],
)
def test_a_question_must_have_what_its_role_is_judged_by(question: Question, gives: Any, mend: str) -> None:
    with pytest.raises(UnderstudyError, match=mend) as told:
        require_judgeable(question, gives)
    assert told.value.where == "x:1"
