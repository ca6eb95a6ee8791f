"""Damaged files: a full disk, a folder that cannot be written, a torn log, a broken page, a broken row.

Each time a JournalError names the file and what is wrong, what was committed stays, and the run goes on once it can.
"""

import inspect
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from understudy.cli import app
from understudy.workflows.events import Event, RunAccepted, RunFinished, StepFinished
from understudy.workflows.flow import Workflow
from understudy.workflows.journal import Journal, JournalError
from understudy.workflows.runtime import effect_key

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = 4096
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL and no limit of a file's size")


def desk(effects: list[str]) -> Workflow:
    """Eight effects in ten commits; every output is as large as a page."""

    def noted(value: Any) -> Any:
        effects.append(effect_key())
        return value

    made = Workflow("desk")
    numbers = made.step(lambda value: noted([value + one for one in range(6)]), name="numbers")
    made.each(numbers, do=lambda number: noted(str(number) * 4000), name="texts", at_once=1)
    made.step(lambda texts: noted([len(text) for text in texts]), name="lengths")
    return made


ANSWER = [4000] * 6
KEYS = ["r/numbers/1", *(f"r/texts/1/{index}" for index in range(6)), "r/lengths/1"]

CHILD = f"""
import os, resource, signal, sys
from typing import Any
from understudy.workflows.flow import Workflow
from understudy.workflows.journal import Journal, JournalError
from understudy.workflows.runtime import effect_key

{inspect.getsource(desk)}
"""


def child(code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CHILD + code, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)


def kept(journal: Journal, run: str = "r") -> list[Event]:
    return journal.events(run) if journal.next_number(run) else []


@pytest.mark.parametrize("room", [0, 1, 2, 4, 6])
def test_a_full_disk_stops_a_run_that_goes_on_when_there_is_room(tmp_path: Path, room: int) -> None:
    effects: list[str] = []
    path = tmp_path / "j.db"
    with Journal(path) as journal:
        (pages,) = journal._db.execute("PRAGMA page_count").fetchone()
        journal._db.execute(f"PRAGMA max_page_count = {pages + room}")
        with pytest.raises(JournalError, match=r"j\.db: cannot write: .*full"):
            desk(effects).run_sync(1, journal=journal, run_id="r", team="x" * PAGE)
        before = kept(journal)
        assert (not before) == (room == 0)
        assert before or not effects, "an effect began before the run was accepted"
        recorded = [event for event in before if isinstance(event, StepFinished)]
        assert len(effects) <= len(recorded) + 1, "an effect began after one that could not be recorded"
        with pytest.raises(JournalError, match="full"):
            journal.append("other", 0, [RunAccepted(1.0, "other", "w", {}, "x" * 20 * PAGE)])
        assert not journal.next_number("other") and kept(journal) == before
        journal._db.execute("PRAGMA max_page_count = 1000000")
        if before:
            result = desk(effects).resume_sync("r", journal=journal)
            assert kept(journal)[: len(before)] == before
            assert len(effects) - len(set(effects)) <= 1, "a recorded effect was done again"
        else:
            result = desk(effects).run_sync(1, journal=journal, run_id="r")
        assert (result.status, result.value) == ("completed", ANSWER) and set(effects) == set(KEYS)


@POSIX
def test_a_disk_that_refuses_in_the_midst_of_a_write(tmp_path: Path) -> None:
    """The kernel cuts a write off at a limit of the file's size, as a disk does that is full."""
    done = child(
        """
path, effects = sys.argv[1], []
Journal(path).close()
most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
for size in range(34_000, 68_000, 3_000):
    run = f"r{size}"
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        desk(effects).run_sync(1, journal=path, run_id=run)
        raise SystemExit("it was not refused")
    except JournalError as error:
        assert path in str(error), error
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    with Journal(path) as journal:
        begun = journal.next_number(run)
        again = desk(effects)
        result = again.resume_sync(run, journal=journal) if begun else again.run_sync(1, journal=journal, run_id=run)
        assert result.value == [4000] * 6, result
        for other in journal.runs():
            assert other.status == "completed" and journal.events(other.run), other
        journal.compact([one.run for one in journal.runs()])
print("all went on")
""",
        tmp_path / "j.db",
    )
    assert done.stdout == "all went on\n", done.stderr


PLACES = ["a file/j.db", "a folder", "locked/j.db", *(["/proc/understudy/j.db"] if sys.platform == "linux" else [])]


@pytest.mark.parametrize("place", PLACES)
def test_where_nothing_can_be_written_no_effect_begins(tmp_path: Path, place: str) -> None:
    (tmp_path / "a file").touch()
    (tmp_path / "a folder").mkdir()
    (tmp_path / "locked" / "j.db-lock").mkdir(parents=True)  # a folder where the file of the locks should be
    effects: list[str] = []
    path = tmp_path / place
    with pytest.raises(JournalError, match="cannot (open|lock)") as refused:
        desk(effects).run_sync(1, journal=path, run_id="r")
    assert str(refused.value.where).startswith(str(path.resolve())) and not effects


def test_a_folder_without_the_right_to_write(tmp_path: Path) -> None:
    effects: list[str] = []
    path = tmp_path / "folder" / "j.db"
    desk(effects).run_sync(1, journal=path, run_id="r")
    content = path.read_bytes()
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        if os.access(path.parent, os.W_OK):
            pytest.skip("this user may write everywhere")
        for journal in (path, path.with_name("new.db")):
            with pytest.raises(JournalError, match=journal.name):
                desk(effects).run_sync(1, journal=journal, run_id="another")
        assert len(effects) == len(KEYS) and path.read_bytes() == content
    finally:
        path.parent.chmod(0o755)
    path.chmod(0o644)
    assert desk(effects).run_sync(1, journal=path, run_id="another").value == ANSWER


@POSIX
def test_a_torn_log_keeps_a_prefix_and_the_run_goes_on(tmp_path: Path) -> None:
    """Cut anywhere, or with rubbish behind the cut, the log gives the commits before it, and no other error."""
    killed = child(
        """
journal = Journal(sys.argv[1])
desk([]).run_sync(1, journal=journal, run_id="r")
os.kill(os.getpid(), signal.SIGKILL)
""",
        tmp_path / "j.db",
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    log = (tmp_path / "j.db-wal").read_bytes()
    frames = range(32, len(log) + 1, 24 + PAGE)
    chance = random.Random(0)
    cuts = {0, 1, 31, len(log)} | {frame + off for frame in frames for off in (-1, 0, 1, 23, 24)}
    cuts |= {chance.randrange(len(log)) for _ in range(20)}
    counts = []
    everything: list[Event] | None = None
    for number, cut in enumerate(sorted((cut for cut in cuts if 0 <= cut <= len(log)), reverse=True)):
        path = tmp_path / str(number) / "j.db"
        path.parent.mkdir()
        shutil.copy(tmp_path / "j.db", path)
        rubbish = chance.randbytes(6000) if number % 2 else b""
        path.with_name("j.db-wal").write_bytes(log[:cut] + rubbish)
        effects: list[str] = []
        with Journal(path, synchronous="normal") as journal:
            found = kept(journal)
            everything = everything or found
            assert found == everything[: len(found)]
            counts.append(len(found))
            if found:
                result = desk(effects).resume_sync("r", journal=journal)
            else:
                with pytest.raises(JournalError, match="there is no run 'r'"):
                    desk(effects).resume_sync("r", journal=journal)
                result = desk(effects).run_sync(1, journal=journal, run_id="r")
            assert (result.status, result.value) == ("completed", ANSWER)
        assert effects == KEYS[sum(isinstance(event, StepFinished) for event in found) :]
        shutil.rmtree(path.parent)
    assert everything is not None and isinstance(everything[-1], RunFinished)
    assert counts == sorted(counts, reverse=True) and set(counts) == set(range(len(everything) + 1))


def test_a_broken_page_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    """Whatever page is lost, what can still be read is what was written, and reading changes nothing."""
    path, broken = tmp_path / "j.db", tmp_path / "broken.db"
    runs = [f"run{number}" for number in range(12)]

    reads: list[Callable[[Journal], object]] = [
        Journal.runs, *(partial(Journal.events, run=run) for run in runs),
        *(lambda book, run=run: list(book.exported(run)) for run in runs),
    ]  # fmt: skip
    with Journal(path) as journal:
        for run in runs:
            journal.append(run, 0, [RunAccepted(1.0, run, "w", {}, "x" * 1500), RunFinished(2.0, "completed", {})])
        whole = [read(journal) for read in reads]
        (index,) = journal._db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'milestones'").fetchone()

    def refused() -> int:
        count = 0
        with Journal(broken) as book:
            for read, before in zip(reads, whole, strict=True):
                try:
                    assert read(book) == before
                except JournalError as error:
                    assert str(error).startswith(f"{broken}: ")
                    count += 1
        return count

    content = path.read_bytes()
    for page, damage in product(range(len(content) // PAGE), (b"\0", b"\xff", b"\x0d")):
        damaged = content[: page * PAGE] + damage * PAGE + content[(page + 1) * PAGE :]
        broken.write_bytes(damaged)
        if page == 0:
            with pytest.raises(JournalError, match="broken.db: cannot open the journal"):
                Journal(broken)
        else:
            assert refused() or page == index - 1, f"page {page} was lost, and nobody told"
        assert broken.read_bytes() == damaged
    broken.write_bytes(content[: len(content) // 2])
    done = CliRunner().invoke(app, ["runs", "show", "run3", "--journal", str(broken)])
    assert done.exit_code == 2 and f"error: {broken}: cannot " in done.stderr


STEP = '{"at": 1, "step": "numbers", "visit": 1, "index": null, "agent": null, "seconds": 1, "output": %s}'
ROWS = {
    "no JSON": ("body", "{broken", "is broken"),
    "no text": ("body", b"\xff\xfe", "is broken"),
    "nested too deeply": ("body", "[" * 200_000, "is broken"),
    "another value": ("body", "[1]", "is broken"),
    "a field is missing": ("body", '{"at": 1.0}', "is broken"),
    "the wrong kind": ("kind", "RunResumed", "is broken"),
    "an unknown kind": ("kind", "Dreamed", "cannot be read: an event 'Dreamed'"),
    "a version to come": ("version", 99, "cannot be read: an event 'StepFinished' of version 99"),
    "an unknown message": ("body", STEP % '{"$type": "Lost"}', "cannot be read: there is no message type 'Lost'"),
    "a broken message": ("body", STEP % '{"$type": "Task"}', "cannot be read: request: Field required"),
}
NOT_EVEN_JSON = ("no JSON", "no text", "nested too deeply")


@pytest.mark.parametrize("name", ROWS)
def test_a_broken_row_is_named_and_nothing_is_done(tmp_path: Path, name: str) -> None:
    column, value, what = ROWS[name]
    effects: list[str] = []
    with Journal(tmp_path / "j.db", synchronous="normal") as journal:
        desk(effects).run_sync(1, journal=journal, run_id="r")
        desk([]).run_sync(1, journal=journal, run_id="whole")
        journal._db.execute("DELETE FROM events WHERE run = 'r' AND number > 4")
        before, effects[:] = journal.events("r"), []
        (good,) = journal._db.execute(f"SELECT {column} FROM events WHERE run = 'r' AND number = 1").fetchone()
        change = f"UPDATE events SET {column} = ? WHERE run = 'r' AND number = 1"
        journal._db.execute(change, (value,))
        for read in (journal.events, journal.accepted, lambda run: desk(effects).resume_sync(run, journal=journal)):
            with pytest.raises(JournalError, match=rf"j\.db: event 1 of run r {what}"):
                read("r")
        if name in NOT_EVEN_JSON:
            with pytest.raises(JournalError, match="event 1 of run r is broken"):
                list(journal.exported("r"))
        else:
            assert [line["number"] for line in journal.exported("r")] == [0, 1, 2, 3, 4]
        assert {run.run: run.status for run in journal.runs()} == {"r": "open", "whole": "completed"}
        assert journal.next_number("r") == 5 and not effects, "it was driven from a broken record"
        assert desk([]).resume_sync("whole", journal=journal).value == ANSWER
        journal._db.execute(change, (good,))
        assert journal.events("r") == before
        assert desk(effects).resume_sync("r", journal=journal).value == ANSWER
        assert effects == KEYS[4:]
