"""Branches side by side that may come to one step where one of them fails: found before the run."""

import asyncio

import pytest

from understudy.workflows.flow import Workflow
from understudy.workflows.graph import END, WorkflowError


def broken(value: object) -> object:
    raise ValueError("no")


def fine(value: object) -> object:
    return value


def sides(left: str | None = None, right: str | None = None, joined: str | None = None) -> Workflow:
    """begin leads to left and right side by side, which are joined; each with its ``on_error``."""
    flow = Workflow("sides")
    flow.step(fine, name="begin")
    flow.step(fine, name="left", after="begin", on_error=left)
    flow.step(fine, name="right", after="begin", on_error=right)
    flow.step(fine, name="both", after=["left", "right"], on_error=joined)
    for name in dict.fromkeys((left, right, joined)):
        if name not in (None, END, "both", "begin"):
            flow.step(fine, name=name, after=[])
    return flow


def told(flow: Workflow) -> list[str]:
    return [f"{problem.path}: {problem.what}" for problem in flow.check()]


def test_one_error_route_of_two_branches_is_refused() -> None:
    flow = sides(left="sorry", right="sorry")
    (problem,) = flow.check()
    assert problem.path == "steps.sorry"
    assert problem.what == (
        "step sorry may be reached twice, side by side: by left when it fails, and by right when it fails"
    )
    assert problem.why == "it would be done twice"
    assert problem.suggestion.startswith("give each a step of its own, or make the branches one workflow")
    with pytest.raises(WorkflowError, match="may be reached twice"):
        flow.run_sync(1)


def test_a_failure_that_leads_to_where_the_other_branch_goes_is_refused() -> None:
    flow = Workflow("sides")
    flow.step(fine, name="begin")
    flow.step(fine, name="left", after="begin")
    flow.step(fine, name="right", after="begin", on_error="mend")
    flow.step(fine, name="report", after="left")
    flow.step(fine, name="mend", after=[])
    flow.route("right", END)
    flow.route("mend", "report")
    assert told(flow) == [
        "steps.report: step report may be reached twice, side by side: by left, and by mend after right failed"
    ]


def test_branches_that_begin_with_the_run_count_too() -> None:
    flow = Workflow("sides")
    flow.step(fine, name="left", on_error="sorry")
    flow.step(fine, name="right", after=flow.input, on_error="sorry")
    flow.step(fine, name="sorry", after=[])
    assert [line.partition(": by")[0] for line in told(flow)] == [
        "steps.sorry: step sorry may be reached twice, side by side"
    ]


def test_a_failure_that_leads_back_before_the_branches_is_refused() -> None:
    flow = sides(left="again")
    flow.route("again", "begin", at_most=2)
    flow.route("again", END)
    assert told(flow) == [
        "steps.right: step right may be reached twice, side by side: by begin after left failed, and by begin"
    ]


@pytest.mark.parametrize("flow", [
    sides(left="sorry", right="regret"),  # each its own
    sides(left="both", right="both"),  # the join waits for both
    sides(left=END, right=END),
    sides(left="sorry", joined="sorry"),  # where left has failed the join does not begin
], ids=["own", "join", "end", "before and after the join"])  # fmt: skip
def test_what_cannot_meet_is_fine(flow: Workflow) -> None:
    assert told(flow) == []


def test_one_after_the_other_may_share_an_error_route() -> None:
    flow = Workflow("line")
    flow.step(fine, name="first", on_error="sorry")
    flow.step(broken, name="second", on_error="sorry")
    flow.step(fine, name="sorry", after=[])
    assert told(flow) == []
    assert [step.name for step in flow.run_sync(1).steps] == ["first", "second", "sorry"]


def test_a_branch_may_try_again_by_itself() -> None:
    flow = sides(left="mend")
    flow.route("mend", "left", at_most=2)
    flow.route("mend", END)
    assert told(flow) == []


def test_the_way_to_mend_it_that_is_named_does_it_once() -> None:
    branches = Workflow("branches")
    branches.step(fine, name="begin")
    branches.step(broken, name="left", after="begin")
    branches.step(broken, name="right", after="begin")
    flow = Workflow("whole")
    flow.step(branches, on_error="sorry")
    flow.step(fine, name="sorry", after=[])
    assert told(flow) == []
    assert [step.name for step in asyncio.run(flow.run(1)).steps] == ["branches", "sorry"]
