"""What all group patterns have in common: runs that are cut, limits, members, requests of any type."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.groups import ASKED, Own, Planner, Said, Speaker, Turn, adder, answers, ran
from understudy.agents.messages import Finding, Message, Task
from understudy.workflows import patterns
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import WorkflowError
from understudy.workflows.limits import Limits
from understudy.workflows.patterns import debate, handoff, planner_worker_reviewer, round_robin, selector, vote


def groups(one: Any, two: Any, **more: Any) -> dict[str, Callable[[], Workflow]]:
    """Every pattern, to be made with the same two members."""

    def choose(talk: Sequence[Any]) -> str:
        return ("one", "two")[len(talk) % 2]

    def plan(talk: Sequence[Any]) -> dict[str, Any]:
        return {"steps": [{"agent": name, "request": str(len(talk)), "given": ()} for name in ("one", "two")]}

    def review(talk: Sequence[Any]) -> bool:
        return len(talk) == 1

    return {
        "round_robin": lambda: round_robin([one, two], rounds=2, **more),
        "selector": lambda: selector([one, two], choose, turns=4, **more),
        "handoff": lambda: handoff([one, two], at_most=3, **more),
        "debate": lambda: debate([one, two], lambda talk: "over", 2, **more),
        "planner_worker_reviewer": lambda: planner_worker_reviewer(plan, [one, two], review, 2, **more),
        "vote": lambda: vote([one, two], **more),
    }


class Handed(Finding, message_name="patterns.Handed"):
    to: str | None = None


class Actor(Speaker):
    """Notes what it says, hands on, and stays silent for ever at one point where it is told to."""

    def __init__(self, name: str, other: str, notes: list[str], stuck: int | None = None) -> None:
        super().__init__(name)
        self.other, self.notes, self.stuck, self.times = other, notes, stuck, 0

    async def handle(self, message: Task) -> Message:
        self.times += 1
        if self.times == self.stuck:
            self.notes.append("stuck")
            await asyncio.sleep(60)
        said = f"{self.name}: {message.request} {','.join(message.given)}"
        self.notes.append(said)
        return Handed(answer=said, values=(self.name,), to=self.other if len(message.given) < 4 else None)


@pytest.mark.parametrize("pattern", patterns.__all__)
def test_a_run_that_was_cut_goes_on_and_nothing_is_said_twice(pattern: str, tmp_path: Path) -> None:
    def flow(notes: list[str], stuck: int | None) -> Workflow:
        return groups(Actor("one", "two", notes, stuck), Actor("two", "one", notes))[pattern]()

    whole: list[str] = []
    expected = flow(whole, None).run_sync(ASKED).output
    journal, notes = tmp_path / "j.db", list[str]()
    stuck = 1 if pattern == "vote" else 2

    async def cut() -> None:
        task = asyncio.create_task(flow(notes, stuck).run(ASKED, journal=journal, run_id="r"))
        while "stuck" not in notes or len(notes) < (2 if pattern == "vote" else 3):
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cut())
    result = flow(notes, None).resume_sync("r", journal=journal)
    assert result.status == "completed", result.error
    assert result.output == expected
    notes.remove("stuck")
    assert sorted(notes) == sorted(whole)
    assert flow([], None).replay("r", journal=journal).output == expected


@pytest.mark.parametrize("pattern", patterns.__all__)
def test_the_limits_of_a_run_hold(pattern: str) -> None:
    limits = Limits(messages=2, on_exceed="partial")
    notes: list[str] = []
    made = groups(Actor("one", "two", notes), Actor("two", "one", notes), limits=limits, name="talk_show")[pattern]()
    result = made.run_sync(ASKED)
    assert (made.name, result.status, result.error) == ("talk_show", "partial", "the run used up its 2 messages")
    assert 1 <= len(result.steps) <= 2 and len(notes) <= 2


@pytest.mark.parametrize("pattern", ["round_robin", "selector", "handoff", "debate", "vote"])
def test_a_group_is_made_of_several_with_names_of_their_own(pattern: str) -> None:
    alone: dict[str, Callable[[], Workflow]] = {
        "round_robin": lambda: round_robin([adder], rounds=1), "handoff": lambda: handoff([adder]),
        "selector": lambda: selector([adder], adder, turns=1), "debate": lambda: debate([adder], adder, 1),
        "vote": lambda: vote([adder]),
    }  # fmt: skip
    with pytest.raises(WorkflowError, match="it needs 2 members and has 1"):
        alone[pattern]()
    with pytest.raises(WorkflowError, match="two of them are called 'one'"):
        groups(Speaker("one"), Speaker("one"))[pattern]()


def test_who_decides_is_nobody_else_of_the_same_name() -> None:
    one, two = Speaker("one"), Speaker("two")
    with pytest.raises(WorkflowError, match="two of them are called 'two'"):
        debate([one, two], Speaker("two"), 1)
    assert ran(debate([one, two], two, 1))["verdict"].answer == "two3"
    # Functions are called, not reached by name.
    assert ran(debate([one, lambda request: request], lambda request: request, 1))["verdict"] == "why?"


@pytest.mark.parametrize(
    ("made", "what"),
    [
        (lambda: round_robin([adder, Speaker("one")], rounds=0), "rounds is 0"),
        (lambda: selector([adder, Speaker("one")], adder, turns=0), "turns is 0"),
        (lambda: handoff([adder, Speaker("one")], at_most=0), "at_most is 0"),
        (lambda: debate([adder, Speaker("one")], adder, -1), "rounds is -1"),
        (lambda: planner_worker_reviewer(Planner(), [adder], adder, 0), "at_most is 0"),
        (lambda: planner_worker_reviewer(Planner(), [], adder, 1), "it needs 1 members and has 0"),
    ],
)
def test_a_group_has_a_limit(made: Callable[[], Workflow], what: str) -> None:
    with pytest.raises(WorkflowError, match=what):
        made()


def test_what_an_agent_takes_has_to_come_from_somewhere() -> None:
    own = Own("own", lambda turn: Said(text=""))
    with pytest.raises(WorkflowError, match=r"own takes a patterns.Turn, and nobody gives its 'talk'"):
        vote([own, Speaker("one")])
    with pytest.raises(WorkflowError, match="nobody gives its 'request'; there is: talk, given, answers, text"):
        round_robin([own, Speaker("one")], rounds=1, takes=Said)


def test_a_group_may_be_a_member_of_another() -> None:
    def two(talk: Sequence[Any]) -> str:
        return f"so {talk[-1]['vote']}"

    panel = vote([Speaker("a", answer="yes"), Speaker("b", answer="yes")], name="panel")
    assert ran(round_robin([panel, two], rounds=1))["last"] == "so yes"


def test_the_request_may_be_of_any_type() -> None:
    first, second = (Own(name, lambda turn: Said(text=turn.tone)) for name in ("first", "second"))
    request = Turn(request="r", talk=("mine",), tone="sharp")
    output = ran(round_robin([first, second], rounds=1, takes=Turn), request)
    assert answers(output["talk"]) == ["sharp", "sharp"] and second.heard[0].talk == (Said(text="sharp"),)


def test_a_function_is_given_the_request_under_any_other_name() -> None:
    def first(task: Task, request: str) -> str:
        return f"{task.request} {request}"

    def second(talk: Sequence[Any], cast: Any = None, request: str = "", tone: str = "plain") -> str:
        return f"{talk[0]} {cast} {request} {tone}"

    assert ran(round_robin([first, second], rounds=1))["last"] == "why? why? None why? plain"
