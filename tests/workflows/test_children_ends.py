"""A child has its end in the journal when its parent goes on without it, or ends, wherever the process died."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.workflows.families import pricing, sleeper, statuses
from understudy.workflows.flow import Workflow
from understudy.workflows.journal import Journal, Row


async def failing(value: Any) -> Any:
    await asyncio.sleep(0.05)
    raise ValueError("no")


def left_behind() -> Workflow:
    """One item fails, the other is a child with a child under way; the run goes on, and then asks."""
    mixed = Workflow("mixed")
    mixed.step(failing)
    mixed.step(sleeper(), name="long", after=mixed.input)
    flow = Workflow("whole")
    flow.step(mixed, on_error="sorry")
    flow.step(lambda value: value, name="sorry", after=[])
    flow.ask("Go on?", name="ask", after="sorry")
    return flow


class Logged(Journal):
    """Keeps the order of all that is written."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[tuple[str, int, list[Row]]] = []

    def append_rows(self, run: str, number: int, rows: Sequence[Row]) -> None:
        super().append_rows(run, number, rows)
        if rows:
            self.log.append((run, number, list(rows)))


def test_no_child_is_left_open_whatever_was_written_when_the_process_died() -> None:
    with Logged() as whole:
        left_behind().run_sync(1, journal=whole, run_id="r")
    for kept in range(1, len(whole.log) + 1):
        with Journal() as journal:
            for run, number, rows in whole.log[:kept]:
                journal.append_rows(run, number, rows)
            before = {run.run: run.status for run in journal.runs()}
            for run, status in before.items():
                inside = [other for other in before if other.startswith(f"{run}/")]
                assert status == "open" or status == "waiting" or not any(before[one] == "open" for one in inside)
            left_behind().resume_sync("r", journal=journal)
            after = {run.run: run.status for run in journal.runs()}
        assert after == {"r": "waiting", "r/mixed/1": "failed", "r/mixed/1/long/1": "failed"}


def test_resuming_a_finished_run_ends_the_children_that_an_older_version_left(path: Path) -> None:
    flow = Workflow("whole")
    flow.step(pricing([]), name="price")
    with Journal(path) as journal:
        flow.run_sync(1, journal=journal, run_id="r")
        events = journal.events("r/price/1")
        journal.rewrite("r/price/1", journal.next_number("r/price/1"), events[:2])
        assert statuses(path)["r/price/1"] == "open"
        flow.resume_sync("r", journal=journal)
    assert statuses(path) == {"r": "completed", "r/price/1": "failed"}


def test_a_run_of_its_own_that_is_named_like_a_child_is_left_alone(path: Path) -> None:
    flow = Workflow("whole")
    flow.step(pricing([]), name="price")
    waiting = Workflow("waiting")
    waiting.ask("Go on?")
    for name in ("r/other", "r/other/1", "r/price/x", "r0/price/1"):
        waiting.run_sync(1, journal=path, run_id=name)
    assert flow.run_sync(1, journal=path, run_id="r").status == "completed"
    found = statuses(path)
    assert [found[name] for name in ("r/other", "r/other/1", "r/price/x", "r0/price/1")] == ["waiting"] * 4
