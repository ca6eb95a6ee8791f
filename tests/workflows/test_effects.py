"""What a step's own code may ask of its effect: its key, a way to show parts early, and whether to stop."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from understudy.agents.cancellation import cancelled
from understudy.agents.messages import Finding, Message, Task
from understudy.agents.retry import Retry
from understudy.workflows.effects import effect_key, emit
from understudy.workflows.events import Event, StepEmitted, StepStarted
from understudy.workflows.flow import Workflow
from understudy.workflows.journal import Journal
from understudy.workflows.limits import Limits


class Teller:
    takes = Task

    def __init__(self, name: str) -> None:
        self.name = name

    async def handle(self, message: Task) -> Message:
        for word in message.request.split():
            emit((self.name, word))
            await asyncio.sleep(0)
        return Finding(answer=effect_key())


def plain(text: str) -> str:
    emit("a plain part")
    return effect_key()


async def woven(text: str) -> str:
    emit("a woven part")
    await asyncio.sleep(0)
    emit("another")
    return effect_key()


def test_parts_are_told_as_they_come_and_are_not_in_the_journal(tmp_path: Path) -> None:
    flow, path = Workflow("w"), tmp_path / "j.db"
    flow.step(plain)
    flow.step(woven)
    flow.step(Teller("alone"), input={"request": "one two"}, name="agent")
    flow.each(flow.input, agent=Teller("many"), input={"request": flow.item}, name="agents")
    seen: list[Event] = []
    threads: set[int] = set()

    def watch(event: Event) -> None:
        seen.append(event)
        threads.add(threading.get_ident())

    result = flow.run_sync(["a b", "c"], journal=path, on_event=watch, run_id="r")
    keys = [getattr(record.output, "answer", record.output) for record in result.steps]
    assert keys == ["r/plain/1", "r/woven/1", "r/agent/1", "r/agents/1/0", "r/agents/1/1"]
    parts = [(event.step, event.visit, event.index, event.part) for event in seen if isinstance(event, StepEmitted)]
    assert parts[:5] == [
        ("plain", 1, None, "a plain part"), ("woven", 1, None, "a woven part"), ("woven", 1, None, "another"),
        ("agent", 1, None, ("alone", "one")), ("agent", 1, None, ("alone", "two")),
    ]  # fmt: skip
    # Two items at once: each part names the item it belongs to.
    assert sorted(parts[5:]) == [
        ("agents", 1, 0, ("many", "a")), ("agents", 1, 0, ("many", "b")), ("agents", 1, 1, ("many", "c")),
    ]  # fmt: skip
    assert threads == {threading.get_ident()}
    with Journal(path) as book:
        kept = book.events("r")
    passing = (StepEmitted, StepStarted)
    assert kept == [event for event in seen if not isinstance(event, passing)] and len(kept) == 7


async def test_a_part_from_a_thread_is_seen_while_the_thread_still_works() -> None:
    seen = threading.Event()

    def slow(value: int) -> bool:
        emit("the first part")
        return seen.wait(10)

    flow = Workflow("w")
    flow.step(slow)
    async for event in flow.stream(1):
        if isinstance(event, StepEmitted):
            seen.set()
    assert event.value is True  # type: ignore[union-attr]  # the last is the result


def test_what_is_emitted_where_nobody_watches_is_lost_and_harms_nothing() -> None:
    emit("outside any run")
    assert effect_key() == ""
    flow = Workflow("w")
    flow.step(plain)
    flow.step(woven)
    assert flow.run_sync("x", run_id="r").value == "r/woven/1"


@pytest.mark.parametrize("how", ["seconds of the step", "seconds of the run", "cancellation", "another step fails"])
def test_a_thread_that_nobody_waits_for_is_asked_to_stop_and_not_heard_any_more(how: str) -> None:
    started, told, stopped = threading.Event(), list[Any](), list[bool]()

    def crawl(value: int) -> int:
        started.set()
        patience = time.monotonic() + 10
        while not cancelled() and time.monotonic() < patience:
            time.sleep(0.001)
        time.sleep(0.05)
        emit("too late")
        stopped.append(cancelled())
        return value

    async def broken(value: int) -> None:
        while not started.is_set():
            await asyncio.sleep(0.001)
        raise ValueError("broken")

    flow = Workflow("w", limits=Limits(seconds=0.3 if how == "seconds of the run" else None))
    flow.step(lambda value: value, name="start")
    flow.step(crawl, seconds=0.1 if how == "seconds of the step" else None)
    if how == "another step fails":
        flow.step(broken, after="start")

    def watch(event: Event) -> None:
        if isinstance(event, StepEmitted):
            told.append(event.part)

    async def main() -> str:
        task = asyncio.create_task(flow.run(1, on_event=watch))
        if how == "cancellation":
            while not started.is_set():
                await asyncio.sleep(0.001)
            task.cancel()
        (result,) = await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.1)
        return type(result).__name__ if isinstance(result, BaseException) else str(result.error)

    said = {
        "seconds of the step": "step crawl: it took longer than 0.1 s",
        "seconds of the run": "the run used up its 0.3 seconds",
        "cancellation": "CancelledError",
        "another step fails": "step broken: ValueError: broken",
    }
    assert asyncio.run(main()) == said[how]  # which waits for the thread
    assert stopped == [True] and told == []


def test_every_visit_and_every_attempt_of_an_effect_has_the_key_it_would_have_again() -> None:
    keys: list[str] = []

    def flaky(value: int) -> int:
        keys.append(effect_key())
        if len(keys) == 1:
            raise ConnectionError("not yet")
        return value

    flow = Workflow("w")
    flow.step(flaky, retry=Retry(2, wait=0.001))
    flow.route("flaky", "flaky", at_most=1)
    flow.route("flaky", "$end")
    assert flow.run_sync(1, run_id="r").status == "completed"
    assert keys == ["r/flaky/1", "r/flaky/1", "r/flaky/2"]
