"""Types of items, of the lists that they make, and of lists that grow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.workflows.edge_steps import CHANGE, Agent, number, of, planned, sums, text, texts, told, whole
from understudy.agents.messages import Finding, PlannedStep, Task
from understudy.workflows.expressions import Expression
from understudy.workflows.flow import Workflow


def gaps(said: Sequence[str | None]) -> int:
    return len(said)


def test_each() -> None:
    def build(items: str, do: Callable[..., Any], **input: Any) -> Callable[[Workflow], Any]:
        def built(flow: Workflow) -> None:
            flow.step(planned)
            flow.each(of(items), do=do, name="work", input=input)

        return built

    def worked(step: PlannedStep, index: int) -> str: ...

    def item(value: PlannedStep) -> str: ...

    assert told(build("planned", item)) == [
        "steps.work.each: step work goes over planned, which is no list: it is Plan; did you mean planned.steps?"
    ]
    assert told(build("input.item", text)) == [
        "steps.work.each: step work goes over input.item, which is no list: it is a text; give it a list"
    ]
    assert told(build("planned.steps", text)) == [
        f"steps.work: an item of planned.steps is PlannedStep, and step work takes str as 'said'; {CHANGE}"
    ]
    assert told(build("planned.steps", text, said=of("item.requst"))) == [
        "steps.work.input.said: item has no 'requst': it is PlannedStep; did you mean 'request'?"
    ]
    assert told(build("planned.steps", text, said=of("index"))) == [
        f"steps.work.input.said: function text takes str as 'said', and index is int; {CHANGE}"
    ]
    assert told(build("planned.steps", worked)) == [
        "steps.work: nothing is named 'step', which function worked takes; there is: index, input, item, planned, "
        "team, work; or give step work an input"
    ]
    assert told(build("planned.steps", item)) == told(build("planned.steps", lambda item, index: 0)) == []
    assert told(build("planned.steps", lambda found: 0, found=of("item.needs"))) == []
    assert told(build("item", text))[0].startswith("steps.work.each: no value is called 'item' here")


def test_an_each_gives_a_list_in_which_collect_leaves_none() -> None:
    def build(failure: Any, follows: Callable[..., Any]) -> Callable[[Workflow], Any]:
        def built(flow: Workflow) -> None:
            flow.each(Expression.constant(["a", "b"]), do=text, name="work", failure=failure)
            flow.step(follows, name="after")

        return built

    assert told(build("fail_fast", texts)) == told(build("collect", gaps)) == []
    assert told(build("fail_fast", text)) == [
        f"steps.after: step work gives list[str], and step after takes str as 'said'; {CHANGE}"
    ]
    assert told(build("collect", texts)) == [
        "steps.after: step work gives list[str | None], and step after takes list[str] as 'said'; "
        "let step after take None as well, or lead there by a route with a condition (when)"
    ]

    def alone(flow: Workflow) -> None:
        flow.step(whole, input={"number": flow.input.count}, failure="collect")
        flow.step(number)

    assert "step whole gives int | None" in told(alone)[0]


def test_items_with_needs_show_what_those_gave() -> None:
    def build(flow: Workflow) -> None:
        plan = flow.step(planned)
        flow.each(plan.steps, agent=Agent(Task, Finding), name="work",
                  input={"request": flow.item.request, "given": flow.item.needs})  # fmt: skip
        flow.each(plan.steps, do=texts, name="again", input={"said": flow.item.needs})

    assert told(build) == []


def test_growing_lists() -> None:
    def build(follows: Callable[..., Any]) -> Callable[[Workflow], Any]:
        def built(flow: Workflow) -> None:
            seen = flow.growing("seen")
            flow.each(Expression.constant(["a"]), do=text, into=seen, name="first")
            flow.step(text, input={"said": flow.input.item}, into=seen)
            flow.step(follows, input={"said" if follows is texts else "numbers": seen}, name="last")

        return built

    assert told(build(texts)) == []
    assert told(build(sums)) == [
        f"steps.last.input.numbers: function sums takes list[int] as 'numbers', and seen is Sequence[str]; {CHANGE}"
    ]
