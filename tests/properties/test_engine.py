"""Random workflows: killed at every position of the journal they end the same; the reducer ends; JSON loses nothing."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.agents.messages import Finding, Message, Source, Task
from understudy.agents.packing import pack, unpack
from understudy.workflows.engine import decide, fold
from understudy.workflows.events import (
    Event,
    LetterDied,
    LimitReached,
    QuestionAnswered,
    RunAccepted,
    RunFinished,
    RunResumed,
    StepFailed,
    StepFinished,
    TimerFired,
    event_from_json,
    event_to_json,
)
from understudy.workflows.expressions import Expression
from understudy.workflows.flow import Workflow
from understudy.workflows.journal import Journal
from understudy.workflows.limits import Limits
from understudy.workflows.outcome import Result
from understudy.workflows.runner import Runner
from understudy.workflows.runtime import AsyncioRuntime, effect_key
from understudy.workflows.state import Ask, Finish, Sleep, Start, State
from understudy.workflows.vector import Vector

KINDS = st.lists(
    st.sampled_from(
        [
            "function", "agent", "map", "needs", "fork", "merge", "loop", "failing", "mended", "timer", "ask", "grow",
            "letters",
        ]
    ),
    min_size=1, max_size=5,
)  # fmt: skip


class Adder:
    """An agent in plain Python."""

    name = "adder"
    takes = Task

    def __init__(self, effects: list[str]) -> None:
        self.effects = effects

    async def handle(self, message: Task) -> Message:
        self.effects.append(effect_key())
        await asyncio.sleep(0)
        return Finding(answer=message.request + "!", values=(message.request,))


class Breaking(Adder):
    """An agent that fails at every other message."""

    name = "breaking"

    async def handle(self, message: Task) -> Message:
        answer = await super().handle(message)
        if message.request.endswith("1"):
            raise ValueError("no")
        return answer


def workflow(kinds: list[str], effects: list[str], messages: int | None, how: str = "partial") -> Workflow:
    """A workflow of ``kinds`` in this order; every effect notes its key."""

    def noted(work: Callable[[Any], Any]) -> Callable[[Any], Any]:
        async def step(value: Any) -> Any:
            effects.append(effect_key())
            if isinstance(value, list) and len(value) % 2:
                await asyncio.sleep(0)
            return work(value)

        return step

    def broken(value: Any) -> Any:
        raise ValueError("as ever")

    async def counted(value: Any) -> Any:
        effects.append(effect_key())
        return len(value)

    flow = Workflow("random", limits=Limits(messages=messages, on_exceed=how))  # type: ignore[arg-type]
    size = noted(lambda value: len(json.dumps(pack(value))) % 7)
    for number, kind in enumerate(kinds):
        name = f"s{number}"
        if kind == "function":
            flow.step(noted(lambda value: [value, "seen"]), name=name)
        elif kind == "agent":
            flow.step("adder", name=name, input={"request": f"question {number}"})
        elif kind == "map":
            flow.step(noted(lambda value: list(range(len(repr(value)) % 5))), name=f"{name}list")
            flow.each(Expression.parse(f"{name}list"), do=size, name=name, at_once=2)
        elif kind == "needs":
            items = [{"n": 0, "needs": []}, {"n": 1, "needs": [1]}, {"n": 2, "needs": []}, {"n": 3, "needs": [2, 3]}]
            found = Expression.parse("item.needs")
            flow.each(Expression.constant(items), do=counted, input={"value": found}, name=name, at_once=2)
        elif kind == "fork":
            top = flow.step(size, name=f"{name}top")
            left = flow.step(noted(lambda value: ["left", value]), name=f"{name}left", after=top)
            right = flow.step(noted(lambda value: ["right", value]), name=f"{name}right", after=top)
            flow.step(size, name=name, after=[left, right])
        elif kind == "merge":
            top = flow.step(size, name=f"{name}top")
            left = flow.step(noted(lambda value: ["left", value]), name=f"{name}left", after=top)
            right = flow.step(noted(lambda value: ["right", value]), name=f"{name}right", after=top)
            flow.step(size, name=name, after=[left, right], merge=("concat", "union", "majority", "dict")[number % 4])
        elif kind == "mended":
            tried = flow.each(
                Expression.constant([1, 2]), do=noted(broken), name=f"{name}tried", failure="all_or_nothing",
                on_error=name, at_once=1 + number % 2,
            )  # fmt: skip
            flow.route(tried, name)
            flow.step(noted(lambda value: [value, "mended"]), name=name, after=[])
        elif kind == "loop":
            flow.step(size, name=f"{name}loop")
            flow.step(size, name=name)
            flow.route(name, f"{name}loop", at_most=2)
            flow.route(name, f"s{number + 1}first" if number + 1 < len(kinds) else "$end")
            if number + 1 < len(kinds):
                flow.step(size, name=f"s{number + 1}first")
        elif kind == "timer":
            flow.sleep(0.001 * number, name=name)
        elif kind == "ask":
            flow.ask(f"question {number}?", name=name)
            asked = Expression.constant(["left", "right"])
            flow.each(asked, do=size, name=f"{name}sizes")
        elif kind == "grow":
            seen = flow.growing(f"{name}seen")
            turn = flow.step(counted, input={"value": seen}, name=name, into=seen)
            flow.route(turn, name, at_most=3)
            if number + 1 < len(kinds):
                flow.route(turn, f"s{number + 1}after")
                flow.step(size, name=f"s{number + 1}after")
            else:
                flow.route(turn, "$end")
        elif kind == "letters":
            flow.each(
                Expression.constant([{"text": f"n{n}"} for n in range(4)]), agent="breaking", name=name,
                input={"request": Expression.parse("item.text")},
                failure="collect", at_once=2,
            )
        else:
            work = noted(broken if number % 2 else str)
            flow.each(Expression.constant([1, 2]), do=work, name=name, failure="collect")
    return flow


def told(result: Result) -> Result:
    """The result without its times."""
    steps = tuple(replace(step, seconds=0.0) for step in result.steps)
    return replace(result, steps=steps, usage=replace(result.usage, seconds=0.0))


def answers(result: Result) -> dict[str, Any]:
    """What a person says; to whether a run may use more, yes at first."""
    return {
        question.key: question.key[-1] < "3" if question.choices else ["answer to", question.key]
        for question in result.questions
    }


def driven(flow: Workflow, journal: Journal, agents: dict[str, Any]) -> Result:
    """The run ``r`` resumed, and whatever it asks answered, to its end."""
    result = flow.resume_sync("r", agents=agents, journal=journal)
    while result.status == "waiting":
        result = flow.resume_sync("r", agents=agents, journal=journal, answers=answers(result))
    return result


def keys(events: list[Event]) -> tuple[set[str], set[str]]:
    """The keys of the effects that are recorded, and of the letters that died."""
    recorded = {
        f"r/{event.step}/{event.visit}" + ("" if event.index is None else f"/{event.index}")
        for event in events
        if isinstance(event, StepFinished | StepFailed)
    }
    return recorded, {event.envelope.id for event in events if isinstance(event, LetterDied)}


def commanded(flow: Workflow, events: list[Event]) -> set[str]:
    """The keys of all effects that the engine commanded in the course of ``events``."""
    state, found = State(flow.graph()), set[str]()
    for event in events:
        state, commands = decide(state, event)
        found |= {command.key for command in commands if isinstance(command, Start)}
    return found


def sweep(kinds: list[str], messages: int | None, how: str) -> None:
    """Kill the run at every position of its journal: it goes on, and ends as it would have."""
    effects: list[str] = []
    flow = workflow(kinds, effects, messages, how)
    agents: dict[str, Any] = {"adder": Adder(effects), "breaking": Breaking(effects)}
    with Journal() as journal:
        runner = Runner(flow.graph(), AsyncioRuntime(agents), journal)
        result = asyncio.run(runner.run("start", team={"cast": ()}, run_id="r"))
        assert fold(flow.graph(), journal.events("r")) == runner._state
        if result.status == "waiting":
            result = driven(flow, journal, agents)
        events = journal.events("r")
    assert all(count == 1 for count in Counter(effects).values())
    once, (_, letters) = set(effects), keys(events)

    for kept in range(1, len(events) + 1):
        effects.clear()
        with Journal() as journal:
            journal.append("r", 0, events[:kept])
            resumed = driven(flow, journal, agents)
            assert told(resumed) == told(result)
            assert told(flow.replay("r", journal=journal)) == told(resumed)
            _, died = keys(journal.events("r"))
        recorded, _ = keys(events[:kept])
        assert not recorded & set(effects), "a recorded effect was done again"
        # A run that its limit ends does not wait for what had begun beside it, which may have been done or not.
        assert recorded | set(effects) <= commanded(flow, events), "an effect has another key"
        if result.status == "completed":
            assert recorded | set(effects) == once, "an effect was lost"
            assert died == letters, "a dead letter was lost"
        assert all(count == 1 for count in Counter(effects).values())


LIMITS = st.one_of(st.none(), st.integers(1, 12)), st.sampled_from(["partial", "stop", "ask"])


@settings(max_examples=250, deadline=None)
@given(KINDS, *LIMITS)
def test_a_run_killed_at_any_position_ends_as_it_would_have(kinds: list[str], messages: int | None, how: str) -> None:
    sweep(kinds, messages, how)


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(KINDS, *LIMITS)
def test_five_hundred_more_graphs_killed_at_every_position(kinds: list[str], messages: int | None, how: str) -> None:
    sweep(kinds, messages, how)


@settings(max_examples=100, deadline=None)
@given(KINDS, st.data())
def test_the_reducer_ends_under_any_order_of_results(kinds: list[str], data: st.DataObject) -> None:
    state, waiting, end = State(workflow(kinds, [], 60).graph()), list[Any](), None
    event: Any = RunAccepted(0.0, "r", "random", {}, "start")
    log = []
    while end is None:
        state, commands = decide(state, event)
        log.append(event)
        waiting += [command for command in commands if isinstance(command, Start | Sleep | Ask)]
        end = next((command for command in commands if isinstance(command, Finish)), None)
        if end is None:
            assert waiting, "nothing is under way, and the run has no end"
            start = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
            now = float(len(log))
            common = (now, start.step, start.visit, start.index, "x")
            if isinstance(start, Ask):
                event = QuestionAnswered(now, start.key, "yes")
                continue
            if isinstance(start, Sleep):
                event = TimerFired(now, start.step, start.visit, start.index)
                continue
            choice = data.draw(st.sampled_from(["finished"] * 8 + ["failed", "resumed", "limit"]))
            if choice == "finished":
                event = StepFinished(*common, [1, 2], 0.1)
            elif choice == "failed":
                event = StepFailed(*common, "ValueError: x", 0.1)
            elif choice == "limit":
                event = LimitReached(common[0], "patience")
            else:
                waiting.clear()
                event = RunResumed(common[0])
    assert end.status in ("completed", "failed", "partial")
    assert fold(state.graph, [*log, RunFinished(99.0, end.status, end.output, end.error)]).finished


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
MESSAGES = st.builds(
    Finding,
    answer=st.text(),
    values=st.lists(st.text(), max_size=3).map(tuple),
    confidence=st.floats(allow_nan=False),
    sources=st.lists(st.builds(Source, title=st.text(), text=st.text(), source=st.text()), max_size=2).map(tuple),
) | st.builds(Task, request=st.text(), given=st.lists(st.text(), max_size=2).map(tuple))
VALUES = st.recursive(
    SCALARS | MESSAGES,
    lambda inner: st.lists(inner, max_size=3)
    | st.lists(inner, max_size=3).map(tuple)
    | st.dictionaries(st.text() | st.sampled_from(["$type", "$tuple", "$float", "$$"]), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_values_come_back_through_json(value: Any) -> None:
    assert repr(unpack(json.loads(json.dumps(pack(value), allow_nan=False)))) == repr(value)


@given(VALUES, st.integers(1, 9), st.none() | st.integers(0, 9), st.text())
def test_events_come_back_through_json(value: Any, visit: int, index: int | None, text: str) -> None:
    for event in (
        RunAccepted(1.0, text, "w", {"a": [text]}, value, value),
        StepFinished(2.0, text, visit, index, None, value, 0.5),
        RunFinished(3.0, "completed", {"x": value}, text),
    ):
        back = event_from_json(type(event).__name__, json.loads(json.dumps(event_to_json(event), allow_nan=False)))
        assert repr(back) == repr(event)


@given(st.lists(st.integers(), max_size=200), st.lists(st.tuples(st.integers(0, 199), st.integers()), max_size=20))
def test_a_vector_is_a_list_that_remembers(items: list[int], changes: list[tuple[int, int]]) -> None:
    vector, plain = Vector.of(items), list(items)
    for index, item in changes:
        before, was = vector, list(plain)
        if index < len(plain):
            vector, plain[index] = vector.put(index, item), item
        else:
            vector = vector.add(item)
            plain.append(item)
        assert list(before) == was
    assert list(vector) == plain and len(vector) == len(plain)
    assert [vector[index] for index in range(len(plain))] == plain
