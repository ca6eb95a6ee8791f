"""What the commands do with runs: dead letters, export, compact, list, replay, fork and answers to questions."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from typer.testing import Result as Done

from understudy.agents.letters import DeliveryError
from understudy.agents.messages import Finding, Message, Task
from understudy.cli import app
from understudy.workflows.dead_letters import KeptLetter, kept_letters, send_again
from understudy.workflows.drain import Drain
from understudy.workflows.events import LetterDied, LetterSent, RunFinished, event_from_json
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import WorkflowError
from understudy.workflows.journal import Journal
from understudy.workflows.limits import Limits
from understudy.workflows.resources import Resources
from understudy.workflows.runtime import effect_key
from understudy.workflows.team import Team

Command = Callable[..., subprocess.CompletedProcess[str]]


class Clerk:
    """An agent in plain Python that can be out of order."""

    name = "clerk"
    takes = Task

    def __init__(self) -> None:
        self.out_of_order = True
        self.keys: list[str] = []

    def require_head(self) -> None:
        """It has nothing to learn."""

    async def handle(self, message: Task) -> Message:
        self.keys.append(effect_key())
        if self.out_of_order:
            raise OSError("the printer is off")
        return Finding(answer=message.request + "!")


class Desk:
    """A team without a model, and the commands that are given to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clerk = Clerk()
        flow = Workflow("desk", takes=Task)
        noted = flow.step(lambda input: f"{input.request}: " + "x" * 5000, name="note")
        flow.step(self.clerk, input={"request": flow.input.request}, name="write", failure="collect")
        asked = flow.ask("may it be sent?", choices=["yes", "no"], name="approve")
        flow.step(lambda note, answer: f"{note[:5]} {answer}", name="send", input={"note": noted, "answer": asked})
        self.team = Team("desk", {}, flow.graph(), Resources("default", path.parent, None))
        self.team._agents = {"clerk": self.clerk}  # type: ignore[dict-item]

    @property
    def flow(self) -> Workflow:
        return self.team.workflow

    def waits(self, run: str = "r") -> None:
        """Have a run wait for approval, with one dead letter."""
        assert self.flow.run_sync(Task(request="a"), journal=self.path, run_id=run).status == "waiting"

    def completes(self, run: str) -> None:
        self.waits(run)
        self.flow.resume_sync(run, journal=self.path, answers={"approve": "yes"})

    def __call__(self, *words: str) -> Done:
        done = CliRunner().invoke(app, [*words, "--journal", str(self.path)], env={"COLUMNS": "150"})
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    def told(self, *words: str, exit_code: int = 0) -> Any:
        done = self(*words, "--json")
        assert done.exit_code == exit_code, done.output
        return json.loads(done.stdout)

    def statuses(self) -> dict[str, str]:
        return {run["run"]: run["status"] for run in self.told("runs", "list")["runs"]}

    def rows(self) -> list[Any]:
        with Journal(self.path) as journal:
            return journal._db.execute("SELECT * FROM events ORDER BY run, number").fetchall()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(tmp_path / "j.db")
    monkeypatch.setattr(Team, "load", classmethod(lambda kind, path, backbone=None, allow=(): made.team))
    return made


def letters(desk: Desk, run: str = "r") -> list[KeptLetter]:
    with Journal(desk.path) as journal:
        return kept_letters(journal, run)


def test_list_tells_waiting_from_drained_and_completed(desk: Desk) -> None:
    drain = Drain()
    drain.request()
    desk.waits("asks")
    desk.completes("done")
    desk.flow.run_sync(Task(request="a"), journal=desk.path, run_id="stopped", drain=drain)
    assert desk.statuses() == {"asks": "waiting", "done": "completed", "stopped": "interrupted"}
    lines = {line.split("│")[0].strip(): line for line in desk("runs", "list").stdout.splitlines()}
    assert "waiting" in lines["asks"] and "interrupted" in lines["stopped"] and "completed" in lines["done"]


def test_a_dead_letter_is_listed_and_sent_again(desk: Desk) -> None:
    desk.waits()
    (letter,) = desk.told("runs", "dead", "r")["letters"]
    assert (letter["to"], letter["reason"]) == ("clerk", "handler failed")
    assert letter["cause"] == "OSError: the printer is off"
    assert letter["message"] == {"request": "a", "given": []} and letter["key"] == "r/write/1" and not letter["sent"]
    assert "the printer is off" in desk("runs", "dead", "r").stdout
    number = str(letter["number"])

    failed = desk("runs", "dead", "r", "--send", number, "--team", "team.yaml")
    assert failed.exit_code == 1 and "it died again: " in failed.stderr and "the printer is off" in failed.stderr
    assert "the printer is off" in desk.told("runs", "dead", "r")["letters"][0]["sent"]
    desk.clerk.out_of_order = False
    told = desk.told("runs", "dead", "r", "--send", number, "--team", "team.yaml")
    assert told["number"] == letter["number"] and told["output"]["answer"] == "a!"
    assert desk.told("runs", "dead", "r")["letters"][0]["sent"] == "answered"
    assert desk.clerk.keys == ["r/write/1"] * 3, "sent again under another key"
    assert "a!" in desk("runs", "dead", "r", "--send", number, "--team", "team.yaml").stdout

    # The run itself is as it was: it waits, and goes on.
    assert desk.statuses() == {"r": "waiting"}
    assert desk.told("runs", "show", "r")["status"] == "waiting"
    assert desk.told("resume", "team.yaml", "r", "--answer", "approve=yes")["status"] == "completed"
    desk.completes("quiet")
    desk.clerk.out_of_order = False
    assert "has no dead letters" in desk("runs", "dead", "quiet").stdout


def test_what_came_of_a_letter_is_in_the_journal(desk: Desk) -> None:
    desk.completes("r")
    with Journal(desk.path) as journal:
        (letter,) = kept_letters(journal, "r")
        with pytest.raises(DeliveryError, match="the printer is off"):
            asyncio.run(send_again(journal, "r", letter.number, desk.flow.agents))
        desk.clerk.out_of_order = False
        answer = asyncio.run(send_again(journal, "r", letter.number, desk.flow.agents))
        assert answer == Finding(answer="a!")
        dead, sent = journal.events("r")[-2:]
        assert isinstance(dead, LetterSent) and dead.answer is None and "the printer is off" in str(dead.error)
        assert isinstance(sent, LetterSent) and (sent.number, sent.answer, sent.error) == (letter.number, answer, None)
        assert kept_letters(journal, "r") == [replace(letter, sent=sent)]
        with pytest.raises(WorkflowError, match=rf"run r has no dead letter 0; there is: {letter.number}"):
            asyncio.run(send_again(journal, "r", 0, desk.flow.agents))
        with pytest.raises(WorkflowError, match="there is no agent 'clerk'; there is: porter"):
            asyncio.run(send_again(journal, "r", letter.number, {"porter": desk.clerk}))
        assert len(journal.events("r")) == journal.next_number("r")
    assert desk.flow.resume_sync("r", journal=desk.path).status == "completed"


def test_an_exported_run_is_the_same_run_elsewhere(desk: Desk, tmp_path: Path) -> None:
    desk.completes("r")
    assert desk("runs", "export", "r", "--out", str(tmp_path / "r.jsonl")).exit_code == 0
    text = (tmp_path / "r.jsonl").read_text(encoding="utf-8")
    assert desk("runs", "export", "r").stdout == text
    lines = [json.loads(line) for line in text.splitlines()]
    assert desk.told("runs", "export", "r") == {"run": "r", "events": lines}
    events = [event_from_json(line["kind"], line["body"], line["version"]) for line in lines]
    with Journal(desk.path) as journal, Journal(tmp_path / "other.db") as other:
        assert events == journal.events("r") and [line["number"] for line in lines] == list(range(len(events)))
        other.append("r", 0, events)
        assert desk.flow.replay("r", journal=other) == desk.flow.replay("r", journal=journal)
    assert "there is no run 'nope'" in desk.told("runs", "export", "nope", exit_code=2)["error"]["what"]


def test_compact_keeps_what_a_run_is_asked_for(desk: Desk) -> None:
    for number in range(12):
        desk.completes(f"r{number}")
    desk.waits("open")
    before = {run: desk.told("replay", "team.yaml", run) for run in ("r3", "r4")}
    with Journal(desk.path) as journal:
        unfinished = journal.events("open")
    assert desk.told("runs", "compact", "--older-than", "1")["runs"] == []
    assert desk.told("runs", "compact", "r3", "nope", exit_code=2)["error"]["what"] == "there is no run 'nope'"
    alone = desk.told("runs", "compact", "r3", "open")
    assert alone["runs"] == ["r3"] and alone["events"] == 6, "RunSuspended, RunResumed, three steps, an answer"
    told = desk.told("runs", "compact", "--older-than", "0")
    assert len(told["runs"]) == 12 and told["events"] == 11 * 6
    assert told["bytes"][1] == desk.path.stat().st_size < told["bytes"][0] / 3
    for run in before:
        after = desk.told("replay", "team.yaml", run)
        assert (after["status"], after["output"]) == (before[run]["status"], before[run]["output"])
        shown = desk.told("runs", "show", run)
        assert shown["input"] == {"request": "a", "given": []} and shown["output"] == after["output"]
        assert desk.told("resume", "team.yaml", run)["output"] == after["output"]
        (letter,) = letters(desk, run)
        desk.clerk.out_of_order = False
        assert desk.told("runs", "dead", run, "--send", str(letter.number), "--team", "t")["output"]["answer"] == "a!"
    with Journal(desk.path) as journal:
        assert journal.compact(["open", "nope"]) == 0 and journal.events("open") == unfinished
        kinds = [type(event) for event in journal.events("r5")]
        assert kinds[1:] == [LetterDied, RunFinished]
        assert journal.accepted("r5").input == Task(request="a")
    assert desk.told("resume", "team.yaml", "open", "--answer", "approve=no")["status"] == "completed"


def test_replay_shows_a_run_and_computes_nothing(desk: Desk) -> None:
    desk.waits()
    keys, rows = list(desk.clerk.keys), desk.rows()
    shown = desk.told("replay", "team.yaml", "r")
    assert shown["status"] == "running" and [ask["step"] for ask in shown["questions"]] == ["approve"]
    resumed = desk.told("resume", "team.yaml", "r", "--answer", "approve=yes")
    assert desk.told("replay", "team.yaml", "r") == resumed
    assert desk.clerk.keys == keys and len(desk.rows()) > len(rows)
    desk.team._graph = replace(desk.team._graph, limits=Limits(messages=9))
    for words in (("replay", "t", "r"), ("resume", "t", "r"), ("fork", "t", "r")):
        assert "the workflow was changed" in desk.told(*words, exit_code=2)["error"]["what"]
    assert desk.told("resume", "t", "r", "--changed")["output"] == resumed["output"]


MISTAKES: dict[str, list[str]] = {
    "no value": ["resume", "t", "r", "--answer", "approve"],
    "no step": ["resume", "t", "r", "--answer", "=yes"],
    "not a choice": ["resume", "t", "r", "--answer", "approve=perhaps"],
    "no such question": ["resume", "t", "r", "--answer", "send=yes"],
    "broken JSON": ["resume", "t", "r", "--answer", 'approve={"a": '],
    "JSON that is too deep": ["resume", "t", "r", "--answer", "approve=" + "[" * 100_000],
    "too long a number": ["resume", "t", "r", "--answer", 'approve={"a": ' + "9" * 5000 + "}"],
    "a missing file": ["resume", "t", "r", "--answer", "approve=@nowhere.json"],
    "an unknown run": ["resume", "t", "nope", "--answer", "approve=yes"],
    "fork: an unknown run": ["fork", "t", "nope"],
    "fork: no such step": ["fork", "t", "r", "--step", "nope"],
    "fork: no such visit": ["fork", "t", "r", "--step", "note", "--visit", "2"],
    "fork: message and output": ["fork", "t", "r", "--step", "note", "--message", "a", "--output", "b"],
    "fork: an output of the whole": ["fork", "t", "r", "--output", "b"],
    "fork: fields that do not fit": ["fork", "t", "r", "--message", '{"text": "a"}'],
    "fork: an id that is taken": ["fork", "t", "r", "--run-id", "r"],
    "replay: an unknown run": ["replay", "t", "nope"],
    "letter: nobody to send it to": ["runs", "dead", "r", "--send", "2"],
    "letter: no such number": ["runs", "dead", "r", "--send", "99", "--team", "t"],
    "letter: an unknown run": ["runs", "dead", "nope"],
    "show: an id that is no text": ["runs", "show", "\udcff"],
    "compact: nothing is named": ["runs", "compact"],
}


@pytest.mark.parametrize("words", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_sentence_and_changes_nothing(desk: Desk, words: list[str]) -> None:
    desk.waits()
    rows, keys = desk.rows(), list(desk.clerk.keys)
    done = desk(*words)
    assert done.exit_code == 2 and done.stderr.startswith("error: ") and len(done.stderr.strip().splitlines()) == 1
    assert desk.told(*words, exit_code=2)["error"]["what"] in done.stderr
    assert desk.rows() == rows and desk.clerk.keys == keys


def test_an_answer_ends_the_run(desk: Desk, tmp_path: Path) -> None:
    desk.waits()
    waiting = desk("resume", "team.yaml", "r")
    assert waiting.exit_code == 0 and f"--journal {desk.path} --answer approve=…" in waiting.stderr
    (tmp_path / "answer.json").write_text('"no"', encoding="utf-8")
    told = desk.told("resume", "team.yaml", "r", "--answer", f"approve=@{tmp_path / 'answer.json'}")
    assert (told["status"], told["output"]) == ("completed", {"value": "a: xx no"})


def test_a_fork_goes_its_own_way(desk: Desk) -> None:
    desk.completes("r")
    before = letters(desk), desk.told("replay", "team.yaml", "r")
    other = desk.told("fork", "team.yaml", "r", "--step", "approve", "--output", "no", "--run-id", "other")
    assert (other["run"], other["status"], other["output"]["value"]) == ("other", "completed", "a: xx no")
    assert desk.clerk.keys == ["r/write/1"], "what is shared was done again"
    noted = desk.told("fork", "team.yaml", "r", "--step", "note", "--output", '"b: yy"', "--run-id", "noted")
    assert noted["status"] == "waiting" and desk.clerk.keys[1:] == ["noted/write/1"]
    whole = desk.told("fork", "team.yaml", "r", "--message", "c", "--run-id", "whole")
    assert whole["status"] == "waiting" and sorted(desk.statuses()) == ["noted", "other", "r", "whole"]
    for run, value in {"noted": "b: yy yes", "whole": "c: xx yes"}.items():
        assert desk.told("resume", "team.yaml", run, "--answer", "approve=yes")["output"] == {"value": value}
    assert (letters(desk), desk.told("replay", "team.yaml", "r")) == before


def test_a_letter_that_the_terminal_lacks_is_shown_by_its_number(tmp_path: Path, command: Command) -> None:
    """JSON may hold half of a surrogate pair, which no terminal can print; a plain one lacks most letters."""
    flow, path = Workflow("w"), tmp_path / "j.db"
    flow.step(lambda value: value, name="same")
    flow.run_sync("é\ud800", journal=path, run_id="r")
    for encoding in ("utf-8", "ascii"):
        told = command("runs", "show", "r", "--json", "--journal", path, env={"PYTHONIOENCODING": encoding})
        assert told.returncode == 0 and json.loads(told.stdout)["output"] == {"value": "é\ud800"}
    shown = command("runs", "show", "r", "--journal", path)
    assert shown.returncode == 0 and "\\ud800" in shown.stdout and not shown.stderr
