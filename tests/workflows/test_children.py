"""Workflows and teams as steps: what they are given and give, how they fail, and what is found before the run."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.families import HELLO, Order, approval, broken, events, ordering, pricing, shop, sleeper, statuses
from understudy.agents.messages import Finding, Message, Task
from understudy.agents.retry import Retry
from understudy.workflows.events import RunAccepted, RunFinished
from understudy.workflows.expressions import Expression, Ref
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import END, Graph, Route, Step, WorkflowError
from understudy.workflows.limits import Limits
from understudy.workflows.resources import Resources
from understudy.workflows.team import Team


def test_a_workflow_is_a_step_and_its_run_is_in_the_same_journal(path: Path) -> None:
    done: list[str] = []
    flow = shop(pricing(done), done)
    result = flow.run_sync(4, journal=path, run_id="r")
    assert (result.status, result.value) == ("completed", ["paid", 10])
    assert done == ["r/first/1", "r/price/1/add/1", "r/price/1/double/1", "r/pay/1"]
    record = result.steps[1]
    assert (record.name, record.agent, record.input, record.output) == ("price", None, 4, 10)
    assert statuses(path) == {"r": "completed", "r/price/1": "completed"}
    assert flow.replay("r", journal=path) == result
    child = pricing([]).replay("r/price/1", journal=path)
    assert (child.output, [step.name for step in child.steps]) == ({"value": 10}, ["add", "double"])


def test_it_needs_no_journal() -> None:
    done: list[str] = []
    assert shop(pricing(done), done).run_sync(4).value == ["paid", 10] and len(done) == 4


def gives(last: Any, **more: Any) -> Workflow:
    flow = Workflow("gives", **more)
    flow.step(last, name="last")
    return flow


@pytest.mark.parametrize(
    ("inner", "output"),
    [
        (gives(lambda value: [value, 1]), [7, 1]),
        (gives(lambda value: None), None),
        (gives(lambda value: {"a": value}), {"a": 7}),
        (gives(lambda value: {"value": value}), {"value": 7}),
        (gives(lambda value: Finding(answer="x")), Finding(answer="x")),
        (gives(lambda value: value, output={"value": Ref("last")}), {"value": 7}),
        (gives(lambda value: value, output={"n": Ref("last"), "of": Ref("input")}), {"n": 7, "of": 7}),
    ],
)
def test_what_the_step_gives(inner: Workflow, output: Any) -> None:
    flow = Workflow("w")
    flow.step(inner)
    assert str(flow.graph().start) == "gives", "it is called as the workflow is"
    result = flow.run_sync(7)
    assert result.value == output and type(result.value) is type(output)


@pytest.mark.parametrize(
    ("given", "input", "order"),
    [
        (Order(item="tea"), {}, Order(item="tea")),
        ("tea", {}, Order(item="tea")),
        ({"item": "tea", "count": 3}, {}, Order(item="tea", count=3)),
        ({"item": "tea", "other": 1}, {"item": Ref("input").item, "count": 2}, Order(item="tea", count=2)),
    ],
)
def test_what_the_child_is_given(given: Any, input: dict[str, Any], order: Order) -> None:
    flow = Workflow("w")
    flow.step(ordering(), input=input, name="order")
    assert flow.run_sync(given).value == order


def test_a_child_that_takes_anything_is_given_the_value_or_the_fields_of_input() -> None:
    flow = Workflow("w")
    flow.step(ordering(None), name="order")
    assert flow.run_sync([1]).value == [1]
    flow = Workflow("w")
    flow.step(ordering(None), input={"a": Ref("input"), "b": 2}, name="order")
    assert flow.run_sync([1]).value == {"a": [1], "b": 2}


@pytest.mark.parametrize(
    ("given", "input", "said"),
    [
        ({"count": 1}, {}, "step order: order: test.Order.item: Field required; its input has to give: item, count"),
        ({"n": "x"}, {"item": "tea", "count": Ref("input").n}, "step order: order: test.Order.count: Input should be"),
    ],
)
def test_what_does_not_fit_the_child_is_a_failed_step(
    path: Path, given: Any, input: dict[str, Any], said: str
) -> None:
    flow = Workflow("w")
    flow.step(ordering(), input=input, name="order")
    result = flow.run_sync(given, journal=path, run_id="r")
    assert result.status == "failed" and str(result.error).startswith(said)
    assert statuses(path) == {"r": "failed"}, "no child was begun"


def test_a_child_for_each_item(path: Path) -> None:
    done: list[str] = []
    flow = Workflow("w")
    flow.each(flow.input, do=pricing(done), name="prices", at_once=2)
    result = flow.run_sync([1, 2, 3], journal=path, run_id="r")
    assert result.value == [4, 6, 8]
    assert statuses(path) == dict.fromkeys(["r", *(f"r/prices/1/{index}" for index in range(3))], "completed")
    assert len(done) == 6


def team(*steps: Step, **more: Any) -> Team:
    graph = Graph("desk", {step.name: step for step in steps}, steps[0].name, Task, **more)
    return Team("desk", {}, graph, Resources("default", Path()), does="answers")


def test_a_team_is_a_step_and_gives_its_output_as_a_mapping(path: Path) -> None:
    shout = Step("shout", call=lambda request, team: f"{request.request}, says {team['name']}!", routes=(Route(END),),
                 input={"request": Expression.parse("input"), "team": Expression.parse("team")})  # fmt: skip
    flow = Workflow("w")
    flow.step(team(shout), name="desk")
    result = flow.run_sync("hello", journal=path, run_id="r")
    assert result.value == {"value": "hello, says desk!"}
    (accepted, *_) = events(path, "r/desk/1")
    assert isinstance(accepted, RunAccepted)
    assert (accepted.input, accepted.team) == (Task(request="hello"), {"name": "desk", "does": "answers", "cast": ()})
    named = team(shout, output={"answer": Expression.parse("shout")})
    flow = Workflow("w")
    flow.step(named, name="desk", input={"request": "hi"})
    assert flow.run_sync(None).value == {"answer": "hi, says desk!"}


# Failing.


def test_a_child_that_fails_is_a_failed_step_with_its_error(path: Path) -> None:
    result = shop(broken([]), []).run_sync("tea", journal=path, run_id="r")
    error = "broken: step work: ValueError: no tea"
    assert (result.status, result.error) == ("failed", f"step price: {error}")
    assert result.steps[1].error == error and statuses(path) == {"r": "failed", "r/price/1": "failed"}


def test_on_error_of_the_step_goes_on_from_there() -> None:
    flow = shop(broken([]), [], on_error="sorry")
    flow.step(lambda error: error["error"], name="sorry", after=[])
    assert flow.run_sync("tea").value == "broken: step work: ValueError: no tea"


def test_each_try_is_a_run_of_its_own(path: Path) -> None:
    done: list[str] = []
    flow = shop(broken(done, 2), [], retry=Retry(attempts=3, wait=0.001))
    result = flow.run_sync("tea", journal=path, run_id="r")
    assert result.value == ["paid", "tea"] and result.steps[1].attempts == 3
    assert done == ["r/price/1/work/1", "r/price/1#2/work/1", "r/price/1#3/work/1"]
    assert statuses(path) == {
        "r": "completed", "r/price/1": "failed", "r/price/1#2": "failed", "r/price/1#3": "completed",
    }  # fmt: skip


def test_a_child_that_its_own_limit_ends_as_partial_gives_what_it_has() -> None:
    inner = Workflow("inner", limits=Limits(messages=1, on_exceed="partial"))
    inner.step(lambda value: value + 1, name="first")
    inner.step(lambda value: value + 1, name="second")
    assert shop(inner, []).run_sync(1).value == ["paid", 2]


def test_the_seconds_of_the_step_end_the_child(path: Path) -> None:
    flow = shop(sleeper(), [], seconds=0.1)
    result = flow.run_sync("tea", journal=path, run_id="r")
    assert result.error == "step price: it took longer than 0.1 s"
    assert statuses(path)["r/price/1"] == "failed"
    over = events(path, "r/price/1")[-1]
    assert isinstance(over, RunFinished) and over.error == "it took longer than 0.1 s"
    assert over.output == {"value": "tea"}, "what it had so far"


def test_a_failing_neighbour_ends_the_child_and_the_child_of_the_child(path: Path) -> None:
    outer = Workflow("outer")
    outer.step(sleeper(), name="deep")

    async def fails(value: Any) -> None:
        await asyncio.sleep(0.1)
        raise ValueError("no")

    flow = Workflow("w")
    top = flow.step(lambda value: value, name="top")
    flow.step(outer, name="child", after=top)
    flow.step(approval([]), name="waits", after=top)
    flow.step(fails, after=top)
    assert flow.run_sync(1, journal=path, run_id="r").error == "step fails: ValueError: no"
    assert set(statuses(path).values()) == {"failed"} and len(statuses(path)) == 4
    assert flow.resume_sync("r", journal=path).status == "failed"
    child = outer.resume_sync("r/child/1", journal=path)
    assert child.error == "the run that it is a step of ended"


def test_a_child_that_the_run_goes_on_without_is_ended(path: Path) -> None:
    async def mixed(item: Any) -> Any:
        await asyncio.sleep(0.05)
        raise ValueError("one")

    def choose(item: Any) -> Any:
        return item

    inner = Workflow("inner")
    inner.step(choose)
    inner.route("choose", "mixed", when=Ref("input") == 1)
    inner.route("choose", "long")
    inner.step(mixed, after=[])
    inner.step(sleeper(), name="long", after=[])
    flow = Workflow("w")
    flow.each(flow.input, do=inner, name="work", on_error="sorry")
    flow.step(lambda error: error["error"], name="sorry", after=[])
    result = flow.run_sync([0, 1], journal=path, run_id="r")
    assert result.value == "item 2: inner: step mixed: ValueError: one"
    assert statuses(path) == {
        "r": "completed", "r/work/1/0": "failed", "r/work/1/1": "failed", "r/work/1/0/long/1": "failed",
    }  # fmt: skip
    over = events(path, "r/work/1/0")[-1]
    assert isinstance(over, RunFinished) and over.error == "the run that it is a step of ended"


# Agents.


class Clerk:
    takes = Task

    def __init__(self, name: str, answer: str) -> None:
        self.name, self.answer = name, answer

    async def handle(self, message: Task) -> Message:
        return Finding(answer=f"{self.answer} {message.request}")


def test_a_child_knows_its_own_agents_and_those_of_its_parent() -> None:
    inner = Workflow("inner", takes=Task)
    inner.step(Clerk("clerk", "inner"), input={"request": inner.input.request}, name="own")
    inner.step("porter", input={"request": inner.input.request}, name="theirs")
    inner.step(lambda own, theirs, team: [own.answer, theirs.answer, *(one.name for one in team["cast"])], name="end")
    flow = Workflow("w", takes=Task)
    flow.step(Clerk("clerk", "outer"), input={"request": flow.input.request})
    flow.step(inner, input={"request": "x"}, name="child")
    flow.step("clerk", input={"request": "y"}, name="again")
    result = flow.run_sync(HELLO, agents={"porter": Clerk("porter", "porter")})
    assert result.steps[1].output == ["inner x", "porter x", "clerk", "porter"]
    assert result.value.answer == "outer y", "two agents of one name do not meet"
    where = r"w\.steps\.child\.workflow\.steps\.theirs\.agent"
    with pytest.raises(WorkflowError, match=f"{where}: there is no agent 'porter'"):
        flow.run_sync(HELLO)


# Checks before the run.


def test_mistakes_in_a_child_are_found_before_the_run() -> None:
    inner = Workflow("inner")
    inner.step("nobody", name="work")
    flow = shop(inner, [])
    (problem,) = flow.check({})
    assert (problem.file, problem.path) == ("shop", "steps.price.workflow.steps.work.agent")
    with pytest.raises(WorkflowError, match="there is no agent 'nobody'"):
        flow.run_sync(1)
    changed = pricing([])
    flow = shop(changed, [])
    assert flow.check() == [] and flow.check() == []
    changed.step(lambda one, other: one, name="late")
    assert [problem.path for problem in flow.check()] == ["steps.price.workflow.steps.late"] * 2
    (problem,) = shop(Workflow("empty"), []).check()
    assert (problem.path, problem.what) == ("steps.price.workflow.empty", "it has no steps")


def test_a_workflow_cannot_be_a_step_of_itself() -> None:
    first, second = Workflow("first"), Workflow("second")
    first.step(second, name="down")
    second.step(first, name="up")
    (problem,) = first.check()
    assert problem.path == "steps.down.workflow.steps.up.workflow" and problem.what == "first is a step within itself"
    twice = Workflow("twice")
    twice.step(pricing([]), name="once")
    inner = pricing([])
    twice.step(inner, name="second")
    twice.step(inner, name="third")
    assert twice.check() == []


def test_a_team_whose_roles_are_not_learned_is_refused_before_the_run(path: Path) -> None:
    desk = team(Step("a", call=lambda value: value, routes=(Route(END),)))

    def refuse() -> None:
        raise WorkflowError("not learned")

    desk.require_heads = refuse  # type: ignore[method-assign]
    middle = Workflow("middle")
    middle.step(desk)
    done: list[str] = []
    with pytest.raises(WorkflowError, match="not learned"):
        shop(middle, done).run_sync("x", journal=path)
    assert not done


def test_the_document_names_the_child() -> None:
    assert shop(pricing([]), []).graph().document["steps"]["price"]["workflow"] == "pricing"
    assert "workflow" not in shop(pricing([]), []).graph().document["steps"]["pay"]
