"""Agents: the role asks the head, calls that wait share a batch, usage is counted, doubt is said."""

import asyncio
import copy
import pickle
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pytest

from understudy.agents.agent import Agent, Ask
from understudy.agents.bus import MessageBus
from understudy.agents.emitting import Token
from understudy.agents.gatherer import Call
from understudy.agents.messages import Finding, Message, Task
from understudy.agents.usage import Usage, metered
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Record, Text
from understudy.core.prompts import Prompt
from understudy.workflows.events import StepEmitted
from understudy.workflows.flow import Workflow


@dataclass(frozen=True)
class ScriptedReply:
    values: Mapping[str, Any]
    confidence: float = 0.9
    tokens: int = 10
    seconds: float = 0.01


@dataclass
class ScriptedDecoder:
    """Answers with the request in capitals; it keeps the batches, and refuses to be entered twice."""

    seconds: float = 0.0
    confidence: float = 0.9
    batches: list[list[Call]] = field(default_factory=list)
    busy: bool = False

    def decode(self, calls: Sequence[Call], /) -> list[ScriptedReply]:
        assert not self.busy, "entered twice"
        assert threading.current_thread() is not threading.main_thread(), "the event loop is blocked"
        self.busy = True
        self.batches.append(list(calls))
        time.sleep(self.seconds)
        self.busy = False
        for call in calls:
            if call.prompt.part("request") == "poison":
                raise ValueError("cannot read this")
        return [ScriptedReply({"answer": c.prompt.part("request").upper()}, self.confidence) for c in calls]


class Shout:
    """A role in plain Python: it repeats what the head says."""

    name = "shout"
    does = "repeats"
    takes: type[Message] = Task
    gives: type[Message] = Finding

    async def handle(self, message: Task, context: Any, ask: Ask) -> Message:
        prompt = Prompt(message=(("request", message.request),))
        reply = await ask(prompt, Record((("answer", Text()),)))
        return Finding(answer=reply.values["answer"], confidence=reply.confidence)


@dataclass
class Head:
    name: str = "shout-head"
    threshold: float = 0.5


async def test_an_agent_answers_with_its_head() -> None:
    decoder = ScriptedDecoder()
    agent = Agent("crier", Shout(), Head(), decoder)
    assert await agent.handle(Task(request="hi")) == Finding(answer="HI", confidence=0.9)
    assert [call.head for call in decoder.batches[0]] == ["shout-head"]
    assert agent.usage == Usage(10, 1, 0.01)


async def test_waiting_calls_of_all_agents_share_a_batch() -> None:
    decoder = ScriptedDecoder(seconds=0.02)
    agents = [Agent(str(number), Shout(), f"head{number}", decoder) for number in range(6)]
    answers = await asyncio.gather(*(agent.handle(Task(request=agent.name)) for agent in agents))
    assert [answer.answer for answer in answers] == list("012345")  # type: ignore[attr-defined]
    assert len(decoder.batches) == 1 and {call.head for call in decoder.batches[0]} == {f"head{n}" for n in range(6)}

    async def later() -> None:
        await asyncio.sleep(0.005)
        await asyncio.gather(*(agent.handle(Task(request="z")) for agent in agents[1:]))

    await asyncio.gather(agents[0].handle(Task(request="first")), later())
    assert [len(batch) for batch in decoder.batches[1:]] == [1, 5]


async def test_a_bad_call_fails_alone() -> None:
    decoder = ScriptedDecoder()
    agent = Agent("a", Shout(), "", decoder)
    results = await asyncio.gather(
        *(agent.handle(Task(request=text)) for text in ("x", "poison", "y")), return_exceptions=True
    )
    assert [type(result) for result in results] == [Finding, ValueError, Finding]


async def test_a_call_that_was_given_up_is_not_decoded() -> None:
    decoder = ScriptedDecoder(seconds=0.05)
    agent = Agent("a", Shout(), "", decoder)
    first = asyncio.create_task(agent.handle(Task(request="first")))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(agent.handle(Task(request="second")))
    await asyncio.sleep(0.01)
    second.cancel()
    await first
    await agent.handle(Task(request="third"))
    assert [call.prompt.part("request") for batch in decoder.batches for call in batch] == ["first", "third"]


@dataclass
class SteadyDecoder:
    """One that takes calls at any time and answers when it is told to."""

    owners: list[str] = field(default_factory=list)
    futures: list[Future[ScriptedReply]] = field(default_factory=list)

    def decode(self, calls: Sequence[Call], /) -> list[ScriptedReply]:
        raise AssertionError("it is asked through submit")

    def submit(self, call: Call, owner: str) -> "Future[ScriptedReply]":
        assert threading.current_thread() is not threading.main_thread(), "it may wait for a place"
        self.owners.append(owner)
        self.futures.append(Future())
        return self.futures[-1]


async def test_a_decoder_that_batches_continuously_is_asked_at_once() -> None:
    decoder = SteadyDecoder()
    tasks = [asyncio.create_task(Agent(f"a{n}", Shout(), "", decoder).handle(Task(request="x"))) for n in range(3)]
    while len(decoder.futures) < 3:
        await asyncio.sleep(0.001)
    assert sorted(decoder.owners) == ["a0", "a1", "a2"]
    tasks[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[1]
    assert sum(future.cancelled() for future in decoder.futures) == 1, "its call leaves the batch"
    for future in decoder.futures:
        if not future.cancelled():
            future.set_result(ScriptedReply({"answer": "Y"}))
    assert await tasks[0] == await tasks[2] == Finding(answer="Y", confidence=0.9)


def test_one_decoder_serves_several_event_loops() -> None:
    decoder = ScriptedDecoder(seconds=0.01)
    agent = Agent("a", Shout(), "", decoder)
    answers: list[Message] = []

    def work() -> None:
        answers.append(asyncio.run(agent.handle(Task(request="x"))))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [Finding(answer="X", confidence=0.9)] * 4


async def test_doubt_is_said() -> None:
    agent = Agent("a", Shout(), Head(threshold=0.95), ScriptedDecoder())
    answer = await agent.handle(Task(request="x"))
    assert isinstance(answer, Finding) and answer.abstained and answer.answer == "X"
    sure = Agent("a", Shout(), Head(threshold=0.95), ScriptedDecoder(), threshold=0.5)
    assert not (await sure.handle(Task(request="x"))).abstained  # type: ignore[attr-defined]


async def test_a_message_of_another_type_is_refused() -> None:
    agent = Agent("crier", Shout(), "", ScriptedDecoder())
    with pytest.raises(UnderstudyError, match="crier takes Task, not Finding"):
        await agent.handle(Finding(answer="x"))


async def test_an_answer_of_another_type_is_refused() -> None:
    class Wrong(Shout):
        async def handle(self, message: Task, context: Any, ask: Ask) -> Message:
            return message

    with pytest.raises(UnderstudyError, match="gave Task, not Finding"):
        await Agent("a", Wrong(), "", ScriptedDecoder()).handle(Task(request="x"))


async def test_usage_is_metered_and_the_bus_reaches_the_agent() -> None:
    agent = Agent("crier", Shout(), "", ScriptedDecoder())
    with metered() as meter:
        await agent.handle(Task(request="x"))
    assert meter.usage == Usage(10, 1, 0.01)
    async with MessageBus() as bus:
        agent.join(bus)
        assert await bus.request(Task(request="y"), "crier") == Finding(answer="Y", confidence=0.9)
    assert agent.usage.calls == 2


@dataclass
class TellingDecoder(ScriptedDecoder):
    """One that tells of its answers letter by letter, from its thread."""

    def decode(self, calls: Sequence[Call], /) -> list[ScriptedReply]:
        replies = super().decode(calls)
        for call, reply in zip(calls, replies, strict=True):
            for letter in reply.values["answer"] if call.listen else "":
                call.listen("answer", letter)
        return replies


async def test_what_a_head_writes_is_shown_to_who_watches_the_step() -> None:
    decoder = TellingDecoder()
    one, two = Agent("one", Shout(), "", decoder), Agent("two", Shout(), "", decoder)
    flow = Workflow("desk", takes=Task)
    first = flow.step(one, name="first")
    flow.step(two, name="second", input={"request": first.answer})
    told = [event async for event in flow.stream(Task(request="hi"))]
    parts = [(event.step, event.part) for event in told if isinstance(event, StepEmitted)]
    assert parts == [("first", "H"), ("first", "I"), ("second", "H"), ("second", "I")]
    assert all(isinstance(part, Token) and part.field == "answer" for _, part in parts)
    await one.handle(Task(request="x"))
    assert decoder.batches[-1][0].listen is None, "where nobody watches nothing is told"


def test_a_token_is_kept_whole_when_it_is_copied() -> None:
    token = Token("billing", "queue")
    for other in (copy.copy(token), copy.deepcopy(token), pickle.loads(pickle.dumps(token))):
        assert other == "billing" and other.field == "queue"
