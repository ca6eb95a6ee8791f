"""The tests of a team file: requests are answered, and what came of them is compared with what is expected.

    tests:
      - input: {request: What is the capital of Peru?}
        expect: {answer: {contains: Lima}}
      - name: a refusal
        input: {request: Pay 500}
        answers: {approve: no}
        expect: {status: completed, path: [plan, approve, tell]}
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .core.errors import UnderstudyError
from .expectations import check_expected, differences, shown
from .render import run_object

if TYPE_CHECKING:
    from .agents.messages import Message
    from .workflows.outcome import Result
    from .workflows.questions import OpenQuestion
    from .workflows.team import Team

RUN = "test"
"""What a test's run is called, in a journal of its own."""

DAY = 24 * 3600
"""Seconds that a function in a thread may take while other steps sleep without waiting."""


@dataclass(frozen=True)
class TeamTest:
    """One test.

    Attributes:
        number: its place in the file, from 1.
        name: what it is called, or its request.
        input: a text, or the fields of the request.
        answers: what persons answer: by step, each time; or a list of such mappings, each used once, in order.
        expect: fields of the output and what they must be (see :func:`.evaluation.meets`); ``status``, ``path`` and
            ``error`` of the run. Without ``status`` the run has to complete.
        where: file and line.
    """

    number: int
    name: str
    input: Any
    answers: Mapping[str, Any] | Sequence[Mapping[str, Any]] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of a test: ``differences`` from what is expected, none where it passed; the run as JSON."""

    test: TeamTest
    differences: tuple[str, ...]
    run: Mapping[str, Any]
    path: tuple[str, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether all is as expected."""
        return not self.differences

    def as_json(self) -> dict[str, Any]:
        """One of the ``tests`` that ``test --json`` prints."""
        run = {key: self.run.get(key) for key in ("status", "output", "error")}
        return {
            "number": self.test.number, "name": self.test.name, "where": self.test.where, "passed": self.passed,
            "differences": list(self.differences), **run, "path": list(self.path), "seconds": round(self.seconds, 4),
        }  # fmt: skip


def read_tests(path: Path, only: str = "", allow: Iterable[Path] = ()) -> list[TeamTest]:
    """The tests of a team file; ``only``: those alone that have this text in their name or request.

    ``allow``: folders in which the file may name places, beside its own.

    Raises InvalidFile for a file with mistakes, and UnderstudyError where there is no test, or for one that says
    nothing or cannot be read.
    """
    from .workflows import forms
    from .workflows.schema import read_team

    document = read_team(path, allow)
    found = []
    for number, written in enumerate(document.value.get("tests", ())):
        said = forms.test(written)
        line, _ = document.place(("tests", number))
        where = f"{path}:{line}"
        name = str(said.get("name") or shown(said["input"]))
        expect = said.get("expect", {})
        check_expected(expect, tuple(document.value.get("output", ())), where)
        found.append(TeamTest(number + 1, name, said["input"], said.get("answers", {}), expect, where))
    if not found:
        mend = "add tests: [{input: {request: …}, expect: {answer: {contains: …}}}]"
        raise UnderstudyError("the team has no tests", where=str(path), mend=mend)
    words = only.casefold()
    chosen = [test for test in found if words in f"{test.name} {shown(test.input)}".casefold()]
    if not chosen:
        mend = f"there is: {', '.join(test.name for test in found[:8])}"
        raise UnderstudyError(f"no test has '{only}' in its name or request", where=str(path), mend=mend)
    return chosen


def run_test(team: Team, test: TeamTest) -> Outcome:
    """Answer the request of ``test`` and compare; what goes wrong in the run is a difference.

    Raises UnderstudyError for a request that the team does not take.
    """
    message = request(team, test)
    began = time.perf_counter()
    try:
        result = _alone(team, lambda agents: _played(team, message, test.answers, agents))
    except UnderstudyError as error:
        told = _told(error)
        return Outcome(test, (told,), {"status": "failed", "error": told}, (), time.perf_counter() - began)
    run = run_object(result)
    path = way(result)
    wrong = tuple(differences(test.expect, run, path, tuple(team.workflow.graph().output)))
    return Outcome(test, wrong, run, path, time.perf_counter() - began)


def request(team: Team, test: TeamTest) -> Message:
    """The message that a test begins with. Raises UnderstudyError, with the place of the test."""
    try:
        return team.message(test.input)
    except UnderstudyError as error:
        raise UnderstudyError(error.what, where=test.where, mend=error.mend) from None


def way(result: Result) -> tuple[str, ...]:
    """The steps of a run in the order in which they were entered, an ``each`` once; last, those that still ask."""
    from .workflows.references import LIMIT

    entered = {record.order: record.name for record in result.steps}
    asking = dict.fromkeys(question.step.partition("/")[0] for question in result.questions)
    asking.pop(LIMIT, None)
    return (*(entered[order] for order in sorted(entered)), *asking)


def needs_model(team: Team) -> bool:
    """Whether a step may be done by an agent that has a head."""
    from .workflows.function_role import is_function
    from .workflows.pattern_graph import PatternFlow

    steps = team.workflow.graph().steps.values()
    every = any(step.agent_from is not None or isinstance(step.workflow, PatternFlow) for step in steps)
    named = {step.agent for step in steps if step.agent is not None}
    agents = [agent for name, agent in team.agents.items() if every or name in named]
    heads = any(not is_function(agent) for agent in agents)
    return heads or any(map(needs_model, _parts(team)))


async def _played(
    team: Team, message: Message, answers: Mapping[str, Any] | Sequence[Mapping[str, Any]], agents: Mapping[str, Any]
) -> Result:
    """The run on ``message``, with the answers given as they are asked for; ``agents`` stand for those of the team."""
    from .workflows.journal import Journal

    left = [] if isinstance(answers, Mapping) else [dict(one) for one in answers]
    always = answers if isinstance(answers, Mapping) else {}
    with Journal(":memory:") as book:
        result = await team.run(message, run_id=RUN, journal=book, agents=agents)
        while result.status == "waiting" and (given := _given(result.questions, always, left)):
            result = await team.resume(RUN, journal=book, answers=given, agents=agents)
    return result


def _given(questions: Sequence[OpenQuestion], always: Mapping[str, Any], left: list[dict[str, Any]]) -> dict[str, Any]:
    given = {}
    for question in questions:
        if question.step in always:
            given[question.key] = always[question.step]
            continue
        turn = next((one for one in left if question.step in one), None)
        if turn is not None:
            given[question.key] = turn.pop(question.step)
    return given


def _told(error: UnderstudyError) -> str:
    """An error as a line; where it is about an answer, with the step that asked rather than the key of its question."""
    run, *place = (error.where or "").split("/")
    if run != RUN or not place:
        return str(error)
    step = "/".join(part for part in place if not part.isdecimal())
    return str(UnderstudyError(error.what, where=f"answers.{step}", mend=error.mend))


def _alone(team: Team, play: Callable[[Mapping[str, Any]], Coroutine[Any, Any, Result]]) -> Result:
    """The result of what ``play`` does with the agents that it is given: where steps sleep, without waiting."""
    parts = _parts(team)
    if not any(map(_sleeps, (team, *parts))) or any(map(needs_model, parts)):
        return asyncio.run(play({}))
    from .testing.clock import FakeClock
    from .testing.staging import in_real_time

    clock = FakeClock(patience=DAY)
    return clock.run(play({name: in_real_time(agent, clock) for name, agent in team.agents.items()}))


def _parts(team: Team) -> list[Team]:
    """The teams that do steps of a team, and of those."""
    from .workflows.child_runs import teams

    return list(teams(team.graph))


def _sleeps(team: Team) -> bool:
    return any(step.sleep is not None for step in team.workflow.graph().steps.values())
