"""The journal: durable, append-only, and clear when it cannot be."""

import sqlite3
from pathlib import Path

import pytest

from understudy.agents.messages import MessageError, Task
from understudy.workflows.events import Event, RunAccepted, RunFinished, RunResumed, StepFinished
from understudy.workflows.journal import SCHEMA, Journal, JournalError, RunSummary


def accepted(run: str = "r", at: float = 1.0) -> Event:
    return RunAccepted(at, run, "w", {}, "x")


def test_what_was_appended_is_there_for_another_reader(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.db"
    events = [accepted(), StepFinished(2.0, "a", 1, None, None, "é\ud800", 0.1)]
    with Journal(path) as writer, Journal(path) as reader:
        writer.append("r", 0, events[:1])
        assert reader.events("r") == events[:1]
        writer.append("r", 1, events[1:])
        assert reader.events("r") == events
        assert writer.accepted("r") == events[0]


def test_runs_are_listed_newest_first() -> None:
    with Journal() as journal:
        journal.append("old", 0, [accepted("old"), RunFinished(2.0, "partial", {})])
        journal.append("new", 0, [accepted("new", 5.0)])
        assert journal.runs() == [
            RunSummary("new", "w", "open", 5.0, None, 1),
            RunSummary("old", "w", "partial", 1.0, 2.0, 2),
        ]


def test_a_second_driver_of_the_same_run_is_refused(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db") as one, Journal(tmp_path / "j.db") as two:
        one.append("r", 0, [accepted()])
        two.append("r", 1, [RunResumed(2.0)])
        with pytest.raises(JournalError, match="driven by another process"):
            one.append("r", 1, [RunResumed(3.0), RunResumed(4.0)])
        assert len(one.events("r")) == 2
        one.append("r", 2, [RunResumed(3.0)])  # the refusal leaves no transaction open
        assert len(two.events("r")) == 3


def test_what_cannot_be_kept_is_refused_and_nothing_is_written() -> None:
    with Journal() as journal:
        journal.append("r", 0, [accepted()])
        with pytest.raises(MessageError, match="type object"):
            journal.append("r", 1, [RunResumed(1.0), StepFinished(2.0, "a", 1, None, None, object(), 0.1)])
        assert len(journal.events("r")) == 1


def test_a_reader_without_the_types_sees_plain_values() -> None:
    with Journal() as journal:
        journal.append("r", 0, [RunAccepted(1.0, "r", "w", {}, [Task(request="x")])])
        body = '{"at":2.0,"step":"a","visit":1,"index":null,"agent":null,"output":{"$type":"Lost","x":[1]},"seconds":1}'
        row = ("r", 1, 2.0, "StepFinished", 1, body)
        journal._db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", row)
        with pytest.raises(JournalError, match="event 1 of run r cannot be read: there is no message type 'Lost'"):
            journal.events("r")
        first, second = journal.events("r", plain=True)
    assert isinstance(first, RunAccepted) and first.input == [{"request": "x", "given": []}]
    assert isinstance(second, StepFinished) and second.output == {"x": [1]}


def test_an_unknown_run_says_so() -> None:
    with Journal() as journal, pytest.raises(JournalError, match="there is no run 'nope'"):
        journal.events("nope")


def test_a_broken_row_is_named() -> None:
    with Journal() as journal:
        journal.append("r", 0, [accepted(), RunResumed(1.0)])
        for body in ("{not json", "{}"):
            journal._db.execute("UPDATE events SET body = ? WHERE number = 1", (body,))
            with pytest.raises(JournalError, match="event 1 of run r is broken"):
                journal.events("r")


def test_other_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("no database at all, but long enough to be looked at as one\n" * 40, encoding="utf-8")
    with pytest.raises(JournalError, match="cannot open the journal"):
        Journal(text)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE mine (x)")
    with pytest.raises(JournalError, match="an SQLite file, but no journal"):
        Journal(other)
    with pytest.raises(JournalError, match="cannot open"):
        Journal(tmp_path)
    with pytest.raises(JournalError, match="synchronous is 'off'"):
        Journal(synchronous="off")


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db") as journal:
        journal._db.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    with pytest.raises(JournalError, match=f"a journal of version {SCHEMA + 1}, newer than {SCHEMA}"):
        Journal(tmp_path / "j.db")


def test_the_file_is_synchronised_and_in_wal_mode(tmp_path: Path) -> None:
    with Journal(tmp_path / "j.db") as journal:
        assert journal._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)
