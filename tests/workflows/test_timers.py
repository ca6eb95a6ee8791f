"""Timers: a step that sleeps keeps its moment, whichever process waits for it."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from understudy.agents.messages import Task
from understudy.workflows.drain import Drain
from understudy.workflows.engine import decide, fold
from understudy.workflows.events import Event, RunAccepted, RunResumed, RunSuspended, StepFinished, TimerFired
from understudy.workflows.flow import Workflow
from understudy.workflows.journal import Journal
from understudy.workflows.limits import Limits
from understudy.workflows.runner import Runner
from understudy.workflows.runtime import AsyncioRuntime
from understudy.workflows.state import Sleep, State


def alarm() -> Workflow:
    flow = Workflow("alarm")
    flow.step(lambda value: value + 1, name="first")
    flow.sleep(60)
    flow.step(lambda value: value + 1, name="last")
    return flow


def test_the_moment_is_counted_from_the_step_before_and_kept_by_a_resume() -> None:
    graph = alarm().graph()
    log: list[Event] = [
        RunAccepted(1000.0, "r", "alarm", {}, 1),
        StepFinished(1010.0, "first", 1, None, None, 2, 0.1),
    ]
    sleep = Sleep("sleep", 1, None, "r/sleep/1", 1070.0, 2)
    assert decide(fold(graph, log[:1]), log[1])[1] == (sleep,)
    for at in (1050.0, 5000.0):  # before the moment, and long after it
        log.append(RunResumed(at))
        state, commands = decide(fold(graph, log[:-1]), log[-1])
        assert commands == (sleep,)
    state, commands = decide(state, TimerFired(5000.0, "sleep", 1, None))
    assert [(command.step, command.value) for command in commands] == [("last", 2)]  # type: ignore[attr-defined]
    again, nothing = decide(state, TimerFired(5001.0, "sleep", 1, None))
    assert nothing == () and again.outputs == state.outputs


def timer(state: State) -> Sleep:
    start = state.active["sleep"].slots[0].start
    assert isinstance(start, Sleep)
    return start


async def test_the_moment_is_kept_over_a_restart(tmp_path: Path) -> None:
    drain = Drain()
    asyncio.get_running_loop().call_later(0.05, drain.request)
    with Journal(tmp_path / "j.db") as book:
        runner = Runner(alarm().graph(), AsyncioRuntime({}), book, drain=drain, clock=lambda: 1000.0)
        assert (await runner.run(1, run_id="r")).status == "interrupted"
        left = book.events("r")
        assert isinstance(left[-1], RunSuspended) and left[-1].reason == "interrupted"
        assert timer(fold(alarm().graph(), left)).until == 1060.0

    # Another process, 59.9 seconds later: it waits for the tenth of a second that is left.
    with Journal(tmp_path / "j.db") as book:
        began = time.monotonic()
        late = Runner(alarm().graph(), AsyncioRuntime({}), book, clock=lambda: 1059.9 + time.monotonic() - began)
        result = await late.resume("r")
        assert (result.status, result.value) == ("completed", 3)
        (fired,) = [event for event in book.events("r") if isinstance(event, TimerFired)]
        assert 1060.0 <= fired.at < 1070.0 and 0.09 < time.monotonic() - began < 10


def test_a_loop_sleeps_anew_at_every_visit() -> None:
    flow, fired = Workflow("w"), list[tuple[int, float]]()
    wait = flow.step(lambda value: value / 2, name="half")
    flow.sleep(wait)
    flow.route("sleep", "half", at_most=2)
    flow.route("sleep", "$end")

    def watch(event: Event) -> None:
        if isinstance(event, TimerFired):
            fired.append((event.visit, event.at))

    began = time.time()
    result = flow.run_sync(0.16, on_event=watch)
    assert result.value == pytest.approx(0.02)
    assert [visit for visit, _ in fired] == [1, 2, 3]
    for (_, at), least in zip(fired, (0.08, 0.12, 0.14), strict=True):
        assert at - began > least - 0.001


@pytest.mark.parametrize("seconds", ["soon", "5", -1, True, None, float("nan"), float("inf"), [1]])
def test_what_is_no_number_of_seconds_fails_the_step(seconds: Any) -> None:
    flow = Workflow("w")
    flow.sleep(flow.input)
    result = flow.run_sync(seconds)
    assert (result.status, result.error) == ("failed", f"step sleep: sleep: {seconds!r} is no number of seconds")
    assert [(record.name, record.attempts) for record in result.steps] == [("sleep", 0)]


def test_a_sleep_passes_on_what_it_was_given() -> None:
    flow = Workflow("w")
    flow.sleep(0)
    nap = flow.sleep(0.001, name="nap")
    flow.step(lambda before, after: (before, after), input={"before": flow.input, "after": nap}, name="last")
    task = Task(request="x")
    assert flow.run_sync(task).value == (task, task)


def test_sleeping_is_time_of_the_run() -> None:
    flow = Workflow("w", limits=Limits(seconds=0.05))
    flow.sleep(30)
    began = time.monotonic()
    assert flow.run_sync(1).error == "the run used up its 0.05 seconds"
    assert time.monotonic() - began < 10
