"""Workflows as steps after a crash, a drain, a cancellation, and in forks."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.families import Order, approval, broken, events, noted, ordering, pricing, shop, sleeper, statuses
from understudy.agents.retry import Retry
from understudy.workflows.drain import Drain
from understudy.workflows.effects import effect_key
from understudy.workflows.events import RunFinished, StepFailed, StepFinished
from understudy.workflows.expressions import Ref
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import WorkflowError
from understudy.workflows.journal import Journal, JournalError, Row
from understudy.workflows.lease import LeaseTaken, leased
from understudy.workflows.outcome import Result
from understudy.workflows.questions import OpenQuestion


class Logged(Journal):
    """Keeps the order of all that is written."""

    def __init__(self, log: list[tuple[str, int, Sequence[Row]]]) -> None:
        super().__init__()
        self.log = log

    def append_rows(self, run: str, number: int, rows: Sequence[Row]) -> None:
        super().append_rows(run, number, rows)
        if rows:
            self.log.append((run, number, list(rows)))


def family(done: list[str]) -> Workflow:
    """Children side by side, of items and of a child; one asks, one fails."""
    middle = Workflow("middle")
    two = middle.step(noted(done, lambda value: [value, value + 1]), name="two")
    middle.each(two, do=pricing(done), name="prices")
    flow = Workflow("family")
    top = flow.step(noted(done), name="top")
    flow.step(middle, name="left", after=top)
    flow.step(approval(done), name="right", after=top)
    flow.step(broken(done), name="wrong", after=top, on_error="sorry")
    flow.step(noted(done, lambda value: value), name="all", after=["left", "right"], merge="concat")
    flow.step(noted(done, str), name="sorry", after=[])
    return flow


def driven(flow: Workflow, journal: Journal) -> Result:
    """The run ``r`` resumed, and what it asks answered, to its end."""
    result = flow.resume_sync("r", journal=journal)
    while result.status == "waiting":
        result = flow.resume_sync("r", journal=journal, answers={one.key: "yes" for one in result.questions})
    return result


def recorded(journal: Journal) -> set[str]:
    """The keys of the effects that are in the records of all runs."""
    found = set()
    for run in journal.runs():
        for event in journal.events(run.run):
            if isinstance(event, StepFinished | StepFailed):
                item = "" if event.index is None else f"/{event.index}"
                found.add(f"{run.run}/{event.step}/{event.visit}{item}")
    return found


def told(result: Result) -> Any:
    """The result without its times, and without the order in which what ran side by side ended."""
    steps = sorted((step.name, str(step.input), str(step.output), step.error) for step in result.steps)
    return result.status, result.value, steps


def test_a_family_killed_at_any_commit_of_any_of_its_runs_ends_the_same() -> None:
    done: list[str] = []
    log: list[tuple[str, int, Sequence[Row]]] = []
    with Logged(log) as journal:
        result = family(done).run_sync(1, journal=journal, run_id="r")
        assert result.status == "waiting"
        result = driven(family(done), journal)
        everything = recorded(journal)
        runs = {run.run: run.status for run in journal.runs()}
    assert result.value == [4, 6, 1, "yes"] and all(count == 1 for count in Counter(done).values())
    assert len(runs) == 6 and runs.pop("r/wrong/1") == "failed" and set(runs.values()) == {"completed"}
    assert len(log) > 20
    for kept in range(1, len(log) + 1):
        done.clear()
        with Journal() as journal:
            for run, number, rows in log[:kept]:
                journal.append_rows(run, number, rows)
            before = recorded(journal)
            resumed = driven(family(done), journal)
            assert told(resumed) == told(result)
            assert told(family([]).replay("r", journal=journal)) == told(resumed)
            assert recorded(journal) == everything, "an effect was lost, or has another key"
        assert not before & set(done), "a recorded effect was done again"
        assert all(count == 1 for count in Counter(done).values())


def test_an_answer_to_a_child_is_kept_although_the_process_ends_at_once(path: Path) -> None:
    shop(approval([]), []).run_sync("tea", journal=path, run_id="r")
    drain = Drain()
    drain.request()
    result = shop(approval([]), []).resume_sync("r", journal=path, answers={"ok": "yes"}, drain=drain)
    assert result.status == "interrupted"
    assert shop(approval([]), []).resume_sync("r", journal=path).value == ["paid", ["tea", "yes"]]


@pytest.mark.parametrize("kept", [True, False])
def test_a_drain_lets_children_finish_what_is_under_way(path: Path, kept: bool) -> None:
    drain, done = Drain(), list[str]()

    async def stop(value: int) -> int:
        done.append(effect_key())
        drain.request()
        await asyncio.sleep(0.05)
        return value + 1

    def made() -> Workflow:
        inner = Workflow("inner")
        inner.step(stop)
        inner.step(noted(done), name="after")
        outer = Workflow("outer")
        outer.step(inner, name="deep")
        return shop(outer, done)

    options: Any = {"journal": path} if kept else {}
    result = made().run_sync(1, run_id="r", drain=drain, **options)
    assert (result.status, result.questions) == ("interrupted", ())
    assert done == ["r/first/1", "r/price/1/deep/1/stop/1"]
    if kept:
        assert statuses(path) == dict.fromkeys(["r", "r/price/1", "r/price/1/deep/1"], "interrupted")
        assert made().resume_sync("r", journal=path).value == ["paid", 2]
        assert done[2:] == ["r/price/1/deep/1/after/1", "r/pay/1"]


def test_a_child_is_given_up_although_the_process_is_told_to_end(path: Path) -> None:
    drain = Drain()

    async def fails(item: int) -> None:
        await asyncio.sleep(0.05)
        drain.request()
        raise ValueError("one")

    def made() -> Workflow:
        inner = Workflow("inner")
        inner.step(lambda item: item, name="choose")
        inner.route("choose", "fails", when=Ref("input") == 1)
        inner.route("choose", "long")
        inner.step(fails, after=[])
        inner.step(asyncio.sleep, input={"delay": 30}, name="long", after=[])
        flow = Workflow("w")
        flow.each(flow.input, do=inner, name="work", on_error="sorry")
        flow.step(lambda error: error["error"], name="sorry", after=[])
        return flow

    assert made().run_sync([0, 1], journal=path, run_id="r", drain=drain).status == "interrupted"
    assert statuses(path) == {"r": "interrupted", "r/work/1/0": "failed", "r/work/1/1": "failed"}
    over = events(path, "r/work/1/0")[-1]
    assert isinstance(over, RunFinished) and over.error == "the run that it is a step of went on without it"
    assert made().resume_sync("r", journal=path).value == "item 2: inner: step fails: ValueError: one"


def test_a_drain_forgets_no_question_of_a_child(path: Path) -> None:
    drain = Drain()

    async def person(question: OpenQuestion) -> None:
        drain.request()
        await asyncio.sleep(30)

    result = shop(approval([]), []).run_sync("tea", journal=path, run_id="r", drain=drain, on_question=person)
    assert (result.status, [one.step for one in result.questions]) == ("interrupted", ["price/ok"])
    # Nor does a process that is told to end before it takes the child up.
    again = shop(approval([]), []).resume_sync("r", journal=path, drain=drain)
    assert (again.status, [one.step for one in again.questions]) == ("interrupted", ["price/ok"])


def test_a_cancelled_run_and_its_child_are_left_to_be_resumed(path: Path) -> None:
    done: list[str] = []

    async def interrupted() -> None:
        task = asyncio.create_task(shop(sleeper(30, done), done).run("tea", journal=path, run_id="r"))
        while len(done) < 2:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupted())
    assert statuses(path) == {"r": "open", "r/price/1": "open"}
    assert shop(sleeper(0, done), done).resume_sync("r", journal=path).value == ["paid", "tea"]
    assert done == ["r/first/1", "r/price/1/sleep/1", "r/price/1/sleep/1", "r/pay/1"]


def test_a_changed_child_is_refused_when_its_parent_is_resumed(path: Path) -> None:
    def other(done: list[str]) -> Workflow:
        flow = approval(done)
        flow.step(noted(done), name="more")
        return flow

    shop(approval([]), []).run_sync("tea", journal=path, run_id="r")
    before = events(path, "r")
    with pytest.raises(WorkflowError, match=r"r/price/1: the workflow was changed since this run began: steps\.end"):
        shop(other([]), []).resume_sync("r", journal=path, answers={"ok": "yes"})
    assert events(path, "r") == before
    result = shop(other([]), []).resume_sync("r", journal=path, answers={"ok": "yes"}, changed=True)
    assert result.value == ["paid", ["tea", "yes"]]


def test_a_child_that_another_process_drives_leaves_its_parent_to_be_resumed(path: Path) -> None:
    shop(approval([]), []).run_sync("tea", journal=path, run_id="r")
    with leased(str(path), "r/price/1"):
        with pytest.raises(LeaseTaken):
            shop(approval([]), []).resume_sync("r", journal=path, answers={"ok": "yes"})
        with pytest.raises(LeaseTaken):
            shop(approval([]), []).resume_sync("r", journal=path)
    assert shop(approval([]), []).resume_sync("r", journal=path, answers={"ok": "yes"}).status == "completed"


def test_a_journal_that_fails_under_a_child_fails_no_step() -> None:
    class Full(Journal):
        full = True

        def append_rows(self, run: str, number: int, rows: Sequence[Row]) -> None:
            if self.full and run == "r/price/1" and number:
                raise JournalError("the disk is full")
            super().append_rows(run, number, rows)

    done: list[str] = []
    with Full() as journal:
        with pytest.raises(JournalError, match="the disk is full"):
            shop(pricing(done), done, retry=Retry(2, 0.001)).run_sync(1, journal=journal, run_id="r")
        journal.full = False
        assert shop(pricing(done), done, retry=Retry(2)).resume_sync("r", journal=journal).value == ["paid", 4]
        assert len(journal.runs()) == 2, "nor is the child tried again"
    assert done == ["r/first/1", *["r/price/1/add/1"] * 2, "r/price/1/double/1", "r/pay/1"]


@pytest.mark.parametrize(
    ("step", "change", "value", "computed"),
    [
        ("pay", {}, ["paid", 10], ["f/pay/1"]),
        ("price", {"output": 7}, ["paid", 7], ["f/pay/1"]),
        ("price", {"message": 1}, ["paid", 4], ["f/price/1/add/1", "f/price/1/double/1", "f/pay/1"]),
        ("price", {}, ["paid", 10], ["f/price/1/add/1", "f/price/1/double/1", "f/pay/1"]),
    ],
)
def test_a_fork_has_children_of_its_own(path: Path, step: str, change: Any, value: Any, computed: list[str]) -> None:
    shop(pricing([]), []).run_sync(4, journal=path, run_id="r")
    before, done = events(path, "r/price/1"), list[str]()
    result = shop(pricing(done), done).fork_sync("r", step, journal=path, run_id="f", **change)
    assert (result.value, done) == (value, computed)
    assert events(path, "r/price/1") == before
    assert ("f/price/1" in statuses(path)) == (len(computed) > 1)
    assert shop(pricing([]), []).replay("f", journal=path) == result


def test_a_child_can_be_forked_by_itself(path: Path) -> None:
    shop(pricing([]), []).run_sync(4, journal=path, run_id="r")
    assert pricing([]).fork_sync("r/price/1", "add", output=50, journal=path).value == 100


def test_a_message_of_a_fork_gives_the_fields_that_the_child_takes(path: Path) -> None:
    def made() -> Workflow:
        flow = Workflow("w")
        flow.step(ordering(), name="order")
        return flow

    made().run_sync("tea", journal=path, run_id="r")
    fork = made().fork_sync("r", "order", message={"item": "milk", "count": 2}, journal=path)
    assert fork.value == Order(item="milk", count=2)
