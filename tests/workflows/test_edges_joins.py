"""Types where ways meet: merge rules, errors that are led on, branches that fail, workflows as steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from tests.workflows.edge_steps import (
    CHANGE,
    Agent,
    Careless,
    Order,
    chain,
    number,
    of,
    priced,
    sums,
    takes,
    text,
    texts,
    told,
    whole,
)
from understudy.agents.messages import Finding, Task
from understudy.workflows.flow import Workflow
from understudy.workflows.limits import Limits
from understudy.workflows.refs import Ref


def join(follows: Any, merge: Any = None, left: Any = whole, right: Any = whole, **input: Any) -> list[str]:
    def build(flow: Workflow) -> None:
        top = flow.step(lambda value: 1, name="top")
        one = flow.step(left, name="left", after=top, input=None if left is not whole else {"number": flow.input.count})
        two = flow.step(right, name="right", after=top)
        flow.step(follows, name="both", after=[one, two], merge=merge, input=input)

    return told(build)


def nothing(value: Any) -> None: ...


def one_text(value: Any) -> str: ...


def one_list(value: Any) -> list[str]: ...


def some_number(value: Any) -> int | None: ...


MERGE = "give it a merge, such as majority, best or concat, or say by its input what it takes of each"


def test_two_writers_without_a_merge_rule() -> None:
    flow = Workflow("w")
    top = flow.step(lambda value: 1, name="top")
    flow.step(whole, name="both", after=[flow.step(whole, name="a", after=top), flow.step(whole, name="b", after=top)])
    (found,) = flow.check()
    assert (found.path, found.what, found.why, found.suggestion) == (
        "steps.both", "steps a and b both write what step both takes as 'number', which is int, no list",
        "two writers without a merge rule", MERGE,
    )  # fmt: skip
    assert join(Agent(Task, Finding)) == [
        f"steps.both: steps left and right both write what agent qa takes, which is one Task; {MERGE}"
    ]
    assert join(Agent(Task, Finding), request=of("input.item")) == []
    assert join(sums) == join(lambda value: value) == join(lambda left, right: 0) == []
    assert join(texts) == [
        "steps.both: the join of left and right gives list[int, int], and step both takes list[str] as 'said'; "
        + CHANGE
    ]


@pytest.mark.parametrize(
    ("rule", "left", "right", "fits", "gives"),
    [
        ("list", whole, one_text, list[int | str], "list[int, str]"),
        ("dict", whole, one_text, dict[str, int | str], "{left: int, right: str}"),
        ("first", whole, one_text, int | str, "int | str"),
        ("first", some_number, nothing, int | None, "int | None"),
        ("first", some_number, whole, int, "int"),
        ("majority", one_text, one_text, str, "str"),
        ("concat", one_text, one_text, str, "str"),
        ("concat", one_list, one_list, list[str], "list[str]"),
        ("union", one_list, whole, list[str | int], "list[str | int]"),
        ("sum", whole, some_number, int, "int"),
        ("sum", whole, number, float, "float"),
        ("any", whole, one_text, bool, "bool"),
        (lambda outputs: outputs, whole, whole, bytes, None),
    ],
)
def test_what_a_merge_rule_makes(rule: Any, left: Any, right: Any, fits: Any, gives: str | None) -> None:
    assert join(takes(fits), rule, left, right) == []
    wrong = join(takes(bytes), rule, left, right)
    assert wrong == [] if gives is None else f"left and right gives {gives}, and step both takes bytes" in wrong[0]


def test_what_a_rule_cannot_merge() -> None:
    rule = "choose another rule, or give a function"
    assert join(lambda value: value, "sum", whole, one_text) == [
        f"steps.both.merge: 'sum' takes numbers, and right gives str; {rule}"
    ]
    assert join(lambda value: value, "concat", whole, one_text) == [
        f"steps.both.merge: 'concat' takes lists or texts, and left gives int; {rule}"
    ]
    assert join(lambda value: value, "concat", one_list, one_text) == [
        "steps.both.merge: 'concat' takes lists with lists and texts with texts, and right gives a text, left a list; "
        + rule
    ]
    assert join(lambda value: value, "best", one_text, one_text)[0].startswith(
        "steps.both.merge: 'best' takes values with a number under 'confidence', and left gives str"
    )
    assert join(lambda value: value, "best", Careless(), lambda value: value) == []


def test_errors_that_are_led_on() -> None:
    def build(handler: Callable[..., Any], **input: Any) -> Callable[[Workflow], Any]:
        def built(flow: Workflow) -> None:
            flow.route(flow.step(priced, on_error="mended"), "$end")
            flow.step(handler, name="mended", after=[], input=input)

        return built

    def mended(error: Mapping[str, str]) -> str: ...

    assert told(build(mended)) == told(build(takes(dict))) == told(build(text, said=of("error.error"))) == []
    assert told(build(text)) == [
        f"steps.mended: the error of step priced gives {{step: str, error: str}}, and step mended takes str as 'said'; "
        f"{CHANGE}"
    ]
    assert told(build(text, said=of("error.eror"))) == [
        "steps.mended.input.said: error has no 'eror': it is {step: str, error: str} | None; did you mean 'error'?"
    ]


def test_a_branch_that_fails_into_a_join_brings_none() -> None:
    def build(follows: Callable[..., Any], merge: str | None = None) -> Callable[[Workflow], Any]:
        def built(flow: Workflow) -> None:
            top = flow.step(lambda value: 1, name="top")
            left = flow.step(whole, name="left", after=top, on_error="both")
            flow.step(follows, name="both", after=[left, flow.step(whole, name="right", after=top)], merge=merge)

        return built

    def counted(numbers: Sequence[int | None]) -> int: ...

    assert told(build(counted)) == told(build(whole, "sum")) == told(build(whole, "majority")) == []
    assert told(build(sums)) == [
        "steps.both: the join of left and right gives list[int | None, int], and step both takes list[int] as "
        "'numbers'; let step both take None as well, or lead there by a route with a condition (when)"
    ]


def child(**more: Any) -> Workflow:
    inner = Workflow("inner", takes=Order, **more)
    inner.step(priced)
    return inner


def test_workflows_as_steps() -> None:
    assert told(chain(child(), number)) == []
    assert told(chain(child(), text)) == [
        f"steps.text: step inner gives float, and step text takes str as 'said'; {CHANGE}"
    ]
    named = child(output={"cost": Ref("priced")})
    assert told(chain(named, number)) == [
        "steps.number: step inner gives {cost: float}, and step number takes float as 'value'; "
        "did you mean inner.cost? give step number the input value: inner.cost"
    ]
    assert told(chain(child(limits=Limits(messages=1, on_exceed="partial")), text)) == [], "it may end early"
    assert told(chain(child(), item="a", cuont=1)) == [
        "steps.inner.input.cuont: workflow inner takes no 'cuont'; did you mean 'count'?",
        "steps.inner.input: workflow inner needs 'count'; add count: …",
    ]
    assert told(chain(text, child(), said=of("input.item"))) == [
        "steps.inner: step text gives str, and workflow inner takes Order: item, count, note, kind; "
        "give step inner an input"
    ]
    one = Workflow("one", takes=Task)
    one.step(lambda task: task.request, name="first")
    assert told(chain(text, one, text, said=of("input.item"))) == [], "a text is the one field that is needed"
    assert told(lambda flow: flow.each(of("[input]"), do=child())) == []
    assert told(lambda flow: flow.each(of("[input.item]"), do=child()))[0].startswith(
        "steps.inner: an item of [input.item] gives str, and workflow inner takes Order"
    )


def test_the_mistakes_of_workflows_that_are_steps_have_their_path() -> None:
    inner = Workflow("inner", takes=Order)
    inner.step(priced)
    inner.step(text)
    outer = Workflow("outer", takes=Order)
    outer.step(inner, name="deep")
    assert [one.path for one in outer.check()] == ["steps.deep.workflow.steps.text"]
    assert told(chain(outer))[0].startswith("steps.outer.workflow.steps.deep.workflow.steps.text: step priced gives")
    inner.step(inner, name="self")
    assert any("is a step within itself" in one for one in told(chain(inner)))
