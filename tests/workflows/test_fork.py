"""Forks: a run that shares what another did before one of its steps, and goes its own way from there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from understudy.agents.messages import Finding, Message, Task
from understudy.core.errors import UnderstudyError
from understudy.workflows.events import Event
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import WorkflowError
from understudy.workflows.journal import Journal, JournalError
from understudy.workflows.runtime import effect_key


class Writer:
    name = "writer"
    takes = Task

    def __init__(self, done: list[str]) -> None:
        self.done = done

    async def handle(self, message: Task) -> Message:
        self.done.append(effect_key())
        return Finding(answer=f"<{message.request}>")


def story(done: list[str]) -> Workflow:
    """Four steps; ``done`` are the keys of the effects that were computed."""
    flow = Workflow("story", takes=Task)

    def outline(task: Task) -> Task:
        done.append(effect_key())
        return Task(request=f"outline of {task.request}", given=("one",))

    def join(first: str, second: str) -> str:
        done.append(effect_key())
        return f"{first} + {second}"

    def end(text: str) -> str:
        done.append(effect_key())
        return f"{text}."

    flow.step(outline)
    write = flow.step(Writer(done), name="write")
    flow.step(join, input={"first": write.answer, "second": flow.input.request})
    flow.step(end)
    return flow


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "j.db"


def events(path: Path, run: str) -> list[Event]:
    with Journal(path) as book:
        return book.events(run)


ORIGINAL = "<outline of bees> + bees."


@pytest.mark.parametrize(
    ("step", "change", "value", "computed"),
    [
        ("join", {}, ORIGINAL, ["join", "end"]),
        ("join", {"output": "B"}, "B.", ["end"]),
        ("write", {"output": {"answer": "B"}}, "B + bees.", ["join", "end"]),
        ("write", {"message": {"request": "wasps"}}, "<wasps> + bees.", ["write", "join", "end"]),
        ("write", {"message": Task(request="wasps")}, "<wasps> + bees.", ["write", "join", "end"]),
        ("join", {"message": {"first": "a", "second": "b"}}, "a + b.", ["join", "end"]),
        ("end", {"message": "all else"}, "all else.", ["end"]),
        (None, {}, ORIGINAL, ["outline", "write", "join", "end"]),
        (None, {"message": Task(request="ants")}, "<outline of ants> + ants.", ["outline", "write", "join", "end"]),
    ],
)
def test_a_fork_computes_only_what_comes_after_the_change(
    path: Path, step: str | None, change: Mapping[str, Any], value: str, computed: list[str]
) -> None:
    assert story([]).run_sync(Task(request="bees"), journal=path, run_id="r").value == ORIGINAL
    before, done = events(path, "r"), list[str]()
    result = story(done).fork_sync("r", step, journal=path, run_id="f", **change)
    assert (result.run, result.status, result.value) == ("f", "completed", value)
    assert done == [f"f/{name}/1" for name in computed]
    assert [record.name for record in result.steps] == ["outline", "write", "join", "end"]
    assert events(path, "r") == before
    with Journal(path) as book:
        visit = None if step is None else 1
        assert book.accepted("f").forked == {"run": "r", "step": step, "visit": visit, "index": None}
        assert book.accepted("r").forked is None
    assert story([]).replay("f", journal=path) == result


def test_a_mapping_becomes_the_message_that_the_step_gave(path: Path) -> None:
    story([]).run_sync(Task(request="bees"), journal=path, run_id="r")
    result = story([]).fork_sync("r", "outline", output={"request": "plan B"}, journal=path, run_id="f")
    assert result.steps[0].output == Task(request="plan B") and result.value == "<plan B> + bees."
    with pytest.raises(UnderstudyError, match="the output of the fork: request: Field required"):
        story([]).fork_sync("r", "outline", output={"text": "plan B"}, journal=path, run_id="g")
    result = story([]).fork_sync("r", "write", message={"text": "plan B"}, journal=path, run_id="g")
    assert result.status == "failed" and "its input has to give: request, given" in str(result.error)


def test_a_failed_step_is_mended_by_a_fork(path: Path) -> None:
    flow = Workflow("w")
    flow.step(lambda value: value + 1, name="first")
    flow.step(lambda value: value / 0, name="second")
    flow.step(lambda value: value + 1, name="third")
    assert flow.run_sync(1, journal=path, run_id="r").status == "failed"
    assert flow.fork_sync("r", "second", output=10, journal=path).value == 11


def several(done: list[str]) -> Workflow:
    flow = Workflow("several")

    def square(item: int) -> int:
        done.append(effect_key())
        return item * item

    flow.each(flow.input, do=square, name="squares", at_once=1)
    flow.step(lambda squares: [0, *squares], name="end")
    return flow


@pytest.mark.parametrize(
    ("change", "value", "computed"),
    [({"output": 0}, [0, 1, 4, 0, 16], "3"), ({"message": 5}, [0, 1, 4, 25, 16], "23"), ({}, [0, 1, 4, 9, 16], "23")],
)
def test_a_fork_from_an_item_shares_those_before_it(
    path: Path, change: Mapping[str, Any], value: list[int], computed: str
) -> None:
    several([]).run_sync([1, 2, 3, 4], journal=path, run_id="r")
    done: list[str] = []
    result = several(done).fork_sync("r", "squares", index=2, journal=path, run_id="f", **change)
    assert result.value == value and done == [f"f/squares/1/{index}" for index in computed]
    with Journal(path) as book:
        assert book.accepted("f").forked == {"run": "r", "step": "squares", "visit": 1, "index": 2}


def test_a_fork_from_a_visit_of_a_loop(path: Path) -> None:
    def made(done: list[str]) -> Workflow:
        flow = Workflow("loop")
        log = flow.growing("log")

        def turn(value: int) -> int:
            done.append(effect_key())
            return value + 1

        flow.step(turn, into=log)
        flow.route("turn", "turn", at_most=3)
        flow.route("turn", "end")
        flow.step(lambda log: log, input={"log": log}, name="end", after=())
        return flow

    done: list[str] = []
    assert made([]).run_sync(0, journal=path, run_id="r").value == (1, 2, 3, 4)
    assert made(done).fork_sync("r", "turn", visit=3, output=30, journal=path, run_id="f").value == (1, 2, 30, 31)
    assert done == ["f/turn/4"]


def asked(done: list[str]) -> Workflow:
    flow = Workflow("asked")

    def first(value: int) -> int:
        done.append("first")
        return value

    flow.step(first)
    flow.ask("Go on?", choices=("yes", "no"), name="sure")
    flow.sleep(0)
    flow.step(lambda sure, sleep: [sure, sleep], name="end")
    return flow


def test_a_fork_from_an_answer(path: Path) -> None:
    async def person(question: Any) -> str:
        return "yes"

    done: list[str] = []
    assert asked([]).run_sync(1, journal=path, run_id="r", on_question=person).value == ["yes", "yes"]
    assert asked(done).fork_sync("r", "sure", output="no", journal=path, run_id="f").value == ["no", "no"]
    with pytest.raises(WorkflowError, match="'perhaps' is no answer to: Go on"):
        asked(done).fork_sync("r", "sure", output="perhaps", journal=path, run_id="g")
    # With neither a message nor an output the person is asked again, and the fork can be resumed and forked itself.
    waiting = asked(done).fork_sync("r", "sure", journal=path, run_id="h")
    assert (waiting.status, [one.key for one in waiting.questions]) == ("waiting", ["h/sure/1"])
    assert asked(done).resume_sync("h", answers={"sure": "no"}, journal=path).value == ["no", "no"]
    assert asked(done).fork_sync("h", "end", message={"sure": 1, "sleep": 2}, journal=path, run_id="i").value == [1, 2]
    assert asked(done).fork_sync("i", "sleep", output="awake", journal=path).value == ["no", "awake"]
    assert done == []


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"step": "second"}, "the run has no step 'second'; it settled: first, sure, sleep, end"),
        ({"step": "end", "visit": 2}, "the run has no step 'end' in visit 2"),
        ({"step": "end", "index": 0}, "the step end has no item 0"),
        ({"step": "first", "message": 1, "output": 2}, "a message or an output, not both"),
        ({"step": None, "output": 2}, "a run as a whole has no output"),
        ({"step": "sure", "message": "yes"}, "sure: a question and a timer take no message; give an output"),
        ({"step": "sleep", "message": "yes"}, "sleep: a question and a timer take no message"),
    ],
)
def test_what_cannot_be_forked_is_refused_and_leaves_no_run(path: Path, how: dict[str, Any], said: str) -> None:
    asked([]).run_sync(1, journal=path, run_id="r")
    asked([]).resume_sync("r", answers={"sure": "yes"}, journal=path)
    with pytest.raises(WorkflowError, match=said):
        asked([]).fork_sync("r", how.pop("step"), journal=path, run_id="f", **how)
    with Journal(path) as book:
        assert [run.run for run in book.runs()] == ["r"]


def test_a_fork_is_of_the_same_workflow_and_takes_the_same_input(path: Path) -> None:
    story([]).run_sync(Task(request="bees"), journal=path, run_id="r")
    with pytest.raises(WorkflowError, match="story: it takes Task"):
        story([]).fork_sync("r", message="ants", journal=path)
    with pytest.raises(WorkflowError, match="the workflow was changed since this run began"):
        asked([]).fork_sync("r", "write", journal=path)
    with pytest.raises(JournalError, match="there is a run r already: its id is taken"):
        story([]).fork_sync("r", "write", journal=path, run_id="r")
    with pytest.raises(JournalError, match="there is no run 'q'"):
        story([]).fork_sync("q", "write", journal=path)
