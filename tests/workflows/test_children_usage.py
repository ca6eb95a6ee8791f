"""What a workflow as a step uses is its parent's: tokens, seconds, events."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.families import HELLO, events, pricing, shop, sleeper, statuses
from understudy.agents.messages import Message, Task
from understudy.agents.retry import Retry
from understudy.agents.usage import Usage, spend
from understudy.workflows.children import ChildEvent
from understudy.workflows.events import Event, RunFinished, StepFinished, StepStarted
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import END, Route
from understudy.workflows.limits import Limits
from understudy.workflows.outcome import Result
from understudy.workflows.questions import OpenQuestion


class Speaker:
    """Spends five tokens on every message."""

    name = "speaker"
    takes = Task

    async def handle(self, message: Task) -> Message:
        spend(Usage(5, 1))
        await asyncio.sleep(0)
        return Task(request=f"{message.request}!")


def talk(turns: int) -> Workflow:
    flow = Workflow("talk", takes=Task)
    flow.step(Speaker(), name="say")
    flow.route("say", "say", at_most=turns - 1)
    flow.route("say", END)
    return flow


def debate(turns: int, **limits: Any) -> Workflow:
    flow = Workflow("debate", takes=Task, limits=Limits(**limits))
    speaker = Speaker()
    flow.step(speaker, name="open")
    flow.step(talk(turns), name="talk")
    flow.step(speaker, name="close")
    return flow


def test_the_usage_of_a_child_is_its_parents(path: Path) -> None:
    result = debate(3).run_sync(HELLO, journal=path, run_id="r")
    assert (result.usage.tokens, result.usage.calls) == (25, 5) and result.value == Task(request="hello!!!!!")
    settled = [event.usage.tokens for event in events(path, "r") if isinstance(event, StepFinished)]
    assert settled == [5, 15, 5]


def test_a_child_that_waited_is_counted_once(path: Path) -> None:
    def made() -> Workflow:
        inner = talk(2)
        inner._routes.clear()
        inner.ask("go on?", name="ask")
        inner.step("speaker", name="again", input={"request": "x"})
        flow = Workflow("w", takes=Task)
        flow.step(inner, name="talk")
        return flow

    assert made().run_sync(HELLO, journal=path, run_id="r").usage.tokens == 0, "it is known when the child has ended"
    assert made().resume_sync("r", journal=path, answers={"ask": "yes"}).usage.tokens == 10


@pytest.mark.parametrize(("on_exceed", "status"), [("stop", "failed"), ("partial", "partial")])
@pytest.mark.parametrize(
    ("tokens", "turns", "said"),
    [(20, 50, 3), (21, 50, 4), (4 * 5, 3, 3)],
    ids=["none begins after it", "passed by one", "its last effect uses it up"],
)
def test_the_tokens_of_the_run_end_its_child(
    path: Path, on_exceed: Any, status: str, tokens: int, turns: int, said: int
) -> None:
    flow = debate(turns, tokens=tokens, on_exceed=on_exceed)
    result = flow.run_sync(HELLO, journal=path, run_id="r")
    assert (result.status, result.error) == (status, f"the run used up its {tokens} tokens")
    spoken = [event for event in events(path, "r/talk/1") if isinstance(event, StepFinished)]
    assert len(spoken) == said
    ended = "completed" if turns == said else "failed"
    assert statuses(path) == {"r": status, "r/talk/1": ended}
    assert flow.replay("r", journal=path) == result == flow.resume_sync("r", journal=path)


def test_what_an_earlier_try_of_a_child_used_counts_for_the_run(path: Path) -> None:
    inner = talk(3)
    inner.step(broken_for_good, name="broken", after=[])
    inner._routes["say"][-1] = Route("broken")
    flow = Workflow("w", takes=Task, limits=Limits(tokens=20))
    flow.step(inner, name="talk", retry=Retry(attempts=3, wait=0.0))
    result = flow.run_sync(HELLO, journal=path, run_id="r")
    assert (result.status, result.error) == ("failed", "the run used up its 20 tokens")
    spoken = [event for event in events(path, "r/talk/1#2") if isinstance(event, StepFinished)]
    assert len(spoken) == 1 and statuses(path).keys() == {"r", "r/talk/1", "r/talk/1#2"}


async def broken_for_good(value: Any) -> Any:
    raise ValueError("no")


@pytest.mark.parametrize("nested", [False, True])
def test_children_side_by_side_share_the_tokens_of_the_run(path: Path, nested: bool) -> None:
    inner: Workflow = talk(50)
    if nested:
        inner = Workflow("outer", takes=Task)
        inner.step(talk(50), name="talk")
    flow = Workflow("w", limits=Limits(tokens=30, on_exceed="partial"))
    flow.each(flow.input, do=inner, name="talks")
    result = flow.run_sync([HELLO] * 3, journal=path, run_id="r")
    assert (result.status, result.error) == ("partial", "the run used up its 30 tokens")
    runs = statuses(path)
    spoken = [event for run in runs for event in events(path, run) if isinstance(event, StepFinished)]
    # Those that were under way when the sixth ended are finished and kept.
    assert 6 <= len(spoken) <= 8 and len(runs) == (7 if nested else 4)
    assert runs.pop("r") == "partial" and set(runs.values()) == {"failed"}


def test_a_child_goes_on_while_a_person_is_asked_about_the_limit(path: Path) -> None:
    asked: list[str] = []

    async def person(question: OpenQuestion) -> bool:
        asked.append(question.question)
        return True

    result = debate(3, tokens=10, on_exceed="ask").run_sync(HELLO, journal=path, on_question=person)
    assert (result.status, result.usage.tokens) == ("completed", 25)
    assert asked[0] == "the run used up its 10 tokens: may it use as much again?" and len(asked) == 2


def test_the_seconds_of_the_run_end_its_child(path: Path) -> None:
    flow = Workflow("w", limits=Limits(seconds=0.2, on_exceed="partial"))
    flow.step(lambda value: value, name="first")
    flow.step(sleeper(), name="child")
    result = flow.run_sync(1, journal=path, run_id="r")
    assert (result.status, result.error, result.value) == ("partial", "the run used up its 0.2 seconds", 1)
    assert statuses(path) == {"r": "partial", "r/child/1": "failed"}


def test_whoever_watches_sees_the_events_of_children_and_whose_they_are() -> None:
    middle = Workflow("middle")
    middle.step(pricing([]), name="price")
    flow = Workflow("w")
    flow.step(middle, name="report")
    seen: list[Event] = []
    flow.run_sync(1, run_id="r", on_event=seen.append)
    own = [type(event).__name__ for event in seen if not isinstance(event, ChildEvent)]
    assert own == ["RunAccepted", "StepStarted", "StepFinished", "RunFinished"]
    of_children = [event for event in seen if isinstance(event, ChildEvent)]
    assert not any(isinstance(event.event, ChildEvent) for event in of_children)
    started = [(one.run, one.step, one.event.step) for one in of_children if isinstance(one.event, StepStarted)]
    assert started == [
        ("r/report/1", "report", "price"),
        ("r/report/1/price/1", "report/price", "add"),
        ("r/report/1/price/1", "report/price", "double"),
    ]
    ended = {one.run for one in of_children if isinstance(one.event, RunFinished)}
    assert ended == {"r/report/1", "r/report/1/price/1"}


async def test_a_stream_has_them_too() -> None:
    seen = [event async for event in shop(pricing([]), []).stream(1)]
    assert sum(isinstance(event, ChildEvent) for event in seen) == 6
    assert isinstance(seen[-1], Result) and seen[-1].value == ["paid", 4]
