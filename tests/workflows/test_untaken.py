"""The output of a run names steps that its road did not come to: they are null, and so is all that is asked of them."""

from __future__ import annotations

from typing import Any

import pytest

from understudy import Message, Workflow
from understudy.workflows.expressions import Expression
from understudy.workflows.graph import WorkflowError
from understudy.workflows.values import UNTAKEN, ExpressionError, settled


class Order(Message, message_name="untaken.Order"):
    count: int


def flow(**output: Any) -> Workflow:
    """Orders of more than three are looked at; others are not."""
    made = Workflow("orders", takes=Order)
    first = made.step(lambda count: {"large": count > 3, "count": count}, name="first",
                      input={"count": made.input.count})  # fmt: skip
    look = made.step(lambda count: {"cost": count * 2, "parts": ["a", "b"]}, name="look",
                     input={"count": first.count}, after=[])  # fmt: skip
    made.route(first, look, when=first.large)
    made.route(first, "$end")
    made.output = {name: Expression.parse(text) for name, text in output.items()}
    return made


@pytest.mark.parametrize(
    ("text", "taken", "untaken"),
    [
        ("look.cost", 10, None),
        ("look", {"cost": 10, "parts": ["a", "b"]}, None),
        ("look.parts[0]", "a", None),
        ("look.cost or first.count", 10, 2),
        ("look.cost == None", False, True),
        ("not look", False, True),
        ("[look.cost, first.count]", [10, 5], [None, 2]),
        ("{'cost': look.cost}", {"cost": 10}, {"cost": None}),
    ],
)
def test_what_was_not_come_to_is_null(text: str, taken: Any, untaken: Any) -> None:
    made = flow(found=text)
    assert made.run_sync(Order(count=5)).output == {"found": taken}
    ended = made.run_sync(Order(count=2))
    assert (ended.status, ended.output) == ("completed", {"found": untaken})
    assert type(ended.output["found"]) is type(untaken)


def test_what_cannot_be_done_with_null_fails_by_name() -> None:
    ended = flow(found="look.cost > 3").run_sync(Order(count=2))
    assert ended.status == "failed" and "output.found" in str(ended.error) and "cannot compare" in str(ended.error)


def test_a_run_that_failed_has_no_output_of_what_it_did_not_come_to() -> None:
    made = Workflow("orders")
    made.step(lambda order: 1 / 0, name="first")
    made.step(lambda first: first, name="second")
    made.output = {"found": Expression.parse("second"), "given": Expression.parse("input")}
    ended = made.run_sync({"a": 1})
    assert ended.status == "failed" and ended.output == {"given": {"a": 1}}


def test_a_name_that_no_step_has_is_still_a_mistake() -> None:
    with pytest.raises(WorkflowError, match="lok"):
        flow(found="lok.cost").run_sync(Order(count=2))


def test_a_condition_does_not_see_null() -> None:
    """Under `when` and `input` a step that has not run is a mistake, as it decides what is done."""
    with pytest.raises(ExpressionError, match="no value named 'look'"):
        Expression.parse("look.cost").evaluate({"first": 1})
    assert settled([UNTAKEN, {"a": UNTAKEN}]) == [None, {"a": None}] and settled(UNTAKEN) is None
