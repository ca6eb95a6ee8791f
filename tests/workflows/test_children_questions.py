"""Workflows as steps that ask: the parent waits with them, and answers find their way."""

from pathlib import Path
from typing import Any

import pytest

from tests.workflows.families import approval, events, shop, statuses
from understudy.workflows.events import RunSuspended
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import WorkflowError
from understudy.workflows.questions import OpenQuestion


def test_a_child_that_waits_makes_its_parent_wait(path: Path) -> None:
    done: list[str] = []
    flow = shop(approval(done), done)
    result = flow.run_sync("tea", journal=path, run_id="r")
    question = OpenQuestion("r/price/1/ok/1", "price/ok", None, "Publish it?", "tea", ("yes", "no"))
    assert (result.status, result.questions, result.questions[0].run) == ("waiting", (question,), "r/price/1")
    assert statuses(path) == {"r": "waiting", "r/price/1": "waiting"}
    last = events(path, "r")[-1]
    assert isinstance(last, RunSuspended) and last.questions[0]["step"] == "price/ok"
    assert flow.replay("r", journal=path).questions == (question,)
    for _ in range(2):
        again = shop(approval(done), done).resume_sync("r", journal=path)
        assert (again.status, again.questions) == ("waiting", (question,))
    assert done == ["r/first/1", "r/price/1/draft/1"]
    result = shop(approval(done), done).resume_sync("r", journal=path, answers={"ok": "no"})
    assert (result.value, result.questions) == (["paid", ["tea", "no"]], ())
    assert done == ["r/first/1", "r/price/1/draft/1", "r/pay/1"]
    assert statuses(path) == {"r": "completed", "r/price/1": "completed"}


@pytest.mark.parametrize("name", ["r/price/1/ok/1", "price/ok", "ok"])
def test_an_answer_finds_its_question_by_key_path_or_step(path: Path, name: str) -> None:
    shop(approval([]), []).run_sync("tea", journal=path, run_id="r")
    result = shop(approval([]), []).resume_sync("r", journal=path, answers={name: "yes"})
    assert result.value == ["paid", ["tea", "yes"]]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"ok": "perhaps"}, "r/price/1/ok/1: 'perhaps' is no answer to: Publish it"),
        ({"price": "yes"}, "there is no open question 'price'; open: r/price/1/ok/1"),
        ({"ok": "yes", "k": "no"}, "there is no open question 'k'"),
    ],
)
def test_what_is_no_answer_is_refused_and_nothing_is_recorded(path: Path, answers: Any, said: str) -> None:
    shop(approval([]), []).run_sync("tea", journal=path, run_id="r")
    before = events(path, "r"), events(path, "r/price/1")
    with pytest.raises(WorkflowError, match=said):
        shop(approval([]), []).resume_sync("r", journal=path, answers=answers)
    assert (events(path, "r"), events(path, "r/price/1")) == before


def test_a_name_that_several_ask_by_is_refused_unless_the_way_is_said(path: Path) -> None:
    def made() -> Workflow:
        flow = Workflow("w")
        top = flow.step(lambda value: value, name="top")
        flow.step(approval([]), name="left", after=top)
        flow.step(approval([]), name="right", after=top)
        flow.step(lambda values: values, name="both", after=["left", "right"])
        return flow

    result = made().run_sync(1, journal=path, run_id="r")
    assert [one.step for one in result.questions] == ["left/ok", "right/ok"]
    with pytest.raises(WorkflowError, match="answer one by its key: r/left/1/ok/1, r/right/1/ok/1"):
        made().resume_sync("r", journal=path, answers={"ok": "yes"})
    result = made().resume_sync("r", journal=path, answers={"right/ok": "no"})
    assert (result.status, [one.step for one in result.questions]) == ("waiting", ["left/ok"])
    assert made().resume_sync("r", journal=path, answers={"ok": "yes"}).value == [[1, "yes"], [1, "no"]]


def test_a_question_of_the_run_goes_before_one_of_a_child(path: Path) -> None:
    def made() -> Workflow:
        flow = Workflow("w")
        top = flow.step(lambda value: value, name="top")
        flow.step(approval([]), name="left", after=top)
        flow.ask("And you?", name="ok", after=top)
        flow.step(lambda left, ok: [left, ok], name="both", after=["left", "ok"])
        return flow

    made().run_sync(1, journal=path, run_id="r")
    result = made().resume_sync("r", journal=path, answers={"ok": "mine", "left/ok": "yes"})
    assert result.value == [[1, "yes"], "mine"]


def test_questions_come_from_any_depth_and_of_items(path: Path) -> None:
    middle = Workflow("middle")
    middle.each(middle.input, do=approval([]), name="drafts")
    flow = Workflow("w")
    flow.step(middle, name="report")
    result = flow.run_sync(["a", "b"], journal=path, run_id="r")
    key = "r/report/1/drafts/1/{}/ok/1"
    assert [(one.key, one.step, one.about) for one in result.questions] == [
        (key.format(0), "report/drafts/ok", "a"), (key.format(1), "report/drafts/ok", "b"),
    ]  # fmt: skip
    with pytest.raises(WorkflowError, match="answer one by its key"):
        flow.resume_sync("r", journal=path, answers={"drafts/ok": "yes"})
    answers = {key.format(1): "no", key.format(0): "yes"}
    assert flow.resume_sync("r", journal=path, answers=answers).value == [["a", "yes"], ["b", "no"]]


def test_a_child_can_be_answered_by_itself_and_its_parent_takes_what_it_gave(path: Path) -> None:
    shop(approval([]), []).run_sync("tea", journal=path, run_id="r")
    assert approval([]).resume_sync("r/price/1", journal=path, answers={"ok": "yes"}).status == "completed"
    done: list[str] = []
    assert shop(approval(done), done).resume_sync("r", journal=path).value == ["paid", ["tea", "yes"]]
    assert done == ["r/pay/1"]


@pytest.mark.parametrize("kept", [True, False])
def test_a_person_beside_the_process_is_asked_by_children_too(path: Path, kept: bool) -> None:
    seen: list[OpenQuestion] = []

    async def person(question: OpenQuestion) -> str:
        seen.append(question)
        return "yes"

    options: Any = {"journal": path} if kept else {}
    result = shop(approval([]), []).run_sync("tea", run_id="r", on_question=person, **options)
    assert result.value == ["paid", ["tea", "yes"]]
    assert [(one.key, one.step, one.run) for one in seen] == [("r/price/1/ok/1", "price/ok", "r/price/1")]


def test_without_a_journal_what_a_child_asks_is_shown_all_the_same() -> None:
    result = shop(approval([]), []).run_sync("tea", run_id="r")
    assert (result.status, [one.key for one in result.questions]) == ("waiting", ["r/price/1/ok/1"])
