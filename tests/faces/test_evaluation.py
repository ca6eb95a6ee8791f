"""The measures of ``understudy evaluate``, against oracles that are written otherwise."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.errors import UnderstudyError
from understudy.evaluation import Case, Rate, compare_fields, meets, summary


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_solves_the_score_equation(right: int, total: int) -> None:
    """Wilson's bounds are the roots of (p - t)² = z² t (1 - t) / n, found here by bisection."""
    right = min(right, total)
    p, z = right / total, 1.959963984540054

    def distance(t: float) -> float:
        return (p - t) ** 2 - z * z * t * (1 - t) / total

    def root(inside: float, outside: float) -> float:
        for _ in range(200):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if distance(middle) <= 0 else (inside, middle)
        return inside

    low, high = Rate(right, total).interval
    assert math.isclose(low, 0.0 if right == 0 else root(p, 0.0), abs_tol=1e-4)
    assert math.isclose(high, 1.0 if right == total else root(p, 1.0), abs_tol=1e-4)
    assert low <= p + 1e-4 and p - 1e-4 <= high


def test_a_cell_rounds_once() -> None:
    assert Rate(9, 10).cell == "90 % (60–98)"
    assert Rate(0, 0).cell == "–"
    assert Rate(3749, 249940).cell.startswith("1 % "), "a share of 0.0149996"


def test_nothing_counted_says_nothing() -> None:
    assert Rate(0, 0).interval == (0.0, 1.0)
    assert Rate(0, 0).share == 0.0


@pytest.mark.parametrize(
    ("expected", "given", "right"),
    [
        ("billing", " Billing ", True),
        ("billing", "bug", False),
        ("Côte d'Ivoire", "Co\u0302te d'Ivoire", True),
        (True, True, True),
        (True, 1, False),
        (1, True, False),
        (3, 3.0, True),
        (["a", "b"], ("A", "b"), True),
        (["a", "b"], ["b", "a"], False),
        ("a", None, False),
    ],
)
def test_fields_are_compared_by_their_type(expected: Any, given: Any, right: bool) -> None:
    assert compare_fields({"field": expected}, {"field": given}) == {"field": right}


def test_a_missing_field_is_wrong() -> None:
    assert compare_fields({"a": "x", "b": "y"}, {"a": "x"}) == {"a": True, "b": False}


@pytest.mark.parametrize(
    ("expected", "right"),
    [
        ("lima", True),
        ({"answer": "Lima"}, True),
        ({"answer": {"contains": ["Lima", "Peru"]}}, True),
        ({"answer": {"contains": ["Lima", "Chile"]}}, False),
        ({"answer": {"lacks": "Cusco"}}, True),
        ({"answer": {"lacks": ["Cusco", "lima"]}}, False),
        ({"answer": {"any_of": ["Quito", "Lima"]}}, True),
        ({"answer": {"equals": "Lima"}}, False),
        ({"answer": {"contains": "Lima", "lacks": "Peru"}}, False),
        ({"abstained": False}, True),
        ({"abstained": True}, False),
    ],
)
def test_what_a_team_line_may_expect(expected: Any, right: bool) -> None:
    output = {"answer": "Lima is the capital of Peru.", "abstained": False}
    assert meets(expected, output, "x.jsonl:1") is right


@pytest.mark.parametrize("expected", [{"answr": "Lima"}, {"contains": "Lima", "answer": "Lima"}])
def test_a_mistake_in_an_expectation_is_told_with_its_line(expected: Any) -> None:
    with pytest.raises(UnderstudyError, match=r"^x\.jsonl:7: "):
        meets(expected, {"answer": "Lima"}, "x.jsonl:7")


def case(right: bool, answered: bool = True, **fields: bool) -> Case:
    return Case("x:1", fields or {"queue": right}, answered, {"queue": "bug"}, {"queue": "howto"}, 0.5)


def test_the_summary_counts_each_thing_apart() -> None:
    cases = [case(True)] * 6 + [case(False)] * 2 + [case(False, answered=False)] * 1 + [case(True, answered=False)]
    figures = summary(cases)
    assert figures["cases"] == 10
    assert figures["whole"]["share"] == 0.7
    assert figures["answered"]["share"] == 0.8
    assert figures["right_when_answered"] == Rate(6, 8).as_json()
    assert [wrong["where"] for wrong in figures["confident_errors"]] == ["x:1", "x:1"]


def test_fields_are_counted_over_the_lines_that_have_them() -> None:
    figures = summary([case(True, queue=True, urgent=False), case(True, queue=False)])
    assert figures["fields"]["queue"]["total"] == 2
    assert figures["fields"]["urgent"] == Rate(0, 1).as_json()
    assert figures["whole"]["right"] == 0


def test_no_lines_give_no_figures() -> None:
    assert summary([])["whole"] == {"right": 0, "total": 0, "share": 0.0, "interval": [0.0, 1.0]}
