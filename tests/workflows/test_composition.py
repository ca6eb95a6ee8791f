"""Composing a workflow: its output said when there are steps, agents of one name, and what functions are called."""

import functools
from typing import Any

import pytest

from understudy.agents.messages import Finding, Task
from understudy.workflows.arguments import call_arguments
from understudy.workflows.flow import Workflow
from understudy.workflows.function_names import called, name_of, place_of
from understudy.workflows.graph import WorkflowError
from understudy.workflows.state import Start


class Clerk:
    name, takes, gives = "clerk", Task, Finding

    async def handle(self, task: Task) -> Finding:
        return Finding(answer=task.request)


class Shop:
    def pay(self, amount: int) -> int:
        return amount

    def __call__(self, amount: int) -> int:
        return amount


def pay(amount: int, currency: str) -> str:
    return f"{amount} {currency}"


def nested() -> Any:
    def inner(amount: int) -> int:
        return amount

    return inner


def test_the_output_is_said_once_there_are_steps() -> None:
    flow = Workflow("prices")
    price = flow.step(lambda value: {"net": value}, name="price")
    assert flow.run_sync(3).output == {"net": 3} and flow.output == {}
    flow.output = {"paid": price.net, "currency": "euro"}
    assert flow.run_sync(3).output == {"paid": 3, "currency": "euro"}
    assert set(flow.output) == {"paid", "currency"}
    flow.output = {"paid": flow.input.nothing, "other": Workflow("x").step(pay, name="unknown")}
    assert [problem.path for problem in flow.check()] == ["output.other"]


def test_two_agents_of_one_name_are_refused_and_one_may_do_several_steps() -> None:
    flow, clerk = Workflow("desk", takes=Task), Clerk()
    flow.step(clerk)
    flow.step(clerk, name="again", input={"request": "more"})
    with pytest.raises(WorkflowError) as caught:
        flow.step(Clerk(), name="other")
    assert str(caught.value) == (
        "desk: two agents are called 'clerk'; give one of them another name: a step names its agent"
    )
    assert list(flow.graph().steps) == ["clerk", "again"] and flow.agents == {"clerk": clerk}


@pytest.mark.parametrize(("function", "name", "step"), [
    (pay, "pay", "pay"),
    (functools.partial(pay, currency="euro"), "pay", "pay"),
    (functools.partial(functools.partial(pay, 1), currency="euro"), "pay", "pay"),
    (Shop().pay, "Shop.pay", "pay"),
    (Shop(), "Shop", "step"),
    (nested(), "inner", "inner"),
    (len, "len", "len"),
    (lambda amount: amount, "", "step"),
    (functools.partial(lambda amount, more: amount, more=2), "", "step"),
], ids=["plain", "partial", "twice", "method", "object", "nested", "builtin", "lambda", "its partial"])  # fmt: skip
def test_every_function_is_told_by_its_name(function: Any, name: str, step: str) -> None:
    assert name_of(function) == name
    assert str(Workflow("w").step(function)) == step
    assert called(function) == (f"'{name}'" if name else f"'<lambda>' ({place_of(function)})")


def test_a_function_without_a_name_is_told_by_its_place() -> None:
    flow = Workflow("w")
    flow.step(lambda first, other: 0, name="first_step")
    here = test_a_function_without_a_name_is_told_by_its_place.__code__.co_firstlineno + 2
    doer = f"the function of step first_step (test_composition.py:{here})"
    assert flow.check()[0].what == f"nothing is named 'first', which {doer} takes"
    assert place_of(len) == ""


def test_what_a_function_is_not_given_names_it() -> None:
    start = Start("step", 1, None, "r/step/1", None, None, 1, {})
    for function, said in ((lambda one, other: 0, "'<lambda>' (test_composition.py:"), (Shop.pay, "'Shop.pay'")):
        with pytest.raises(Exception, match="nothing is named") as caught:
            call_arguments(function, start)
        assert f"for the function {said}" in str(caught.value)


def test_where_a_function_failed_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def failing(value: int) -> int:
        return value // 0

    flow = Workflow("w")
    flow.step(functools.partial(failing), name="divide")
    with caplog.at_level("INFO", "understudy.runtime"):
        assert flow.run_sync(1).error == "step divide: ZeroDivisionError: integer division or modulo by zero"
    (record,) = caplog.records
    assert record.getMessage() == "step divide: the function 'failing' failed"
    assert record.exc_text is None or "return value // 0" in record.exc_text
    assert record.exc_info is not None and record.exc_info[2] is not None
