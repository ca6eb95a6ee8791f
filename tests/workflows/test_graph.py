"""Workflows composed in Python: wiring, checks before the run, documents and their differences."""

from typing import Any

import pytest

from understudy.agents.messages import Task
from understudy.workflows.expressions import Expression
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import Graph, Route, Step, WorkflowError, difference
from understudy.workflows.limits import Limits


def expr(text: str) -> Expression:
    return Expression.parse(text)


def mistakes(*steps: Step, agents: Any = None, **more: Any) -> list[str]:
    made = Graph("g", {step.name: step for step in steps}, steps[0].name, **more)
    return [f"{problem.path}: {problem.what}" for problem in made.check(agents)]


END = (Route("$end"),)


def test_steps_follow_in_the_order_declared() -> None:
    flow = Workflow("w", takes=Task)
    flow.step("a")
    flow.step("b")
    graph = flow.graph()
    assert [graph.steps[name].routes for name in "ab"] == [(Route("b"),), END]
    assert graph.start == "a" and flow.check() == []


def test_after_makes_forks_and_joins() -> None:
    flow = Workflow("w")
    top = flow.step("a", name="top")
    left = flow.step("a", name="left", after=top)
    right = flow.step("a", name="right", after=top)
    flow.step("a", name="end", after=[left, right], input={"both": left.value})
    graph = flow.graph()
    assert graph.steps["top"].routes == (Route(("left", "right")),)
    assert graph.steps["end"].join == ("left", "right") and flow.check() == []


def test_a_side_by_side_run_gives_both() -> None:
    flow = Workflow("w")
    top = flow.step(lambda value: value, name="top")
    left = flow.step(lambda value: value + 1, name="left", after=top)
    right = flow.step(lambda value: value * 10, name="right", after=top)
    flow.step(lambda values: values, name="both", after=[left, right])
    assert flow.run_sync(4).value == [5, 40]


def test_names_are_found_and_mistakes_in_them_refused() -> None:
    flow = Workflow("w")
    assert [str(flow.step("qa")), str(flow.step("qa")), str(flow.step(lambda: 1))] == ["qa", "qa2", "step"]
    assert str(flow.step("null")) == "step2"
    for name in ("qa", "input", "no name", "true", "null", "None", "not"):
        with pytest.raises(WorkflowError, match="cannot be called"):
            flow.step("qa", name=name)
    with pytest.raises(WorkflowError, match="cannot do a step"):
        flow.step(3)
    with pytest.raises(WorkflowError, match="needs an agent or a function"):
        flow.each(flow.input)
    with pytest.raises(WorkflowError, match="no steps"):
        Workflow("empty").graph()
    flow.route("nope", "qa")
    with pytest.raises(WorkflowError, match="there is no step 'nope'; there is: qa, qa2, step"):
        flow.graph()


def test_routes_and_followers_do_not_mix() -> None:
    flow = Workflow("w")
    first = flow.step("a", name="first")
    flow.step("a", name="second", after=first)
    flow.route(first, "$end")
    with pytest.raises(WorkflowError, match="step first has routes, and second comes after it"):
        flow.graph()


def test_unknown_names_are_reported_with_a_guess() -> None:
    flow = Workflow("w", output={"answer": Expression.parse("wrok.answer")})
    flow.step("planer", name="plan", input={"a": Expression.parse("inptu.request")})
    flow.step("planner", name="work")
    flow.route("work", "paln", at_most=1)
    found = {problem.path: (problem.what, problem.suggestion) for problem in flow.check({"planner": object()})}
    assert found == {
        "steps.plan.agent": ("there is no agent 'planer'", "did you mean 'planner'?"),
        "steps.plan.input.a": ("no value is called 'inptu' here", "did you mean 'input'?"),
        "steps.work.routes[0].to": ("there is no step 'paln'", "did you mean 'plan'?"),
        "output.answer": ("no step is called 'wrok'", "did you mean 'work'?"),
    }


def test_item_is_known_only_inside_each() -> None:
    inside = Step("a", agent="x", each=expr("input"), input={"v": expr("item")}, routes=END)
    assert mistakes(inside) == []
    assert mistakes(Step("a", agent="x", input={"v": expr("item")}, routes=END)) == [
        "steps.a.input.v: no value is called 'item' here"
    ]


def test_values_that_cannot_be_there_are_reported() -> None:
    first = Step("a", agent="x", input={"v": expr("b")}, routes=(Route("b"),))
    found = mistakes(first, Step("b", agent="x", routes=END))
    assert found == ["steps.a.input.v: step a reads 'b', which cannot have run"]
    own = Step("a", agent="x", routes=(Route("$end", expr("a")), Route("a", at_most=1)))
    assert mistakes(own) == []


def test_roads() -> None:
    assert mistakes(Step("a", agent="x", routes=END), Step("b", agent="x", routes=END)) == [
        "steps.b: step b cannot be reached"
    ]
    assert mistakes(Step("a", agent="x", routes=(Route("a", at_most=3),))) == [
        "steps.a: no end can be reached from step a"
    ]
    back = Step("b", agent="x", routes=(Route("$end", expr("b")), Route("a")))
    found = mistakes(Step("a", agent="x", routes=(Route("b"),)), back)
    assert found == ["steps.a.routes: the loop a → b → a has no limit"]
    assert mistakes(Step("a", agent="x", routes=END, join=("a", "b")), Step("b", agent="x", routes=END)) != []


def test_a_step_has_one_doer_and_sensible_numbers() -> None:
    assert mistakes(Step("a", routes=END)) == ["steps.a: step a has 0 doers"]
    assert mistakes(Step("a", agent="x", call=str, routes=END)) == ["steps.a: step a has 2 doers"]
    assert mistakes(Step("a", agent="x", retry=3, routes=END)) == ["steps.a.retry: retry is 3"]  # type: ignore[arg-type]
    assert mistakes(Step("a", agent="x", at_once=0, routes=(Route("$end", at_most=0),))) == [
        "steps.a.at_once: at_once is 0", "steps.a.routes[0].at_most: at_most is 0",
    ]  # fmt: skip


def test_a_workflow_with_a_mistake_does_not_run() -> None:
    flow = Workflow("w")
    flow.step("nobody")
    with pytest.raises(WorkflowError, match=r"w.steps.nobody.agent: there is no agent 'nobody'"):
        flow.run_sync("x")


def test_documents_tell_workflows_apart() -> None:
    def made(**more: Any) -> Graph:
        flow = Workflow("w", takes=Task, **more)
        flow.step("a", input={"v": flow.input.request})
        return flow.graph()

    same, other = made(), made(limits=Limits(messages=5))
    assert same.digest == made().digest != other.digest
    assert difference(same.document, other.document) == 'limits was [null, null, "stop"] and is [null, 5, "stop"]'
    assert difference({"a": {"b": 1}}, {"a": {}}) == "a.b is gone"
    assert difference({"a": {}}, {"a": {"b": 1}}) == "a.b is new"


def test_a_graph_made_elsewhere_runs_as_a_workflow() -> None:
    steps = {"a": Step("a", call=str.upper, routes=(Route("b"),)), "b": Step("b", call=len, routes=END)}
    flow = Workflow.of(Graph("g", steps, "a", output={"n": expr("b")}))
    assert flow.graph() == Graph("g", steps, "a", output={"n": expr("b")})
    assert flow.run_sync("abc").output == {"n": 3}
