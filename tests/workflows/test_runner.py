"""Runs: effects through the bus and in threads, recording before seeing, resume, replay, limits, cancellation."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from understudy.agents.bus import MessageBus
from understudy.agents.letters import DeadLetter
from understudy.agents.messages import (
    CastMember,
    Envelope,
    Finding,
    Message,
    Plan,
    PlannedStep,
    PlanRequest,
    Task,
)
from understudy.agents.retry import Retry
from understudy.agents.usage import Usage, spend
from understudy.workflows.events import Event, LetterDied, RunFinished, StepFinished, StepStarted
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import WorkflowError
from understudy.workflows.journal import Journal
from understudy.workflows.limits import Limits
from understudy.workflows.outcome import Result
from understudy.workflows.refs import Ref
from understudy.workflows.runtime import effect_key


class Planner:
    name = "planner"
    does = "plans"
    takes = PlanRequest

    async def handle(self, message: PlanRequest) -> Message:
        first, second = (member.name for member in message.cast)
        later = PlannedStep(agent=second, request=message.request, needs=(1,))
        return Plan(steps=(PlannedStep(agent=first, request="look up"), later))


class Worker:
    takes = Task

    def __init__(self, name: str, *, broken: bool = False) -> None:
        self.name, self.does, self.broken = name, f"does {name}", broken
        self.keys: list[str] = []

    async def handle(self, message: Task) -> Message:
        self.keys.append(effect_key())
        spend(Usage(5, 1, 0.5))
        await asyncio.sleep(0)
        if self.broken:
            raise ValueError(f"{self.name} is broken")
        return Finding(answer=f"{self.name}: {message.request} {','.join(message.given)}", values=(self.name,))


def desk(**more: Any) -> Workflow:
    flow = Workflow("desk", takes=Task, **more)
    plan = flow.step(Planner(), input={"request": flow.input.request, "cast": flow.team.cast}, name="plan")
    flow.each(plan.steps, agent=flow.item.agent, name="work", failure="collect")
    return flow


def test_a_planned_team_runs_and_everything_is_in_the_result() -> None:
    agents = {"qa": Worker("qa"), "coder": Worker("coder")}
    result = desk(output={"answer": "unused"}).run_sync(Task(request="why"), agents=agents, run_id="r")
    assert result.status == "completed" and result.run == "r"
    assert [(step.name, step.agent, step.index) for step in result.steps] == [
        ("plan", "planner", None), ("work", "qa", 0), ("work", "coder", 1),
    ]  # fmt: skip
    assert [finding.answer for finding in result.value] == ["qa: look up ", "coder: why qa"]
    assert (result.usage.tokens, result.usage.calls) == (10, 2)
    assert agents["coder"].keys == ["r/work/1/1"]
    cast = [CastMember(name=name, does=f"does {name}") for name in ("qa", "coder")]
    assert list(result.steps[0].input["cast"]) == cast


def test_every_agent_is_reached_through_the_bus() -> None:
    seen: list[tuple[str, str | None]] = []

    async def main() -> Result:
        async with MessageBus() as bus:
            def watch(envelope: Envelope) -> Envelope:
                seen.append((envelope.id, envelope.recipient))
                return envelope

            bus.intercept(watch)
            agents = {"a": Worker("a"), "b": Worker("b")}
            result = await desk().run(Task(request="x"), agents=agents, bus=bus, run_id="r")
            assert "planner" not in bus  # what the run registered it takes away again
            return result

    assert asyncio.run(main()).status == "completed"
    assert [one for one in seen if one[0].startswith("r/")] == [
        ("r/plan/1", "planner"), ("r/work/1/0", "a"), ("r/work/1/1", "b"),
    ]  # fmt: skip


def test_a_failed_agent_is_a_failed_run_with_its_cause_and_a_dead_letter(tmp_path: Path) -> None:
    flow = Workflow("w", takes=Task)
    flow.step(Worker("bad", broken=True))
    result = flow.run_sync(Task(request="x"), journal=tmp_path / "j.db", run_id="r")
    assert (result.status, result.error) == ("failed", "step bad: ValueError: bad is broken")
    assert result.steps[0].error == "ValueError: bad is broken"
    dead = [event for event in Journal(tmp_path / "j.db").events("r") if isinstance(event, LetterDied)]
    assert [(event.reason, event.envelope.body) for event in dead] == [("handler failed", Task(request="x"))]


def test_a_plan_that_names_a_stranger_is_collected_as_a_failure() -> None:
    class Dreamer(Planner):
        async def handle(self, message: PlanRequest) -> Message:
            return Plan(steps=(PlannedStep(agent="nobody", request="a"), PlannedStep(agent="qa", request="b")))

    flow = Workflow("w", takes=Task)
    plan = flow.step(Dreamer(), name="plan")
    flow.each(plan.steps, agent=flow.item.agent, failure="collect", name="work")
    result = flow.run_sync(Task(request="x"), agents={"qa": Worker("qa")})
    assert result.status == "completed" and result.value[0] is None
    assert "there is no agent 'nobody'; name one of the cast: planner, qa" in str(result.steps[1].error)


def test_plain_functions_run_in_threads_and_async_ones_in_the_loop() -> None:
    where: dict[str, bool] = {}

    def plain(text: str) -> str:
        where["plain"] = threading.current_thread() is threading.main_thread()
        return text + effect_key()

    async def woven(text: str) -> tuple[str, str]:
        where["woven"] = threading.current_thread() is threading.main_thread()
        return (text, effect_key())

    flow = Workflow("w")
    flow.step(plain)
    flow.step(woven)
    assert flow.run_sync("x ", run_id="r").value == ("x r/plain/1", "r/woven/1")
    assert where == {"plain": False, "woven": True}


def test_functions_find_their_arguments_by_name() -> None:
    flow = Workflow("w")
    first = flow.step(lambda: 2, name="first")
    flow.step(lambda first, input: first * input, name="second")
    flow.step(lambda a, b: a + b, input={"a": first, "b": 1}, name="third")
    assert [step.output for step in flow.run_sync(5).steps] == [2, 10, 3]
    flow.step(lambda nothing, input: 0, name="fourth")
    doer = r"the function of step fourth \(test_runner.py:\d+\)"
    with pytest.raises(WorkflowError, match=f"nothing is named 'nothing', which {doer} takes"):
        flow.run_sync(5)


def test_a_parameter_with_the_name_of_a_value_gets_that_and_any_other_what_came_before() -> None:
    flow = Workflow("w")
    flow.step(lambda order: 2 * order, name="cost")
    flow.step(lambda cost, late="not": (cost, late), name="early")
    flow.step(lambda value, index=7: (value, index), name="late")
    flow.step(lambda value, early=None, late=None, nobody=0: (early, late, nobody), name="sums")
    flow.step(lambda cost: cost, name="alone")
    flow.step(lambda: [1, 2], name="numbers")
    flow.each(Ref("numbers"), do=lambda cost, alone=0: (cost, alone), name="items")
    found = {step.name: step.output for step in flow.run_sync(5).steps if step.index is None}
    assert found["early"] == (10, "not"), "what has not run yet keeps its default"
    assert found["late"] == ((10, "not"), 7) and found["sums"] == ((10, "not"), ((10, "not"), 7), 0)
    assert found["alone"] == 10, "it has the name of a step"
    items = [step.output for step in flow.run_sync(5).steps if step.name == "items"]
    assert items == [(1, 10), (2, 10)], "of an each the item comes first, whatever its name"


def test_an_option_that_there_is_not_is_refused() -> None:
    flow = Workflow("w")
    flow.step(str)
    with pytest.raises(WorkflowError, match="a run has no option 'jurnal'; there is: agents, journal"):
        flow.run_sync(1, jurnal="x.db")
    with pytest.raises(WorkflowError, match="limits belong to the workflow"):
        flow.run_sync(1, limits=Limits(messages=1))


def test_the_fields_of_the_input_may_be_given() -> None:
    flow = Workflow("w", takes=Task)
    flow.step(lambda task: task.request)
    assert flow.run_sync({"request": "x"}).value == "x"


def test_retries_are_counted_and_a_step_has_its_seconds() -> None:
    calls: list[int] = []

    def flaky(value: int) -> int:
        calls.append(value)
        if len(calls) < 3:
            raise ConnectionError("not yet")
        return value

    flow = Workflow("w")
    flow.step(flaky, retry=Retry(3, wait=0.001))
    result = flow.run_sync(7)
    assert result.value == 7 and result.steps[0].attempts == 3

    async def slow(value: int) -> int:
        await asyncio.sleep(30)
        return value

    late = Workflow("w")
    late.step(slow, seconds=0.02)
    assert late.run_sync(1).error == "step slow: it took longer than 0.02 s"


def test_limits() -> None:
    async def slow(value: Any) -> Any:
        await asyncio.sleep(30)

    flow = Workflow("w", limits=Limits(seconds=0.1, on_exceed="partial"))
    flow.step(lambda value: "so far", name="a")
    flow.step(slow)
    began = time.perf_counter()
    result = flow.run_sync(1)
    assert time.perf_counter() - began < 5
    assert (result.status, result.error) == ("partial", "the run used up its 0.1 seconds")
    assert result.output == {"value": "so far"}


def test_wrong_input_and_a_running_loop_are_refused_in_a_sentence() -> None:
    flow = desk()
    with pytest.raises(WorkflowError, match=r"desk: it takes Task, not str; give it request, given"):
        flow.run_sync("text", agents={"a": Worker("a"), "b": Worker("b")})

    async def inside() -> None:
        flow.run_sync(Task(request="x"))

    with pytest.raises(WorkflowError, match=r"an event loop is running here already; write: await flow.run"):
        asyncio.run(inside())


def test_a_live_view_sees_every_event_and_cannot_break_the_run(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Event] = []

    def view(event: Event) -> None:
        seen.append(event)
        raise RuntimeError("the terminal is gone")

    result = desk().run_sync(Task(request="x"), agents={"a": Worker("a"), "b": Worker("b")}, on_event=view)
    assert result.status == "completed" and "on_event failed" in caplog.text
    started = [(event.step, event.index, event.agent) for event in seen if isinstance(event, StepStarted)]
    assert started == [("plan", None, "planner"), ("work", 0, "a"), ("work", 1, "b")]
    assert all(event.seconds > 0 for event in seen if isinstance(event, StepFinished))


async def test_stream_gives_events_and_then_the_result() -> None:
    flow = Workflow("w")
    flow.step(str)
    seen = [one async for one in flow.stream(5)]
    assert isinstance(seen[-2], RunFinished) and isinstance(seen[-1], Result) and seen[-1].value == "5"


async def test_leaving_a_stream_ends_the_run() -> None:
    ended = asyncio.Event()

    async def slow(value: Any) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            ended.set()

    flow = Workflow("w")
    flow.step(slow)
    stream = flow.stream(1)
    async for event in stream:
        if isinstance(event, StepStarted):
            await asyncio.sleep(0)
            break
    await stream.aclose()  # type: ignore[attr-defined]
    await asyncio.wait_for(ended.wait(), 1)


def test_a_dead_letter_of_another_run_is_not_ours(tmp_path: Path) -> None:
    async def main() -> None:
        async with MessageBus() as bus:
            other = Envelope(id="1", run="other", recipient="a", body=Task(request="x"))

            async def meddle(value: Any) -> int:
                bus.on_dead[-1](DeadLetter(other, "no recipient", "", 0.0))
                return 1

            flow = Workflow("w")
            flow.step(meddle)
            await flow.run(1, bus=bus, journal=tmp_path / "j.db", run_id="r")

    asyncio.run(main())
    assert not [event for event in Journal(tmp_path / "j.db").events("r") if isinstance(event, LetterDied)]


def test_whatever_a_step_raises_or_gives_the_run_ends() -> None:
    class Rude(BaseException):
        pass

    class Key(Message):
        d: dict[Any, int]

    async def rude(value: Any) -> None:
        raise Rude("x")

    for work, told in ((rude, "Rude: x"), (lambda value: Key(d={object(): 1}), "cannot be written")):
        flow = Workflow("w")
        flow.step(work, name="odd")
        assert told in str(flow.run_sync(1).error)


async def test_runs_that_share_a_bus_share_an_agent_until_the_last_has_ended() -> None:
    gate = asyncio.Event()

    class Slow(Worker):
        async def handle(self, message: Task) -> Message:
            if message.request == "slow":
                await gate.wait()
            return await super().handle(message)

    flow = Workflow("w", takes=Task)
    flow.step("ag")
    flow.step(lambda finding: Task(request="again"), name="again")
    flow.step("ag", name="twice")
    async with MessageBus() as bus:
        agents = {"ag": Slow("ag")}
        one = asyncio.create_task(flow.run(Task(request="quick"), agents=agents, bus=bus))
        two = asyncio.create_task(flow.run(Task(request="slow"), agents=agents, bus=bus))
        assert (await one).status == "completed"
        gate.set()
        assert (await two).status == "completed" and "ag" not in bus


def test_a_result_that_comes_with_the_cancellation_is_kept(tmp_path: Path) -> None:
    calls: list[str] = []

    async def shielded(value: int) -> int:
        calls.append("shielded")
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            asyncio.current_task().uncancel()  # type: ignore[union-attr]
        return value

    flow = Workflow("w")
    flow.step(shielded)
    flow.step(lambda value: value + 1, name="next")

    async def interrupted() -> None:
        run = asyncio.create_task(flow.run(1, journal=tmp_path / "j.db", run_id="r"))
        while not calls:
            await asyncio.sleep(0.001)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    asyncio.run(interrupted())
    assert flow.resume_sync("r", journal=tmp_path / "j.db").value == 2
    assert calls == ["shielded"]


def test_one_journal_serves_several_threads(tmp_path: Path) -> None:
    flow = Workflow("w")
    for number in range(5):
        flow.step(lambda value: value + 1, name=f"s{number}")
    with Journal(tmp_path / "j.db", synchronous="normal") as journal:
        found: list[Any] = []

        def drive() -> None:
            for _ in range(5):
                found.append(flow.run_sync(0, journal=journal).value)

        threads = [threading.Thread(target=drive) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [5] * 20 and len(journal.runs()) == 20
