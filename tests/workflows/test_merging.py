"""Merge rules: how the outputs of the steps that meet in a join become one value."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from understudy.agents.messages import Finding
from understudy.core.errors import UnderstudyError
from understudy.workflows.engine import decide
from understudy.workflows.events import RunAccepted, StepFinished
from understudy.workflows.expressions import Expression
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import WorkflowError
from understudy.workflows.merging import MERGES, merged
from understudy.workflows.state import State
from understudy.workflows.vector import Vector

SURE, UNSURE = Finding(answer="sure", confidence=0.9), Finding(answer="unsure", confidence=0.2)


@pytest.mark.parametrize(
    ("rule", "values", "one"),
    [
        ("list", [3, None, 1], [3, None, 1]),
        ("dict", [3, None], {"a": 3, "b": None}),
        ("first", [None, 0, 2], 0),
        ("first", [None, None], None),
        ("last", [1, "", None], ""),
        ("last", [None], None),
        ("concat", [[1], (2, 3), None, Vector.of([4])], [1, 2, 3, 4]),
        ("concat", ["ab", None, "c"], "abc"),
        ("concat", [None, None], []),
        ("union", [[2, 1], [1, 3], None, 2, [[5], [5], {"x": 1}], {"x": 1}], [2, 1, 3, [5], {"x": 1}]),
        ("union", [[1, True, 1.0], [False, 0]], [1, True, False, 0]),
        ("sum", [1, 2.5, None], 3.5),
        ("sum", [None], 0),
        ("all", [1, "x"], True),
        ("all", [1, None], False),
        ("any", [None, 0, 1], True),
        ("any", [None, []], False),
        ("majority", ["no", "yes", "yes"], "yes"),
        ("majority", ["b", "a", "a", "b"], "b"),
        ("majority", [None, None, "a"], "a"),
        ("majority", [None, None], None),
        ("majority", [[1], {"x": 1}, [1], True, 1], [1]),
        ("majority", [1, True, True], True),
        ("best", [UNSURE, None, SURE], SURE),
        ("best", [{"confidence": 1, "n": 1}, {"confidence": 1, "n": 2}, UNSURE], {"confidence": 1, "n": 1}),
        ("best", [None], None),
    ],
)
def test_a_rule_makes_one_value(rule: str, values: list[Any], one: Any) -> None:
    made = merged(rule, dict(zip("abcdefgh", values, strict=False)))
    assert repr(made) == repr(one)  # 1, True and 1.0 apart


def test_there_are_eleven_rules() -> None:
    assert list(MERGES) == [
        "list", "dict", "first", "last", "concat", "union", "sum", "all", "any", "majority", "best",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "values", "said"),
    [
        ("concat", [[1], "x"], "merge: 'concat' takes lists alone or texts alone, and b gave a text"),
        ("concat", ["x", 2], "merge: 'concat' takes lists alone or texts alone, and a gave a text"),
        ("sum", [1, "2"], "merge: 'sum' takes numbers, and b gave a text; choose another rule, or give a function of"),
        ("sum", [1, True], "merge: 'sum' takes numbers, and b gave a boolean"),
        ("best", [SURE, "x"], "merge: 'best' takes values with a number under 'confidence', and b gave a text"),
        ("best", [{"confidence": True}], "and a gave a mapping"),
        ("majorty", [1, 2], "merge: there is no rule 'majorty'; did you mean 'majority'?"),
        (lambda outputs: outputs["c"], [1, 2], "merge: KeyError: 'c'"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_step(rule: Any, values: list[Any], said: str) -> None:
    with pytest.raises(UnderstudyError) as error:
        merged(rule, dict(zip("ab", values, strict=False)))
    assert said in str(error.value)


def meeting(merge: Any, doer: Callable[..., Any] = lambda value: value, **more: Any) -> Workflow:
    """Two steps side by side, ``left`` slower than ``right``, and the step in which they meet."""
    flow = Workflow("meeting")
    top = flow.step(lambda value: value, name="top")
    left = flow.step(lambda value: [value, 1], name="left", after=top)
    right = flow.step(lambda value: [value, 2], name="right", after=top)
    flow.step(doer, name="both", after=[left, right], merge=merge, **more)
    return flow


def longest(outputs: Mapping[str, Any]) -> list[Any]:
    return ["longest of", *outputs, max(outputs.values())]


@pytest.mark.parametrize(
    ("merge", "value"),
    [
        ("concat", [0, 1, 0, 2]),
        ("union", [0, 1, 2]),
        ("dict", {"left": [0, 1], "right": [0, 2]}),
        (longest, ["longest of", "left", "right", [0, 2]]),
    ],
)
def test_a_join_is_given_what_its_merge_made(tmp_path: Path, merge: Any, value: Any) -> None:
    flow, path = meeting(merge), tmp_path / "j.db"
    result = flow.run_sync(0, journal=path, run_id="r")
    assert result.value == value == result.steps[-1].input
    assert flow.replay("r", journal=path) == result


def test_parameters_named_after_steps_and_inputs_see_each_output_all_the_same() -> None:
    def by_name(left: list[int], right: list[int]) -> list[int]:
        return left + right

    assert meeting("first", by_name).run_sync(0).value == [0, 1, 0, 2]
    given = {"x": Expression.parse("[right, left]")}
    assert meeting("first", lambda x: x, input=given).run_sync(0).value == [[0, 2], [0, 1]]


def test_a_merge_in_front_of_an_each() -> None:
    flow = Workflow("w")
    top = flow.step(lambda value: value, name="top")
    left = flow.step(lambda value: 1, name="left", after=top)
    right = flow.step(lambda value: 2, name="right", after=top)
    both = flow.step(lambda total: list(range(total)), name="both", after=[left, right], merge="sum")
    flow.each(both, do=lambda item: item * 2, name="doubled")
    assert flow.run_sync(0).value == [0, 2, 4]


def test_a_merge_that_cannot_be_is_a_failed_step() -> None:
    result = meeting("sum").run_sync(0)
    assert result.status == "failed" and str(result.error).startswith(
        "step both: merge: 'sum' takes numbers, and left gave a list"
    )
    flow = meeting("sum", on_error="sorry")
    flow.step(lambda error: error["error"], name="sorry", after=[])
    assert str(flow.run_sync(0).value).startswith("merge: 'sum' takes numbers")


def test_the_document_has_the_rule_and_one_without_is_as_it_was(tmp_path: Path) -> None:
    assert "merge" not in meeting(None).graph().document["steps"]["both"]
    assert meeting("concat").graph().document["steps"]["both"]["merge"] == "concat"
    assert meeting(longest).graph().document["steps"]["both"]["merge"] == "longest"
    meeting("concat").run_sync(0, journal=tmp_path / "j.db", run_id="r")
    with pytest.raises(WorkflowError, match='steps.both.merge was "concat" and is "union"'):
        meeting("union").resume_sync("r", journal=tmp_path / "j.db")


def test_branches_that_meet_in_a_step_that_is_no_join_are_refused_as_ever() -> None:
    flow = Workflow("w")
    top = flow.step(lambda value: value, name="top")
    flow.step(lambda value: value, name="left", after=top)
    flow.step(lambda value: value, name="right", after=top)
    flow.route("left", "end")
    flow.route("right", "end")
    flow.step(lambda value: value, name="end", after=[])
    assert "does not wait for both" in flow.check()[0].what
    state = State(flow.graph())
    for event in (
        RunAccepted(0.0, "r", "w", {}, 0),
        StepFinished(0.0, "top", 1, None, None, 0, 0.0),
        StepFinished(0.0, "left", 1, None, None, 0, 0.0),
        StepFinished(0.0, "right", 1, None, None, 0, 0.0),
    ):
        state, _ = decide(state, event)
    assert state.error == "step end: it was reached again from right while it was still under way"
