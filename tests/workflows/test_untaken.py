"""Expressions name steps that the road of a run did not come to: they are null, and so is all that is asked of them."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

from understudy import Message, Workflow
from understudy.workflows.events import Event, StepFinished
from understudy.workflows.expressions import Expression
from understudy.workflows.graph import WorkflowError
from understudy.workflows.progress import Progress
from understudy.workflows.refs import Ref
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


def test_a_plain_mapping_knows_of_no_road() -> None:
    with pytest.raises(ExpressionError, match="no value named 'look'"):
        Expression.parse("look.cost").evaluate({"first": 1})
    assert settled([UNTAKEN, {"a": UNTAKEN}]) == [None, {"a": None}] and settled(UNTAKEN) is None


def test_inputs_and_conditions_see_null_too() -> None:
    """A desk: only what is large is looked at, and the step after it takes what there is."""
    made = Workflow("desk", takes=Order)
    first = made.step(lambda count: {"count": count}, name="first", input={"count": made.input.count})
    look = made.step(lambda count: {"cost": count * 2}, name="look", input={"count": first.count}, after=[])
    tell = made.step(lambda cost, was: [cost, was], name="tell", after=[],
                     input={"cost": look.cost | first.count, "was": look})  # fmt: skip
    made.step(lambda tell: "plain", name="plain", after=[])
    made.route(first, look, when=first.count > 3)
    made.route(first, tell)
    made.route(look, tell)
    made.route(tell, "plain", when=Expression.parse("look.cost == None"))
    made.route(tell, "$end")
    made.output = {"tell": tell, "plain": Ref("plain")}
    assert made.run_sync(Order(count=5)).output == {"tell": [10, {"cost": 10}], "plain": None}
    assert made.run_sync(Order(count=2)).output == {"tell": [2, None], "plain": "plain"}


def test_a_loop_reads_its_critique_from_the_second_time_on() -> None:
    made = Workflow("loop")
    seen: list[Any] = []

    def draft(notes: Any) -> str:
        seen.append(notes)
        return f"draft {len(seen)}"

    made.step(draft, name="draft", input={"notes": Ref("critic").notes})
    critic = made.step(lambda draft: {"notes": f"not {draft}", "again": draft != "draft 3"}, name="critic")
    made.route(critic, "draft", when=critic.again, at_most=5)
    made.route(critic, "$end")
    assert made.run_sync({}).status == "completed"
    assert seen == [None, "not draft 1", "not draft 2"]


def test_a_step_that_may_still_come_is_not_null() -> None:
    """What runs beside it would be null or not by chance."""
    gate = threading.Event()
    made = Workflow("sides")
    first = made.step(lambda go: go, name="first", input={"go": 1})
    slow = made.step(lambda first: gate.wait(5), name="slow", after=first)
    late = made.step(lambda slow: "late", name="late", after=slow)
    quick = made.step(lambda first: "quick", name="quick", after=first)
    made.step(lambda value: value, name="reads", after=quick, input={"value": late})
    made.step(lambda value: gate.set(), name="frees", after=quick, input={"value": quick})
    made.route(late, "reads", when=late == "early", at_most=1)
    made.route(late, "$end")
    ended = made.run_sync({})
    gate.set()
    assert ended.status == "failed" and "no value named 'late'" in str(ended.error)


def test_nothing_of_a_run_holds_its_earlier_turns() -> None:
    """What an effect is started with knows the names it needs, and not the state that knows of the roads."""
    made = Workflow("rounds")
    step = made.step(lambda value: value + 1, name="step", input={"value": Ref("step") | Ref("input").n})
    made.route(step, step, when=step < 60, at_most=100)
    made.route(step, "$end")
    alive: list[int] = []

    def watch(event: Event) -> None:
        if isinstance(event, StepFinished) and event.output == 50:
            gc.collect()
            alive.append(sum(isinstance(one, Progress) for one in gc.get_objects()))

    assert made.run_sync({"n": 0}, on_event=watch).output == {"value": 60}
    assert alive and alive[0] <= 3


@pytest.mark.parametrize(
    ("text", "told"),
    [("look.cost > 3", "cannot compare nothing (null) with a number"), ("len(look)", "nothing (null) has no length"),
     ("first[look]", "has no element null")],
)
def test_errors_speak_of_null(text: str, told: str) -> None:
    assert told in str(flow(found=text).run_sync(Order(count=2)).error)


def test_null_is_passed_over_in_a_list_as_everywhere() -> None:
    made = flow(found="[look, first].count")
    assert made.run_sync(Order(count=2)).output == {"found": [2]}
