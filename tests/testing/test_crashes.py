"""Runs that are cut off and resumed: what is done again, and what is not."""

from pathlib import Path
from typing import Any

import pytest

from understudy import Finding, Task, UnderstudyError, Workflow, effect_key
from understudy.testing import Harness, Scripted, ScriptedAgent, ScriptError
from understudy.testing.crashing import Crash, CrashingJournal, CrashPoint
from understudy.workflows.events import StepFinished
from understudy.workflows.journal import Journal


class Till:
    """Takes payments, and notes their keys."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def pay(self, value: Any) -> Any:
        self.keys.append(effect_key())
        return value


def shop(till: Till) -> Workflow:
    flow = Workflow("shop")
    flow.step(lambda value: value, name="order")
    flow.step(till.pay, name="pay")
    flow.step(lambda value: f"bill of {value}", name="bill")
    return flow


def test_what_is_recorded_is_not_done_again() -> None:
    till = Till()
    harness = Harness(shop(till))
    harness.crash_after("pay")
    run = harness.run_sync(12)
    assert (run.status, run.crashed, run.value) == ("crashed", True, 12)
    assert run.path == ["order", "pay", "bill"] and run.steps["bill"].output is None
    run = harness.resume_sync()
    assert (run.status, run.value, run.repeated) == ("completed", "bill of 12", [])
    assert till.keys == ["run-1/pay/1"] and run.steps["pay"].begun == 1


def test_what_is_not_recorded_is_done_again_under_the_same_key() -> None:
    till = Till()
    harness = Harness(shop(till))
    harness.crash_during("pay")
    run = harness.run_sync(12)
    assert run.status == "crashed" and run.path == ["order", "pay"] and run.steps["pay"].output is None
    harness.clock.skip(3600)
    run = harness.resume_sync()
    assert (run.value, run.repeated) == ("bill of 12", ["pay"])
    assert till.keys == ["run-1/pay/1"] * 2 and run.steps["pay"].begun == 2 and run.usage.seconds == 0


def test_a_dead_journal_writes_nothing_until_it_is_revived() -> None:
    with CrashingJournal(":memory:") as book:
        first = StepFinished(1.0, "first", 1, None, None, 1, 0.0)
        second = StepFinished(1.0, "second", 1, None, None, 2, 0.0)
        book.crash_at(CrashPoint("first"), "r")
        with pytest.raises(Crash, match="r: the process died at first"):
            book.append("r", 0, [first, second])
        for run in ("r", "other"):
            with pytest.raises(Crash, match=f"{run}: the process is dead"):
                book.append(run, 1, [second])
        assert book.events("r") == [first] and book.next_number("other") == 0
        book.crash_at(None)
        book.append("r", 1, [second, first])
        assert book.events("r") == [first, second, first]


def test_what_was_under_way_beside_is_done_again_too() -> None:
    flow = Workflow("beside", takes=Task)
    first = flow.step(lambda task: task.request, name="first")
    flow.step(lambda value: value, name="left", after=first)
    flow.step("coder", name="right", after=first, input={"request": first})
    slow = ScriptedAgent("coder", [Scripted("one", delay=60), "two"], takes=Task, gives=Finding)
    harness = Harness(flow, {"coder": slow})
    harness.crash_during("left")
    run = harness.run_sync("?")
    assert run.crashed and harness.clock.elapsed == 0
    assert [event.step for event in harness.journal.events("run-1")[1:]] == ["first"]  # type: ignore[attr-defined]
    run = harness.resume_sync()
    assert run.status == "completed" and run.repeated == ["left", "right"] and len(slow.asked) == 2


def test_a_scripted_agent_is_asked_again() -> None:
    flow = Workflow("asking", takes=Task)
    flow.step("coder")

    def harness(*replies: str) -> Harness:
        made = Harness(flow, {"coder": ScriptedAgent("coder", replies, takes=Task, gives=Finding)})
        made.crash_during("coder")
        assert made.run_sync("?").crashed
        return made

    assert harness("one", "two").resume_sync().value.answer == "two"
    with pytest.raises(ScriptError, match="its script of 1 reply is used up"):
        harness("one").resume_sync()


def test_a_crash_at_an_item() -> None:
    till = Till()
    flow = Workflow("items")
    flow.each(flow.input, do=till.pay, name="pay", at_once=1)
    harness = Harness(flow)
    harness.crash_after("pay", index=1)
    assert harness.run_sync([1, 2, 3]).steps["pay"].output == [1, 2]
    harness.crash_during("pay")  # the first that ends from here on
    assert harness.resume_sync().crashed
    run = harness.resume_sync()
    assert run.value == [1, 2, 3] and till.keys == [f"run-1/pay/1/{index}" for index in (0, 1, 2, 2)]


def test_a_crash_at_a_visit() -> None:
    till = Till()
    flow = Workflow("loop")
    pay = flow.step(till.pay, name="pay")
    flow.route(pay, pay, when=pay < 5, at_most=2)
    flow.route(pay, "$end")
    harness = Harness(flow)
    harness.crash_during("pay", visit=3)
    assert harness.run_sync(1).path == ["pay"] * 3
    assert harness.resume_sync().path == ["pay"] * 3
    assert till.keys == ["run-1/pay/1", "run-1/pay/2", "run-1/pay/3", "run-1/pay/3"]


def test_a_crash_at_a_timer_or_an_answer() -> None:
    flow = Workflow("slow")
    flow.sleep(3600, name="wait")
    flow.ask("Go on?", name="go")
    flow.step(lambda value: value, name="last")
    harness = Harness(flow)
    harness.crash_during("wait")
    assert harness.run_sync(1).path == ["wait"]
    harness.crash_during("go")
    assert harness.resume_sync(answers={"go": "yes"}).path == ["wait", "go"]
    harness.crash_after("go")
    assert harness.resume_sync(answers={"go": "no"}).path == ["wait", "go", "last"]
    assert harness.resume_sync().value == "no" and harness.clock.elapsed == 3600


@pytest.mark.parametrize("name", ["pay", "shop/pay"])
def test_a_crash_in_a_workflow_that_is_a_step(name: str) -> None:
    till = Till()
    flow = Workflow("mall")
    flow.step(shop(till), name="shop")
    flow.step(lambda value: value, name="last")
    harness = Harness(flow)
    harness.crash_during(name)
    run = harness.run_sync(12)
    assert run.crashed and run.path == ["shop"] and run.steps["shop"].runs[0].path == ["order", "pay"]
    run = harness.resume_sync()
    assert run.value == "bill of 12" and run.repeated == ["shop/pay"]
    assert till.keys == ["run-1/shop/1/pay/1"] * 2
    assert run.steps["shop"].runs[0].steps["order"].begun == 1


def test_a_crash_that_does_not_come_fails() -> None:
    flow = Workflow("ways")
    first = flow.step(lambda value: value, name="first")
    flow.route(first, "second", when=first > 5)
    flow.route(first, "$end")
    flow.step(lambda value: value, name="second", after=[])
    harness = Harness(flow)
    harness.crash_after("second")
    with pytest.raises(ScriptError, match="the run was to crash at 'second', and did not come to it"):
        harness.run_sync(1)
    assert harness.run_sync(6).status == "completed"  # it was for one run
    with pytest.raises(UnderstudyError, match="there is no step 'secnd'; did you mean 'second'"):
        harness.crash_during("secnd")


def test_a_journal_of_the_test(tmp_path: Path) -> None:
    till, path = Till(), tmp_path / "runs.db"
    with Harness(shop(till), journal=path) as harness:
        harness.crash_after("order")
        assert harness.run_sync(1, run_id="monday").crashed
    with Journal(path) as book:
        assert [row.status for row in book.runs()] == ["open"]
    result = shop(till).resume_sync("monday", journal=path)
    assert result.value == "bill of 1" and till.keys == ["monday/pay/1"]
