"""Answers of roles and of runs are judged as the figures say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.judging import judge_role, judge_team, same
from benchmarks.questions import Question
from understudy.agents.messages import Finding, Place, Plan, PlannedStep, Query, Ranking
from understudy.core.fields import SpanValue

PLANNED = Question("t", "team", "?", values=("Mali",), plans=(("qa", "coder"),))


def plan(*agents: str) -> Plan:
    return Plan(steps=tuple(PlannedStep(agent=name, request="?") for name in agents))


def run(agents: tuple[str, ...], output: dict[str, Any] | None, status: str = "completed") -> Any:
    return SimpleNamespace(
        status=status, output=output, error=None, steps=[SimpleNamespace(name="plan", output=plan(*agents))]
    )


def answer(*values: str, abstained: bool = False) -> dict[str, Any]:
    return {"answer": "; ".join(values), "values": values, "abstained": abstained}


def test_spans_are_the_same_by_their_text() -> None:
    here, there = SpanValue(0, 1, 5, "Lima"), SpanValue(3, 9, 13, "Lima")
    assert same({"answer": here}, {"answer": there})
    assert not same({"answer": None}, {"answer": there})
    assert same({"steps": [{"needs": []}]}, {"steps": [{"needs": []}]})
    assert not same({"steps": [{"needs": [1]}]}, {"steps": [{"needs": []}]})
    assert not same({"steps": []}, {"steps": [{"needs": []}]})


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


def test_a_finding_of_the_reader() -> None:
    assert judge_role(Question("q", "qa", "?", values=("Lima",)), Finding(answer="Lima")).right


def test_a_run_is_judged_by_plan_and_answer() -> None:
    judged = judge_team(PLANNED, run(("qa", "coder"), answer("Mali")), ())
    assert judged.right and judged.planned
    judged = judge_team(PLANNED, run(("coder",), answer("Mali")), ())
    assert judged.right and not judged.planned
    failed = judge_team(PLANNED, run(("coder",), None, "failed"), ())
    assert failed.failed and not failed.right


@pytest.mark.parametrize(
    ("values", "right"),
    [
        (("Chile", "Mexican peso"), True), (("Mexico", "Chile", "Mexican peso"), False), (("Chile",), False),
        (("Mexican peso",), False),
    ],
)  # fmt: skip
def test_recommended_places_are_fresh_and_the_rest_is_there(values: tuple[str, ...], right: bool) -> None:
    question = Question("t", "team", "?", values=("Mexican peso",), liked=("Mexico",), plans=(("recommender", "qa"),))
    assert judge_team(question, run(("recommender", "qa"), answer(*values)), {"Chile", "Mexico"}).right is right


def test_what_cannot_be_answered_must_not_be() -> None:
    question = Question("t", "team", "?", unanswerable=True, plans=(("qa",),))
    assert judge_team(question, run(("qa",), answer(abstained=True)), ()).right
    assert not judge_team(question, run(("qa",), answer("Lula")), ()).right
