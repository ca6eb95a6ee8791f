"""Several first steps: in Python after the input, in a file by ``start: [a, b]``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from understudy import Team, Workflow
from understudy.workflows.graph import WorkflowError
from understudy.workflows.schema import check_text

HEAD = "schema: understudy/team/v1\nteam: desk\n"
STEPS = HEAD + """\
workflow:
  start: [left, right]
  steps:
    left: {call: same, input: {value: input.request}}
    right: {call: same}
    both: {call: same, after: [left, right], merge: dict}
output: {both: both}
"""


def test_steps_after_the_input_begin_at_once() -> None:
    met = asyncio.Barrier(2)

    async def left(value: int) -> int:
        await met.wait()
        return value + 1

    async def right(value: int) -> int:
        await met.wait()
        return value + 2

    flow = Workflow("sides")
    one = flow.step(left)
    other = flow.step(right, after=flow.input)
    flow.step(lambda values: values, after=[one, other], name="both")
    assert flow.graph().start == ("left", "right")
    assert flow.check() == []
    assert flow.run_sync(1).value == [2, 3]


def test_what_is_added_to_a_finished_graph_begins_as_well() -> None:
    flow = Workflow("sides")
    flow.step(lambda value: value, name="left")
    more = Workflow.of(flow.graph())
    more.step(lambda value: value, name="right", after="input")
    assert more.graph().first == ("left", "right")


def test_no_step_comes_after_the_input_and_another() -> None:
    flow = Workflow("sides")
    one = flow.step(lambda value: value, name="left")
    flow.step(lambda value: value, name="right", after=[flow.input, one])
    with pytest.raises(WorkflowError, match="there is no step 'input'"):
        flow.graph()


def test_a_first_step_that_another_leads_to_is_reached_twice() -> None:
    flow = Workflow("sides")
    one = flow.step(lambda value: value, name="left")
    other = flow.step(lambda value: value, name="right", after=flow.input)
    flow.route(one, other)
    (problem,) = flow.check()
    assert problem.what == "step right is reached by the start and by left, side by side, and does not wait for both"
    assert problem.suggestion == "begin without right, or lead elsewhere"


def test_a_file_names_several(tmp_path: Path) -> None:
    file = tmp_path / "team.yaml"
    file.write_text(STEPS, encoding="utf-8")
    team = Team.load(file)
    result = team.run_sync("tea")
    assert result.output["both"]["left"] == "tea" and result.output["both"]["right"].request == "tea"
    assert [step.name for step in result.steps] == ["left", "right", "both"]
    arrows = [(arrow.source, arrow.target) for arrow in team.diagram().chart.arrows]
    assert arrows[:2] == [("$start", "left"), ("$start", "right")]
    team.save(tmp_path / "saved.yaml")
    assert Team.load(tmp_path / "saved.yaml").workflow.graph().document == team.workflow.graph().document


def test_a_run_is_resumed_with_the_steps_that_it_began_with(tmp_path: Path) -> None:
    def flow(*steps: str) -> Workflow:
        made = Workflow("sides")
        for name in steps:
            made.ask("Is it?", name=name, after=made.input)
        return made

    journal = tmp_path / "runs.db"
    assert flow("left", "right").run_sync(1, journal=journal, run_id="one").status == "waiting"
    with pytest.raises(WorkflowError, match=r'start was \["left", "right"\]'):
        flow("right", "left").resume_sync("one", journal=journal)
    done = flow("left", "right").resume_sync("one", journal=journal, answers={"left": 1, "right": 2})
    assert done.status == "completed"


@pytest.mark.parametrize(("written", "told"), [
    ("[left, rihgt]", ["4:17: workflow.start[1]: unknown step 'rihgt'; did you mean 'right'?"]),
    ("[left, left]", ["4:17: workflow.start[1]: the step 'left' stands here twice; name it once"]),
    ("[]", ["4:10: workflow.start: expected a list of steps of at least 1, found 0"]),
    ("[left, both]", ["7:12: workflow.steps.right: step right cannot be reached; lead to it, or take it away"]),
])  # fmt: skip
def test_what_is_wrong_with_a_start_is_told(written: str, told: list[str]) -> None:
    found: list[Any] = [str(problem) for problem in check_text(STEPS.replace("[left, right]", written, 1), "t")]
    assert found == [f"t:{one}" for one in told]
