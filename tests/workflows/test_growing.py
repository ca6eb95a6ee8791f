"""Growing lists: a transcript that every step reads, and of which the journal has every part once."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from understudy.agents.messages import Message, Task
from understudy.workflows.expressions import Expression, Ref
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import WorkflowError
from understudy.workflows.journal import Journal
from understudy.workflows.refs import length


def chat(turns: int, seen: list[Sequence[str]], **more: Any) -> Workflow:
    """Each turn is handed all messages before it, and adds one of about a hundred characters."""
    flow = Workflow("chat", **more)
    log = flow.growing("log")

    async def turn(log: Sequence[str]) -> str:
        seen.append(log)
        return f"{len(log)} {'x' * 100}"

    flow.step(turn, input={"log": log}, into=log)
    flow.route("turn", "turn", when=length(log) < turns, at_most=turns)
    flow.route("turn", "$end")
    return flow


def test_a_step_sees_what_was_added_before_it_and_that_does_not_change() -> None:
    seen: list[Sequence[Any]] = []
    result = chat(100, seen, output={"log": Ref("log"), "last": Ref("log")[-1]}).run_sync(None)
    messages = [f"{number} {'x' * 100}" for number in range(100)]
    assert result.output == {"log": tuple(messages), "last": messages[-1]}
    # Read now, after all was added.
    assert [list(log) for log in seen] == [messages[:number] for number in range(100)]
    log = seen[70]
    assert (log[0], log[-1], log[3:5], len(log)) == (messages[0], messages[69], (messages[3], messages[4]), 70)
    assert messages[69] in log and messages[70] not in log
    with pytest.raises(IndexError):
        log[70]
    with pytest.raises(TypeError):
        log[0] = "other"  # type: ignore[index]
    assert not hasattr(log, "append")


def test_the_journal_is_linear_in_the_turns(tmp_path: Path) -> None:
    def size(turns: int) -> int:
        with Journal(tmp_path / f"{turns}.db", synchronous="normal") as book:
            result = chat(turns, []).run_sync(None, journal=book, run_id="r")
            assert len(result.steps) == turns
            return sum(len(json.dumps(row)) for row in book.exported("r"))

    short, long = size(200), size(400)
    assert 1.5 * short < long < 2.5 * short
    assert long < 400 * 1000  # a list of all messages in every event would make it eight million


class Heard(Message, message_name="test.Heard"):
    lines: Any


class Listener:
    name = "listener"
    takes = Heard

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def handle(self, message: Heard) -> Message:
        self.heard.append(message.lines)
        return Task(request=f"{len(message.lines)} so far")


def test_agents_get_a_tuple() -> None:
    flow, listener = Workflow("w"), Listener()
    log = flow.growing("log")
    flow.step(listener, input={"lines": log}, into=log)
    flow.route("listener", "listener", at_most=2)
    flow.route("listener", "$end")
    assert flow.run_sync(None).status == "completed"
    said = tuple(Task(request=f"{number} so far") for number in range(2))
    assert listener.heard == [(), said[:1], said] and all(type(lines) is tuple for lines in listener.heard)


def test_a_list_may_be_a_part_of_what_is_given_and_kept() -> None:
    flow, listener = Workflow("w", output={"both": Expression.parse("[log, input]"), "said": Ref("last")}), Listener()
    log = flow.growing("log")
    flow.step(lambda value: value, name="first", into=log)
    flow.step(listener, input={"lines": Expression.parse("{'said': [log, 1]}")})
    flow.step(lambda log: {"all": log, "one": [log[:1]]}, input={"log": log}, name="last")
    result = flow.run_sync("a")
    assert listener.heard == [{"said": [("a",), 1]}]
    assert result.output == {"both": [("a",), "a"], "said": {"all": ("a",), "one": [("a",)]}}


def test_an_each_adds_every_output_in_the_order_of_its_items() -> None:
    async def slow(item: int) -> int:
        await asyncio.sleep(item / 1000)
        return item

    flow = Workflow("w", output={"log": Ref("log")})
    log = flow.growing("log")
    flow.step(lambda: "begin", name="begin", into=log)
    flow.each(flow.input, do=slow, name="several", into=log)
    flow.each(log, do=lambda item: f"<{item}>", name="over", into=log)
    flow.step(lambda log, input: len(log), name="end", into=log)
    result = flow.run_sync([30, 10, 20])
    assert result.output == {"log": ("begin", 30, 10, 20, "<begin>", "<30>", "<10>", "<20>", 8)}


def test_a_list_goes_on_in_another_process(tmp_path: Path) -> None:
    def made() -> Workflow:
        flow = Workflow("w")
        log = flow.growing("log")
        flow.step(lambda value: value, name="first", into=log)
        flow.ask("And then?", name="asked", into=log)
        flow.step(lambda log, asked: log, name="last")
        return flow

    path = tmp_path / "j.db"
    assert made().run_sync("a", journal=path, run_id="r").status == "waiting"
    assert made().resume_sync("r", journal=path, answers={"asked": "b"}).value == ("a", "b")


@pytest.mark.parametrize("name", ["second", "first", "input", "team", "item", "index"])
def test_a_list_has_a_name_of_its_own(name: str) -> None:
    flow = Workflow("w")
    flow.step(lambda value: value, name="first", into=flow.growing(name))
    flow.step(lambda value: value, name="second")
    (problem,) = flow.check()
    assert (problem.path, problem.what) == ("steps.first.into", f"the list '{name}' has the name of something else")
    with pytest.raises(WorkflowError, match="call it otherwise"):
        flow.run_sync(1)


def test_a_list_that_nothing_grows_is_a_name_unknown() -> None:
    flow = Workflow("w")
    flow.step(lambda log: log, input={"log": flow.growing("log")}, name="only")
    assert [problem.what for problem in flow.check()] == ["no value is called 'log' here"]
