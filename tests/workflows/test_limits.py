"""Limits: what a run and its agents may use, and what becomes of a run that used it up."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from understudy.agents.bus import MessageBus
from understudy.agents.messages import Envelope, Finding, Message, Task
from understudy.agents.retry import Retry
from understudy.agents.usage import Usage, spend
from understudy.workflows.events import Event, RunFinished, StepStarted
from understudy.workflows.expressions import Ref
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import WorkflowError
from understudy.workflows.journal import Journal
from understudy.workflows.limits import Budget, Limits


class Speaker:
    """Spends five tokens on every message, and some seconds."""

    takes = Task

    def __init__(self, name: str = "speaker", seconds: float = 0.0) -> None:
        self.name, self.seconds = name, seconds

    async def handle(self, message: Task) -> Message:
        spend(Usage(5, 1))
        await asyncio.sleep(self.seconds)
        return Task(request=f"{message.request}!")


def talk(limits: Limits, turns: int = 6, *, seconds: float = 0.0) -> Workflow:
    """Two agents in turn; the output is what each said last."""
    output = {"left": Ref("left").request, "right": Ref("right").request}
    flow = Workflow("talk", takes=Task, output=output, limits=limits)
    flow.step(Speaker("left", seconds), name="left")
    flow.step(Speaker("right"), name="right")
    flow.route("right", "left", at_most=turns - 1)
    flow.route("right", "$end")
    return flow


HELLO = Task(request="hello")


@pytest.mark.parametrize(
    ("limits", "what", "said"),
    [
        (Limits(messages=3), "3 messages", (3, 2)),
        (Limits(tokens=11), "11 tokens", (3, 2)),
        (Limits(tokens=10), "10 tokens", (1, 2)),
        (Limits(agents={"left": Budget(messages=2)}), "2 messages for left", (3, 4)),
        (Limits(agents={"right": Budget(tokens=6)}), "6 tokens for right", (5, 4)),
        (Limits(agents={"left": Budget(seconds=0.005)}), "0.005 seconds for left", (1, 2)),
        (Limits(messages=5, agents={"right": Budget(messages=1), "other": Budget(messages=0)}),
         "1 messages for right", (3, 2)),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("on_exceed", "status"), [("stop", "failed"), ("partial", "partial"), ("ask", "waiting")])
def test_a_run_that_used_up_a_limit_gives_what_it_has(
    limits: Limits, what: str, said: tuple[int, int], on_exceed: Any, status: str
) -> None:
    made = Limits(None, limits.messages, limits.tokens, on_exceed=on_exceed, agents=limits.agents)
    result = talk(made, seconds=0.01).run_sync(HELLO)
    left, right = (f"hello{'!' * count}" for count in said)
    assert (result.status, result.output) == (status, {"left": left, "right": right})
    if on_exceed == "ask":
        (question,) = result.questions
        assert question.question == f"the run used up its {what}: may it use as much again?"
        assert (question.step, question.about, question.choices) == ("$limits", what, (True, False))
    else:
        assert result.error == f"the run used up its {what}" and result.questions == ()


def test_a_person_lets_a_run_use_as_much_again_until_they_do_not(tmp_path: Path) -> None:
    path, limits = tmp_path / "j.db", Limits(tokens=10, on_exceed="ask")
    result = talk(limits).run_sync(HELLO, journal=path, run_id="r")
    for granted in (1, 2):
        assert (result.status, result.questions[0].key) == ("waiting", f"r/$limits/{granted}")
        assert result.usage.tokens == 10 * granted
        result = talk(limits).resume_sync("r", journal=path, answers={"$limits": True})
    with pytest.raises(WorkflowError, match="choose one of: True, False"):
        talk(limits).resume_sync("r", journal=path, answers={"$limits": "please"})
    result = talk(limits).resume_sync("r", journal=path, answers={"$limits": False})
    assert (result.status, result.usage.tokens) == ("partial", 30)
    assert result.error == "the run used up its limit, and was not to go on: 30 tokens"
    assert result.output == {"left": "hello!!!!!", "right": "hello!!!!!!"}
    # What was answered can be answered otherwise by a fork.
    fork = talk(limits).fork_sync("r", "$limits", visit=2, output=False, journal=path)
    assert (fork.status, fork.usage.tokens) == ("partial", 20)


def test_a_person_beside_the_process_lets_a_run_go_on() -> None:
    asked: list[str] = []

    async def person(question: Any) -> bool:
        asked.append(question.about)
        return True

    result = talk(Limits(messages=5, on_exceed="ask")).run_sync(HELLO, on_question=person)
    assert (result.status, result.usage.tokens) == ("completed", 60) and asked == ["5 messages", "10 messages"]


def test_seconds_used_up_are_asked_about_while_the_step_under_way_goes_on(tmp_path: Path) -> None:
    def made() -> Workflow:
        flow = Workflow("w", limits=Limits(seconds=0.3, on_exceed="ask"))
        flow.step(Speaker(seconds=0.35), input={"request": flow.input}, name="slow")
        flow.step(lambda found: found.request, name="next")
        return flow

    seen: list[Event] = []
    result = made().run_sync("x", journal=tmp_path / "j.db", run_id="r", on_event=seen.append)
    assert (result.status, result.value) == ("waiting", Task(request="x!"))
    assert [event.step for event in seen if isinstance(event, StepStarted)] == ["slow"]
    result = made().resume_sync("r", journal=tmp_path / "j.db", answers={"$limits": True})
    assert (result.status, result.value) == ("completed", "x!")


def test_effects_under_way_are_kept_and_none_begins_until_a_person_allows_it(tmp_path: Path) -> None:
    def made() -> Workflow:
        flow = Workflow("w", limits=Limits(tokens=10, on_exceed="ask"))
        flow.each(flow.input, agent=Speaker(seconds=0.01), input={"request": flow.item}, name="all", at_once=3)
        return flow

    result = made().run_sync(list("abcdef"), journal=tmp_path / "j.db", run_id="r")
    kept = len(result.steps)
    assert result.status == "waiting" and kept < 6 and result.usage.tokens == 5 * kept >= 10
    while result.status == "waiting":
        result = made().resume_sync("r", journal=tmp_path / "j.db", answers={"$limits": True})
    assert [found.request for found in result.value] == [f"{letter}!" for letter in "abcdef"]
    assert result.usage.tokens == 30


@pytest.mark.parametrize("deepest", [1, 2, 3, None])
def test_depth_ends_a_chain_of_agents_within_one_step(deepest: int | None) -> None:
    async def main() -> tuple[str, Any, list[str]]:
        async with MessageBus() as bus:

            async def call(envelope: Envelope) -> Message:
                left = int(envelope.body.request)  # type: ignore[attr-defined]
                if left == 0:
                    return Finding(answer="the end")
                return await bus.request(Task(request=str(left - 1)), "b" if envelope.recipient == "a" else "a")

            bus.register("a", call, at_once=8)
            bus.register("b", call, at_once=8)
            flow = Workflow("w", limits=Limits(depth=deepest))
            flow.step("a", name="chain")
            result = await flow.run(Task(request="2"), bus=bus, run_id="r")
            # The limit ends with the run: afterwards the bus goes as deep as before.
            assert await bus.request(Task(request="5"), "a", run="r") == Finding(answer="the end")
            return result.status, result.error, [letter.reason for letter in bus.dead]

    status, error, reasons = asyncio.run(main())
    if deepest in (3, None):
        assert (status, error, reasons) == ("completed", None, [])
    else:
        assert status == "failed" and "too deep" in str(error) and reasons[0] == "too deep"


def test_what_agents_within_a_step_spend_counts_for_the_step() -> None:
    async def main() -> Usage:
        async with MessageBus() as bus:

            class Leader(Speaker):
                async def handle(self, message: Task) -> Message:
                    spend(Usage(100, 1))
                    return await bus.request(message, "follower")

            async def follow(envelope: Envelope) -> Message:
                return await Speaker().handle(envelope.body)  # type: ignore[arg-type]

            bus.register("follower", follow)
            flow = Workflow("w", limits=Limits(tokens=105))
            flow.step(Leader("leader"))
            flow.step(lambda found: found, name="more")
            result = await flow.run(HELLO, bus=bus)
            assert result.error == "the run used up its 105 tokens"
            return result.usage

    assert asyncio.run(main()).calls == 2


def test_every_attempt_counts_also_a_late_and_a_failed_one() -> None:
    class Flaky(Speaker):
        def __init__(self, fails: int) -> None:
            super().__init__("flaky")
            self.fails = fails

        async def handle(self, message: Task) -> Message:
            answer = await super().handle(message)
            self.fails -= 1
            if self.fails >= 0:
                raise ConnectionError("not yet")
            return answer

    def function(value: Task, calls: list[int] = [3]) -> str:  # noqa: B006 — counts over its calls
        spend(Usage(7, 1))
        calls[0] -= 1
        if calls[0]:
            raise ConnectionError("not yet")
        return "at last"

    def used(doer: Any, **more: Any) -> tuple[str, int, int]:
        flow = Workflow("w")
        flow.step(doer, name="only", **more)
        result = flow.run_sync(HELLO)
        return result.status, result.steps[0].attempts, result.usage.tokens

    assert used(Flaky(2), retry=Retry(3, wait=0.001)) == ("completed", 3, 15)
    assert used(Flaky(9), retry=Retry(3, wait=0.001)) == ("failed", 3, 15)
    assert used(function, retry=Retry(3, wait=0.001)) == ("completed", 3, 21)
    assert used(Speaker(seconds=30), seconds=0.02) == ("failed", 1, 5)


def test_limits_are_in_the_document_and_those_of_version_1_in_its_form(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    assert Limits(5.0, 3, on_exceed="partial").document() == [5.0, 3, "partial"]
    assert Limits().document() == [None, None, "stop"]
    whole = Limits(5.0, 3, 100, 4, "ask", {"left": Budget(1.0, 2, 3)})
    assert whole.document() == [5.0, 3, "ask", 100, 4, {"left": [1.0, 2, 3]}]
    talk(Limits(messages=1, on_exceed="ask")).run_sync(HELLO, journal=path, run_id="r")
    for other in (
        Limits(messages=2, on_exceed="ask"),
        Limits(messages=1, on_exceed="stop"),
        Limits(messages=1, on_exceed="ask", tokens=1000),
        Limits(messages=1, on_exceed="ask", depth=3),
        Limits(messages=1, on_exceed="ask", agents={"left": Budget(tokens=1000)}),
    ):
        with pytest.raises(WorkflowError, match=r"since this run began: limits was \[null, 1, .ask.\] and is \["):
            talk(other).resume_sync("r", journal=path, answers={"$limits": True})
    with Journal(path) as book:
        assert not [event for event in book.events("r") if isinstance(event, RunFinished)]
