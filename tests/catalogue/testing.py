"""Mistakes in tests of workflows, in the tests of team files, in new files, and in functions that files may call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.catalogue.functions import Given, number, text
from understudy.agents.messages import Finding, Message, Task
from understudy.cli_new import SCAFFOLDS, Kind, check_name, write
from understudy.expectations import check_expected
from understudy.team_tests import read_tests
from understudy.testing import FakeClock, Harness, ScriptedAgent
from understudy.workflows import calls
from understudy.workflows.flow import Workflow
from understudy.workflows.function_role import FunctionRole, function_role


def harness(act: Callable[[Harness], Any], **options: Any) -> Callable[[Path], Any]:
    """What is done with a harness of a workflow in which ``qa`` answers, and then a function."""

    def run(folder: Path) -> Any:
        made = Workflow("flow", Task)
        made.step("qa", name="asked")
        made.ask("Yes?", name="said")
        made.step(number, name="counted")
        return act(Harness(made, options.pop("agents", {"qa": [Finding(answer="a")]}), **options))

    return run


async def _two_clocks(folder: Path) -> None:
    with FakeClock(), FakeClock():
        raise AssertionError("two clocks drive one loop")


def _two_loops(folder: Path) -> None:
    clock = FakeClock()

    async def first() -> None:
        with clock:
            await asyncio.to_thread(lambda: asyncio.run(second()))

    async def second() -> None:
        with clock:
            raise AssertionError("one clock drives two loops")

    asyncio.run(first())


def _strange_loop(folder: Path) -> None:
    from understudy.testing.grip import Grip

    class Loop:
        """No loop of asyncio's own."""

    Grip(Loop(), None)  # type: ignore[arg-type]


def _file(body: str) -> Callable[[Path], Any]:
    def load(folder: Path) -> Any:
        (folder / "more.py").write_text(body, encoding="utf-8")
        return calls.load_functions(folder / "more.py")

    return load


def _played(function: Any, name: str = "played") -> Callable[[Path], FunctionRole]:
    def role(folder: Path) -> FunctionRole:
        calls._registered[name] = function
        return function_role(name)

    return role


def _given(value: Any, returned: Any) -> Callable[[Path], Any]:
    def answer(folder: Path) -> Any:
        def played(request: str) -> Any:
            return value

        played.__annotations__["return"] = returned
        return _played(played)(folder).answer(value)

    return answer


def _declared(*values: str, name: str = "declared") -> Callable[[Path], Any]:
    def look(folder: Path) -> Any:
        from importlib.metadata import EntryPoint
        from unittest.mock import patch

        points = tuple(EntryPoint(name, value, calls.GROUP) for value in values)
        with patch.object(calls, "declared", lambda: {name: points}):
            return calls.CALLS[name]

    return look


def open_ended(*request: str) -> str:
    """No field of a message takes several values."""
    return " ".join(request)


def private(_request: str) -> str:
    """A field cannot begin so."""
    return _request


def _unread(value: Any) -> str:
    return str(value)


_unread.__annotations__["value"] = asyncio.AbstractEventLoop

TEAM = "schema: understudy/team/v1\nteam: desk\nagents: {qa: qa}\n"


def tests_of(more: str, only: str = "") -> Callable[[Path], Any]:
    """The tests of a team file that ends so."""

    def read(folder: Path) -> Any:
        (folder / "team.yaml").write_text(TEAM + more, encoding="utf-8")
        return read_tests(folder / "team.yaml", only)

    return read


def _again(folder: Path) -> Any:
    write(SCAFFOLDS[Kind.team], "desk", folder)
    return write(SCAFFOLDS[Kind.team], "desk", folder)


CASES: dict[str, Callable[[Path], Any]] = {
    # Scripts, harness and clock.
    "script/kind": lambda folder: ScriptedAgent("qa", "a"),
    "script/message": lambda folder: asyncio.run(_asked(ScriptedAgent("qa", [5]))),
    "script/type": lambda folder: ScriptedAgent("qa", [Task(request="a")], gives=Finding),
    "script/fields": lambda folder: ScriptedAgent("qa", [{"given": "a"}], gives=Given),
    "script/used up": lambda folder: asyncio.run(_asked(ScriptedAgent("qa", []))),
    "script/left": lambda folder: ScriptedAgent("qa", [Finding(answer="a")]).verify(),
    "harness/no run yet": harness(lambda made: made.resume_sync()),
    "harness/no run": harness(lambda made: made.resume_sync("r")),
    "harness/answers": harness(lambda made: made.run_sync("a", answers={"sad": "yes"})),
    "harness/script": harness(lambda made: made.run_sync("a", answers={"said": "yes"}), agents={"qa": []}),
    "harness/crash": harness(lambda made: made.crash_after("conuted")),
    "harness/agent": harness(lambda made: None, agents={"qb": []}),
    "harness/step": harness(lambda made: None, steps={"conuted": number}),
    "harness/no function": harness(lambda made: None, steps={"counted": 5}),
    "harness/step of the run": harness(lambda made: made.run_sync("a").steps["conuted"]),
    "harness/step not reached": harness(lambda made: made.run_sync("a").steps["counted"]),
    "harness/path": harness(lambda made: made.run_sync("a").assert_path("asked", "counted")),
    "clock/time": lambda folder: asyncio.run(_moved(FakeClock(), -1)),
    "clock/two": _two_clocks,
    "clock/loops": _two_loops,
    "clock/strange": _strange_loop,
    "clock/running": lambda folder: _running(),
    # Tests in team files.
    "tests/none": tests_of(""),
    "tests/only": tests_of("tests: [{name: first, input: a}]\n", only="second"),
    "tests/status": lambda folder: check_expected({"status": "done"}, (), "team.yaml:4"),
    "tests/matchers": lambda folder: check_expected({"answer": {"contains": "a", "b": 1}}, (), "team.yaml:4"),
    "tests/any_of": lambda folder: check_expected({"answer": {"any_of": "a"}}, (), "team.yaml:4"),
    "tests/anything": lambda folder: check_expected({"answer": ""}, (), "team.yaml:4"),
    "tests/way": lambda folder: check_expected({"path": {"over": "a"}}, (), "team.yaml:4"),
    # New files.
    "new/name": lambda folder: check_name(Kind.team, "my desk"),
    "new/shipped": lambda folder: check_name(Kind.role, "qa"),
    "new/YAML": lambda folder: check_name(Kind.team, "true"),
    "new/device": lambda folder: check_name(Kind.workflow, "nul"),
    "new/there": _again,
    # Functions.
    "register/name": lambda folder: calls.register("my function", text),
    "register/own": lambda folder: calls.register("same", text),
    "register/kind": lambda folder: calls.register("five", 5),  # type: ignore[type-var]
    "functions/unknown": lambda folder: calls.CALLS["drfat"],
    "functions/twice": _declared("one:a", "two:b"),
    "functions/module": _declared("no_such_module:a"),
    "functions/kind": _declared("math:pi"),
    "functions/no file": lambda folder: calls.load_functions(folder / "no.py"),
    "functions/other file": lambda folder: calls.load_functions(folder / "notes.md"),
    "functions/none": _file("x = 1\n"),
    "functions/error": _file("x = 1\ny = 1 / 0\n"),
    "functions/syntax": _file("x =\n"),
    "played/parameters": _played(min),
    "played/open": _played(open_ended),
    "played/private": _played(private),
    "played/odd": _played(_unread),
    "played/kind": _given(5, Finding),
    "played/value": _given("a", int),
    "played/none": lambda folder: FunctionRole("a", "b", Task, Finding).function(),
}  # fmt: skip


async def _asked(agent: ScriptedAgent) -> Message:
    return await agent.handle(Task(request="a"))


async def _moved(clock: FakeClock, seconds: float) -> None:
    with clock:
        await clock.advance(seconds)


async def _running() -> None:
    async def nothing() -> None:
        return None

    FakeClock().run(nothing())
