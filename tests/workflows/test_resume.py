"""What a journal is for: recording before seeing, resume after an interruption, and refusals."""

import asyncio
from pathlib import Path

import pytest

from understudy.workflows.flow import Workflow
from understudy.workflows.graph import WorkflowError
from understudy.workflows.journal import Journal, JournalError
from understudy.workflows.runtime import effect_key


def test_what_a_step_gives_must_fit_into_the_journal() -> None:
    flow = Workflow("w")
    flow.step(lambda value: object(), name="odd")
    flow.step(lambda value: value, name="next")
    result = flow.run_sync(1)
    assert result.status == "failed" and "a value of type object cannot be kept" in str(result.error)
    assert [step.name for step in result.steps] == ["odd"]


def test_a_result_is_durable_before_the_next_step_begins(tmp_path: Path) -> None:
    path = tmp_path / "j.db"

    def second(value: str) -> list[str]:
        with Journal(path) as reader:
            return [type(event).__name__ for event in reader.events("r")]

    flow = Workflow("w")
    flow.step(lambda value: value, name="first")
    flow.step(second)
    seen = flow.run_sync("x", journal=path, run_id="r").value
    assert seen == ["RunAccepted", "StepFinished"]


def test_the_acceptance_is_durable_before_the_first_step(tmp_path: Path) -> None:
    path = tmp_path / "j.db"

    def first(value: str) -> int:
        with Journal(path) as reader:
            return len(reader.events("r"))

    flow = Workflow("w")
    flow.step(first)
    assert flow.run_sync("x", journal=path, run_id="r").value == 1


def test_cancellation_leaves_a_run_that_can_be_resumed(tmp_path: Path) -> None:
    path, calls = tmp_path / "j.db", list[str]()
    gate = {"open": False}

    async def first(value: str) -> str:
        calls.append("first")
        return value + "1"

    async def second(value: str) -> str:
        calls.append(effect_key())
        if not gate["open"]:
            await asyncio.sleep(30)
        return value + "2"

    flow = Workflow("w")
    flow.step(first)
    flow.step(second)

    async def interrupted() -> None:
        task = asyncio.create_task(flow.run("x", journal=path, run_id="r"))
        while len(calls) < 2:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())
    assert flow.replay("r", journal=path).status == "running"
    gate["open"] = True
    result = flow.resume_sync("r", journal=path)
    assert (result.status, result.value) == ("completed", "x12")
    assert calls == ["first", "r/second/1", "r/second/1"]
    # Finished now: resume gives the result and computes nothing.
    assert flow.resume_sync("r", journal=path) == result == flow.replay("r", journal=path)
    assert len(calls) == 3


def test_a_changed_workflow_is_refused_and_the_difference_named(tmp_path: Path) -> None:
    path = tmp_path / "j.db"

    def made(at_once: int) -> Workflow:
        flow = Workflow("w")
        flow.each(flow.input, do=str, name="texts", at_once=at_once)
        return flow

    made(2).run_sync([1, 2], journal=path, run_id="r")
    with pytest.raises(WorkflowError, match=r"was changed since this run began: steps.texts.at_once was 2 and is 3"):
        made(3).resume_sync("r", journal=path)
    with pytest.raises(WorkflowError, match="at_once was 2"):
        made(3).replay("r", journal=path)
    assert made(3).resume_sync("r", journal=path, changed=True).value == ["1", "2"]


def test_a_run_id_is_taken_once(tmp_path: Path) -> None:
    flow = Workflow("w")
    flow.step(str)
    flow.run_sync(1, journal=tmp_path / "j.db", run_id="r")
    with pytest.raises(JournalError, match="its id is taken"):
        flow.run_sync(2, journal=tmp_path / "j.db", run_id="r")
