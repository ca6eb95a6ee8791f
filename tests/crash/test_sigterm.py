"""A real SIGTERM: what is under way is finished and recorded, nothing begins, and resume ends the run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from understudy.workflows.drain import Drain
from understudy.workflows.events import (
    Event,
    QuestionAnswered,
    RunResumed,
    RunSuspended,
    StepFailed,
    StepFinished,
    TimerFired,
)
from understudy.workflows.flow import Workflow
from understudy.workflows.journal import Journal

REPOSITORY = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM kills at once there")

CHILD = '''
import asyncio, json, os, signal, sys, time
from understudy.cli_support import draining
from understudy.workflows.flow import Workflow
from understudy.workflows.runtime import effect_key

path, mode, kind = sys.argv[1:]

def say(*words):
    with open(path + ".log", "a") as log:
        print(*words, file=log, flush=True)

def steps():
    """Says when it began and when it ended; the first time SIGTERM comes in between."""
    say("began", effect_key())
    while mode == "run" and not drain.requested:
        yield 0.02
    yield 0.2
    say("ended", effect_key())

async def slowly(value):
    for seconds in steps():
        await asyncio.sleep(seconds)
    return value + 1

def blocking(value):
    for seconds in steps():
        time.sleep(seconds)
    return value + 1

def items():
    flow = Workflow("items")
    numbers = flow.step(lambda value: list(range(5)), name="numbers")
    squares = flow.each(numbers, do=slowly if kind == "items" else blocking, name="slow", at_once=2)
    flow.step(sum_of, name="last")
    return flow

def sum_of(values):
    say("began", effect_key())
    return sum(values)

def aside():
    """A step, a timer of an hour and a question beside each other."""
    flow = Workflow("aside")
    start = flow.step(lambda value: value, name="start")
    flow.step(slowly, name="slow", after=start)
    flow.sleep(3600, name="nap", after=start)
    flow.ask("may it?", name="ask", after=start)
    return flow

async def nobody(question):
    say("asked", question.key)
    await asyncio.sleep(3600)

def told(event):
    if type(event).__name__ == "StepStarted":
        print("begun", event.key, flush=True)

flow = aside() if kind == "aside" else items()
with draining() as drain:
    if mode == "run":
        options = {"on_question": nobody} if kind == "aside" else {}
        result = flow.run_sync(1, journal=path, run_id="r", drain=drain, on_event=told, **options)
    else:
        result = flow.resume_sync("r", journal=path, drain=drain)
assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, "the handler of before is back"
print(json.dumps([result.status, result.value]))
'''


class Driver:
    """A process that runs or resumes the run ``r``."""

    def __init__(self, path: Path, mode: str, kind: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        command = [sys.executable, "-c", CHILD, str(path), mode, kind]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)

    def wait_for(self, *begun: str) -> None:
        """Until these effects have begun."""
        left = set(begun)
        assert self.process.stdout is not None
        while left:
            line = self.process.stdout.readline()
            assert line, "it ended before"
            left.discard(line.removeprefix("begun ").strip())

    def terminated(self) -> tuple[list[Any], float]:
        """What it came to after a SIGTERM, and the seconds it took to end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.ended(), time.monotonic() - began

    def ended(self) -> list[Any]:
        told, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0
        return list(json.loads(told.splitlines()[-1]))


def until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def log_of(path: Path) -> list[str]:
    log = Path(f"{path}.log")
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


def events_of(path: Path) -> list[Event]:
    with Journal(path) as journal:
        return journal.events("r")


def status_of(path: Path) -> str:
    """As ``runs list`` shows it."""
    with Journal(path) as journal:
        (run,) = journal.runs()
        return run.status


@pytest.mark.parametrize("kind", ["items", "threads"])
def test_what_is_under_way_is_finished_and_nothing_begins(tmp_path: Path, kind: str) -> None:
    """Of five items two are under way; ``threads``: in plain functions, which nothing could interrupt."""
    path = tmp_path / "j.db"
    driver = Driver(path, "run", kind)
    driver.wait_for("r/slow/1/0", "r/slow/1/1")
    result, seconds = driver.terminated()
    assert result[0] == "interrupted" and seconds < 10
    first = ["r/slow/1/0", "r/slow/1/1"]
    assert sorted(log_of(path)) == sorted([f"{word} {key}" for word in ("began", "ended") for key in first])
    events = events_of(path)
    finished = [event.index for event in events if isinstance(event, StepFinished) and event.step == "slow"]
    assert sorted(finished, key=str) == [0, 1] and not any(isinstance(event, StepFailed) for event in events)
    assert isinstance(events[-1], RunSuspended) and status_of(path) == "interrupted"

    assert Driver(path, "resume", kind).ended() == ["completed", 15]
    began = [line.removeprefix("began ") for line in log_of(path) if line.startswith("began")]
    assert sorted(began) == sorted([*(f"r/slow/1/{index}" for index in range(5)), "r/last/1"]), "done twice, or lost"
    assert events_of(path)[: len(events)] == events and status_of(path) == "completed"


def test_a_timer_and_a_question_do_not_hold_it_up(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    driver = Driver(path, "run", "aside")
    driver.wait_for("r/slow/1")
    until(lambda: "asked r/ask/1" in log_of(path))
    result, seconds = driver.terminated()
    assert result == ["interrupted", 2] and seconds < 10
    assert sorted(log_of(path)) == ["asked r/ask/1", "began r/slow/1", "ended r/slow/1"]
    events = events_of(path)
    assert not any(isinstance(event, TimerFired | QuestionAnswered) for event in events)
    assert isinstance(events[-1], RunSuspended) and status_of(path) == "interrupted"
    assert [question["key"] for question in events[-1].questions] == ["r/ask/1"], "the question is not forgotten"

    # With only the timer and the question left, a process that resumes it ends at once too.
    again = Driver(path, "resume", "aside")
    until(lambda: any(isinstance(event, RunResumed) for event in events_of(path)))
    result, seconds = again.terminated()
    assert result[0] == "interrupted" and seconds < 10
    assert log_of(path).count("began r/slow/1") == 1


def test_a_run_drained_before_it_begins_is_accepted_and_kept(tmp_path: Path) -> None:
    effects: list[int] = []

    async def noted(value: int) -> int:
        effects.append(value)
        return value + 1

    flow = Workflow("w")
    flow.step(noted, name="first")
    flow.sleep(0.01)
    flow.step(noted, name="last")
    drain = Drain()
    drain.request()
    with Journal(tmp_path / "j.db") as journal:
        result = flow.run_sync(1, journal=journal, run_id="r", drain=drain)
        assert (result.status, result.output, effects) == ("interrupted", {}, [])
        assert flow.resume_sync("r", journal=journal, drain=drain).status == "interrupted" and not effects
        assert [run.status for run in journal.runs()] == ["interrupted"]
        assert flow.resume_sync("r", journal=journal).value == 3 and effects == [1, 2]
        assert [run.status for run in journal.runs()] == ["completed"]


def test_a_drain_asked_for_at_the_last_step_lets_the_run_complete(tmp_path: Path) -> None:
    """The run is over once what was under way has ended, so there is nothing to resume."""
    drain = Drain()

    def last(value: int) -> int:
        drain.request()  # from the thread of the function, as a signal would come
        return value + 1

    flow = Workflow("w")
    flow.step(last)
    with Journal(tmp_path / "j.db") as journal:
        assert flow.run_sync(1, journal=journal, run_id="r", drain=drain).status == "completed"
        assert [run.status for run in journal.runs()] == ["completed"]
