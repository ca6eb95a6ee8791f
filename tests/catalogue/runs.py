"""Mistakes that show when a workflow is run, resumed, replayed or forked, or its journal is read."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.catalogue.functions import Given, number, pair, text
from tests.catalogue.python_workflows import agent
from understudy.agents.messages import Message, Task
from understudy.agents.role import Role
from understudy.core.errors import UnderstudyError
from understudy.workflows import functions
from understudy.workflows.arguments import call_arguments, message_for
from understudy.workflows.dead_letters import send_again
from understudy.workflows.demonstration_files import FileReport, read_rows
from understudy.workflows.events import RunFinished, event_from_json
from understudy.workflows.expressions import Expression
from understudy.workflows.flow import Workflow
from understudy.workflows.journal import Journal
from understudy.workflows.learning import learn_many
from understudy.workflows.merging import merged
from understudy.workflows.null_journal import NullJournal
from understudy.workflows.patterns import handoff, vote
from understudy.workflows.places import allowed
from understudy.workflows.problems import Problem
from understudy.workflows.record import check_same
from understudy.workflows.resources import Resources
from understudy.workflows.roles import RoleFinder
from understudy.workflows.runtime import AsyncioRuntime
from understudy.workflows.state import Start
from understudy.workflows.team_patterns import Player


def failed(build: Callable[[Workflow], Any], message: Any = "a", **options: Any) -> Callable[[Path], None]:
    """How a run of the workflow ends that ``build`` adds steps to."""

    def run(folder: Path) -> None:
        made = Workflow("flow")
        build(made)
        ended(made.run_sync(message, **options))

    return run


def ended(result: Any) -> None:
    """Raises what a run failed with, without the name of the step before it."""
    assert result.status == "failed", result
    what, _, mend = str(result.error).partition(": ")[2].removeprefix("item 1: ").partition("; ")
    raise UnderstudyError(what, mend=mend or None)


def recorded(act: Callable[[Workflow, Journal], Any], takes: Any = None) -> Callable[[Path], Any]:
    """What is done with a workflow and a journal that has its run ``r``: it asks, maps and waits for another answer."""

    def run(folder: Path) -> Any:
        made = Workflow("flow", takes)
        made.step(text if takes is None else number, name="a")
        made.each(Expression.constant(["x", "y"]), do=text, name="items")
        made.ask("Yes?", choices=("yes", "no"), name="said")
        with Journal(folder / "journal.db") as journal:
            given = "a" if takes is None else takes(request="a")
            made.run_sync(given, journal=journal, run_id="r")
            return act(made, journal)

    return run


def file(act: Callable[[Journal], Any], *changes: str) -> Callable[[Path], Any]:
    """What is done with a journal of a run ``r`` whose file was changed by SQL."""

    def run(folder: Path) -> Any:
        made = Workflow("flow")
        made.step(text)
        path = folder / "journal.db"
        with Journal(path) as journal:
            made.run_sync("a", journal=journal, run_id="r")
            if not changes:
                return act(journal)
        with sqlite3.connect(path) as database:
            for change in changes:
                database.execute(change)
        database.close()
        with Journal(path) as journal:
            return act(journal)

    return run


def role(folder: Path, manifest: str, act: Callable[[RoleFinder], Any]) -> Any:
    """What is done with a head whose manifest has that text."""
    from understudy.workflows.roles import MANIFEST

    place = folder / "heads" / "moods"
    place.mkdir(parents=True)
    (place / MANIFEST).write_text(manifest, encoding="utf-8")
    return act(RoleFinder(folder))


def _twice_asked(folder: Path) -> None:
    made = Workflow("flow")
    made.step(text, name="a")
    made.each(Expression.constant(["x", "y"]), do=_asking(), name="b")
    with Journal() as journal:
        made.run_sync("a", journal=journal, run_id="r")
        made.resume_sync("r", journal=journal, answers={"said": "yes"})


def _asking() -> Workflow:
    made = Workflow("inner")
    made.ask("Yes?", name="said")
    return made


def _other(journal: Journal) -> Any:
    made = Workflow("flow")
    made.step(number)
    return made.resume_sync("r", journal=journal)


def _two_heads(folder: Path) -> None:
    found = Resources("default", folder)
    found.name_head("moods", folder / "a")
    found.name_head("moods", folder / "b")


def _start(value: Any, **more: Any) -> Start:
    return Start("a", 1, None, "r/a/1", "qa", more.pop("arguments", None), value, more)


CASES: dict[str, Callable[[Path], Any]] = {
    # Steps of a run.
    "run/takes": lambda folder: _taking("a"),
    "run/option": lambda folder: _named_run(budget=5),
    "run/limits": lambda folder: _named_run(limits=5),
    "run/mistake": lambda folder: _named_run(agents={}),
    "run/journal": lambda folder: _flow().resume_sync("r", journal=folder / "no.db"),
    "run/each": failed(lambda made: made.each(made.input.items, do=text), {"items": 5}),
    "run/sleep": failed(lambda made: made.sleep(made.input), "long"),
    "run/choose": failed(lambda made: made.each(made.input, agent=lambda item: 1 / 0), ["a"]),
    "run/no agent": failed(lambda made: made.each(made.input, agent=lambda item: "qa"), ["a"]),
    "run/agent": failed(lambda made: made.each(made.input, agent=lambda item: 5), ["a"]),
    "run/merge": lambda folder: merged("sum", {"a": "x", "b": "y"}),
    "run/merge function": lambda folder: merged(lambda outputs: 1 / 0, {"a": "x"}),
    "run/message": lambda folder: message_for(agent("qa", Given), _start("a")),
    "run/unknown agent": lambda folder: message_for(object(), _start("a")),
    "run/arguments": lambda folder: call_arguments(pair, _start("a")),
    "run/not of the run": lambda folder: Player("qa").handle(Task(request="a")),
    "run/handoff": lambda folder: ended(handoff([qa, qb], at_most=1).run_sync(
        Task(request="a"))),
    "run/vote": lambda folder: ended(vote([_broken("a"), _broken("b")], failure="collect").run_sync(Task(request="a"))),
    # Expressions that meet values.
    "value/name": lambda folder: Expression.parse("amuont").evaluate({"amount": 5}),
    "value/field": lambda folder: Expression.parse("input.amuont").evaluate({"input": {"amount": 5}}),
    "value/element": lambda folder: Expression.parse("input['a']").evaluate({"input": [5]}),
    "value/no element": lambda folder: Expression.parse("input[5]").evaluate({"input": [5]}),
    "value/length": lambda folder: Expression.parse("len(input)").evaluate({"input": 5}),
    "value/compare": lambda folder: Expression.parse("input > 'a'").evaluate({"input": 5}),
    "value/surrogate": lambda folder: Expression.parse("'\ud800'"),
    "value/constant": lambda folder: Expression.parse("b'a'"),
    "value/private name": lambda folder: Expression.parse("__import__"),
    "value/private attribute": lambda folder: Expression.parse("input.__class__"),
    "value/arithmetic": lambda folder: Expression.parse("input + 1"),
    "value/call": lambda folder: Expression.parse("open(input)"),
    "value/deep": lambda folder: Expression.parse("(" * 900 + "a" + ")" * 900),
    "value/sign": lambda folder: Expression.parse("-input"),
    # Questions.
    "answer/choice": recorded(lambda made, journal: made.resume_sync("r", journal=journal, answers={"said": "no!"})),
    "answer/question": recorded(lambda made, journal: made.resume_sync("r", journal=journal, answers={"sad": "yes"})),
    "answer/several": _twice_asked,
    # Forks.
    "fork/both": recorded(lambda made, journal: made.fork_sync("r", "a", message=1, output=2, journal=journal)),
    "fork/run": recorded(lambda made, journal: made.fork_sync("r", output=2, journal=journal)),
    "fork/takes": recorded(lambda made, journal: made.fork_sync("r", message=2, journal=journal), Task),
    "fork/step": recorded(lambda made, journal: made.fork_sync("r", "b", journal=journal)),
    "fork/visit": recorded(lambda made, journal: made.fork_sync("r", "a", visit=2, journal=journal)),
    "fork/item": recorded(lambda made, journal: made.fork_sync("r", "items", index=5, journal=journal)),
    "fork/items": recorded(lambda made, journal: made.fork_sync("r", "items", output=2, journal=journal)),
    "fork/question": recorded(lambda made, journal: (
        made.resume_sync("r", journal=journal, answers={"said": "yes"}),
        made.fork_sync("r", "said", message=2, journal=journal))),
    # Dead letters.
    "letter/number": recorded(lambda made, journal: asyncio.run(
        send_again(journal, "r", 3, {}))),
    # Journals.
    "journal/synchronous": lambda folder: Journal(synchronous="never"),
    "journal/open": lambda folder: Journal(folder),
    "journal/strange": lambda folder: _strange(folder),
    "journal/newer": file(lambda journal: journal.events("r"), "PRAGMA user_version = 99"),
    "journal/run": file(lambda journal: journal.events("no")),
    "journal/exported": file(lambda journal: list(journal.exported("no"))),
    "journal/version": file(lambda journal: journal.events("r"), "UPDATE events SET version = 99"),
    "journal/broken": file(lambda journal: journal.events("r"), "UPDATE events SET body = '{'"),
    "journal/broken export": file(lambda journal: list(journal.exported("r")), "UPDATE events SET body = '{'"),
    "journal/read": file(lambda journal: journal.events("r"), "ALTER TABLE events RENAME TO gone"),
    "journal/write": file(lambda journal: journal.forget("r"), "ALTER TABLE events RENAME TO gone"),
    "journal/first event": file(lambda journal: journal.accepted("r"), "DELETE FROM events WHERE number = 0"),
    "journal/resume": file(lambda journal: _flow().resume_sync("r", journal=journal),
                           "DELETE FROM events WHERE number = 0"),
    "journal/record": lambda folder: check_same(_flow().graph(), [RunFinished(0.0, "failed", None, "no")], False),
    "journal/changed": file(_other),
    "journal/kept": lambda folder: NullJournal().events("r"),
    "journal/JSON": lambda folder: _flow(object()),
    "journal/number": lambda folder: _flow(10**5000),
    "journal/event": lambda folder: event_from_json("RunForgotten", {}),
    # Functions that a team may call.
    "function/merge": lambda folder: functions.merge([5]),
    "function/template": lambda folder: functions.fill("{nmae}", name="a"),
    "function/chunks": lambda folder: functions.chunks([1], 0),
    # Roles, heads and folders.
    "head/none": lambda folder: RoleFinder(folder, "none").find("qa").document(),  # type: ignore[union-attr]
    "head/JSON": lambda folder: role(folder, "{", lambda finder: finder.find("moods").document()),  # type: ignore[union-attr]
    "head/role": lambda folder: role(
        folder, '{"role": 5}', lambda finder: finder.find("moods").document()),  # type: ignore[union-attr]
    "head/threshold": lambda folder: role(folder, "{}", lambda finder: finder.threshold(finder.head("moods"))),
    "head/two": _two_heads,
    "head/unknown": lambda folder: Resources("default", folder)._load("moods"),
    "head/demonstrations": lambda folder: learn_many([_bare_role()], None),  # type: ignore[arg-type]
    "rows/kind": lambda folder: _rows(folder / "moods.txt"),
    "rows/none": lambda folder: _rows(folder / "moods.csv"),
    "folder/allowed": lambda folder: allowed([folder / "no"]),
    "folder/file": lambda folder: allowed([folder / "notes.md"]),
    "runtime/agent": lambda folder: AsyncioRuntime({}).reachable(5),
}  # fmt: skip


def _rows(file: Path) -> list[Problem]:
    report = FileReport(file)
    list(read_rows(report, {}))
    return report.problems


def _flow(value: Any = ...) -> Workflow:
    made = Workflow("flow")
    made.step(text)
    if value is not ...:
        with Journal() as journal:
            made.run_sync(value, journal=journal)
    return made


def _taking(message: Any) -> Any:
    made = Workflow("flow", Task)
    made.step(number)
    return made.run_sync(message)


def _named_run(**options: Any) -> Any:
    made = Workflow("flow")
    made.step("qa")
    return made.run_sync("a", **options)


def _strange(folder: Path) -> Any:
    with sqlite3.connect(folder / "other.db") as database:
        database.execute("CREATE TABLE other (a)")
    database.close()
    return Journal(folder / "other.db")


def qa(talk: Any) -> dict[str, str]:
    """Hands on."""
    return {"to": "qb"}


def qb(talk: Any) -> dict[str, str]:
    """Hands back."""
    return {"to": "qa"}


def _broken(name: str) -> Any:
    made = agent(name)

    async def handle(message: Message) -> Message:
        raise ValueError("no")

    made.handle = handle
    return made


def _bare_role() -> Role:
    return replace(Role.load("mood.yaml"), demonstrations=())
