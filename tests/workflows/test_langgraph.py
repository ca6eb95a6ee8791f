"""LangGraph's checkpoints in a journal: what LangGraph asks of a checkpointer, and what the journal adds."""

from __future__ import annotations

import sqlite3
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

pytest.importorskip("langgraph.checkpoint.conformance")

from langgraph.checkpoint.base import Checkpoint, CheckpointTuple, create_checkpoint, empty_checkpoint  # noqa: E402
from langgraph.checkpoint.conformance.capabilities import Capability  # noqa: E402
from langgraph.checkpoint.conformance.initializer import RegisteredCheckpointer  # noqa: E402
from langgraph.checkpoint.conformance.validate import validate  # noqa: E402

from understudy.workflows.events import Event, RunResumed  # noqa: E402
from understudy.workflows.journal import Journal, JournalConflict, JournalError  # noqa: E402
from understudy.workflows.langgraph import PREFIX, REMEMBERED, JournalSaver  # noqa: E402

Config = dict[str, Any]


def thread(name: str = "t", checkpoint_id: str | None = None, namespace: str = "") -> Config:
    where = {"thread_id": name, "checkpoint_ns": namespace}
    return {"configurable": where | ({"checkpoint_id": checkpoint_id} if checkpoint_id else {})}


def checkpoint(values: dict[str, Any], versions: dict[str, Any]) -> Checkpoint:
    made = create_checkpoint(empty_checkpoint(), None, 0)
    return {**made, "channel_values": values, "channel_versions": versions}


def put(
    saver: JournalSaver, config: Config, values: dict[str, Any], versions: dict[str, Any], *new: str, **metadata: Any
) -> Config:
    """Put a checkpoint in which the channels ``new`` have changed; of none, all have."""
    changed = {name: version for name, version in versions.items() if not new or name in new}
    return saver.put(config, checkpoint(values, versions), {"source": "loop", "step": 0, **metadata}, changed)


def tuples(saver: JournalSaver, config: Config | None = None) -> list[CheckpointTuple]:
    return list(saver.list(config))


def values(saver: JournalSaver, config: Config | None = None) -> dict[str, Any]:
    found = saver.get_tuple(config or thread())
    assert found is not None
    return found.checkpoint["channel_values"]


def traces(secret: str) -> list[bytes]:
    """What is to be found where ``secret`` lies as it is, or inside something in base64, at any phase."""
    inside = [b64encode(b" " * phase + secret.encode())[4 * (phase > 0) : -4] for phase in range(3)]
    return [secret.encode(), *inside]


def rows_with(path: Path, secret: str) -> int:
    """In how many rows of any table ``secret`` is to be found."""
    with sqlite3.connect(path) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        rows = [repr(row).encode() for table in tables for row in db.execute(f"SELECT * FROM {table}")]
    db.close()
    return sum(any(trace in row for trace in traces(secret)) for row in rows)


def before_next(saver: JournalSaver, method: str, act: Callable[[], object]) -> None:
    """Have ``act`` happen between the saver's reading and its next writing by ``method``, as another process may."""
    write, acts = getattr(saver._store, method), [act]

    def late(*arguments: Any) -> None:
        if acts:
            acts.pop()()
        write(*arguments)

    setattr(saver._store, method, late)


async def test_langgraphs_own_suite_passes(tmp_path: Path) -> None:
    async def fresh() -> AsyncIterator[JournalSaver]:
        with JournalSaver(tmp_path / f"{uuid4()}.journal") as saver:
            yield saver

    report = await validate(RegisteredCheckpointer("JournalSaver", fresh))
    assert set(report.results) == {capability.value for capability in Capability}
    wrong = {name: one.failures or "not found" for name, one in report.results.items() if one.passed is not True}
    assert not wrong, wrong
    assert all(one.detected and one.tests_passed and not one.tests_skipped for one in report.results.values())


def test_a_file_opened_again_gives_the_same_tuples(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with JournalSaver(path) as saver:
        config, version = thread(), None
        for step in range(4):
            version = saver.get_next_version(version, None)
            # "gone" has a version and no value; "$type" is a name that the journal's own JSON uses.
            known = {"a": {"n": [step, b"\0"]}, "$type": None}
            config = put(saver, config, known, {"a": version, "$type": 1.5, "gone": version}, step=step)
            saver.put_writes(config, [("a", step), ("__error__", "é")], f"task {step}", "path")
        put(saver, thread("other", namespace="child:1"), {"b": [1]}, {"b": 1})
        before, latest = tuples(saver), saver.get_tuple(thread())
    with JournalSaver(path) as saver:
        assert tuples(saver) == before and len(before) == 5
        assert saver.get_tuple(thread()) == latest == before[1]
        assert latest is not None and latest.parent_config == before[2].config
        assert latest.checkpoint["channel_values"] == {"a": {"n": [3, b"\0"]}, "$type": None}
        assert latest.checkpoint["channel_versions"] == {"a": version, "$type": 1.5, "gone": version}
        assert latest.pending_writes == [("task 3", "__error__", "é"), ("task 3", "a", 3)]


def test_a_channel_is_written_once_per_version(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with JournalSaver(path) as saver:
        config = put(saver, thread(), {"long": "the first history", "n": 0}, {"long": 1, "n": 0})
        for step in range(1, 5):
            config = put(saver, config, {"long": "the first history", "n": step}, {"long": 1, "n": step}, "n")
        put(
            saver, config, {"long": "the first history", "n": 4}, {"long": 1, "n": 4}
        )  # says that all is new, and it is not
        assert [one.checkpoint["channel_values"]["long"] for one in saver.list(thread())] == ["the first history"] * 6
        assert rows_with(path, "the first history") == 1
        put(saver, config, {"long": "another history", "n": 4}, {"long": 1, "n": 4})  # the same version, another value
        assert [one.checkpoint["channel_values"]["long"] for one in saver.list(thread(), limit=2)] == [
            "another history",
            "the first history",
        ]
        saver.copy_thread("t", "copy")
        assert rows_with(path, "the first history") == 2
        saver.put_writes(config, [("long", "written by a task")], "task")
        saver.put_writes(config, [("long", "written by a task")], "task")
        assert rows_with(path, "written by a task") == 1


def test_only_new_notes_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "j.db"
    with JournalSaver(path) as saver, JournalSaver(path) as other:
        for step in range(20):
            put(saver, thread(), {"a": step}, {"a": step})
        assert values(other) == {"a": 19}
        read: list[int] = []
        events = Journal.events

        def counted(journal: Journal, run: str, **options: Any) -> list[Event]:
            found = events(journal, run, **options)
            read.append(len(found))
            return found

        monkeypatch.setattr(Journal, "events", counted)
        put(saver, thread(), {"a": 20}, {"a": 20})
        del read[:]
        assert values(other) == {"a": 20} and len(tuples(other, thread())) == 21
        assert read == [2, 1]  # the last that it knew and the new one; then nothing new


def test_threads_beyond_those_remembered_are_read_again() -> None:
    with JournalSaver() as saver:
        for number in range(REMEMBERED + 3):
            put(saver, thread(f"{number}"), {"a": number}, {"a": 1})
        assert len(saver._threads) == REMEMBERED
        assert values(saver, thread("0")) == {"a": 0}
        assert len(tuples(saver)) == REMEMBERED + 3


def test_a_deleted_thread_leaves_no_trace(tmp_path: Path) -> None:
    path, secrets = tmp_path / "j.db", ["hidden value", "hidden write", "hidden thread", "hidden channel"]
    with JournalSaver(path) as saver, JournalSaver(path) as other:
        put(saver, thread(), {"a": "kept"}, {"a": 1})
        for step in range(40):
            large = {"a": "hidden value" * 200, "hidden channel": step}
            config = put(saver, thread("hidden thread"), large, {"a": step, "hidden channel": step})
            saver.put_writes(config, [("a", "hidden write")], "task")
        assert other.get_tuple(config) is not None
        assert all(rows_with(path, secret) for secret in secrets)
        saver.delete_thread("hidden thread")
        assert not any(rows_with(path, secret) for secret in secrets)
        files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        assert not [secret for secret in secrets if any(trace in files for trace in traces(secret))]
        assert other.get_tuple(config) is None and len(tuples(other)) == 1  # it had remembered the thread
        put(other, config, {"a": "new"}, {"a": 39}, "nothing has changed")
        assert values(saver, thread("hidden thread")) == {"a": "new"}


def test_what_is_taken_out_of_a_thread_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with JournalSaver(path) as saver, JournalSaver(path) as other:
        config = put(saver, thread(), {"a": "hidden value", "b": "shared value"}, {"a": 1, "b": 1}, run_id="one")
        saver.put_writes(config, [("a", "hidden write")], "task")
        config = put(saver, config, {"a": "the later value", "b": "shared value"}, {"a": 2, "b": 1}, "a", run_id="two")
        put(saver, config, {"a": "last", "b": "shared value"}, {"a": 3, "b": 1}, "a", run_id="three")
        saver.put_writes(thread(checkpoint_id="9 which is to come"), [("a", 1)], "task")
        assert len(tuples(other)) == 3
        saver.delete_for_runs(["one"])
        assert rows_with(path, "hidden value") == rows_with(path, "hidden write") == 0
        assert rows_with(path, "shared value") == 1
        for one in (saver, other):
            assert [found.checkpoint["channel_values"] for found in one.list(thread())] == [
                {"a": "last", "b": "shared value"},
                {"a": "the later value", "b": "shared value"},
            ]
        other.prune(["t"])
        assert values(saver) == {"a": "last", "b": "shared value"} and len(tuples(saver)) == 1
        assert rows_with(path, "the later value") == 0 and rows_with(path, "9 which is to come") == 1
        saver.prune(["t"], strategy="delete")
        with Journal(path) as journal:
            assert journal.events(PREFIX + "t", since=-1) == []
        with pytest.raises(ValueError, match="there is no strategy 'all'"):
            saver.prune(["t"], strategy="all")


def test_pruning_keeps_what_a_delta_channel_is_made_from() -> None:
    with JournalSaver() as saver:
        config = put(saver, thread(), {"log": ["too old"]}, {"log": 1})
        config = put(saver, config, {"log": ["snapshot"]}, {"log": 2})
        for step in (3, 4, 5):
            saver.put_writes(config, [("log", [step])], "task")
            config = put(saver, config, {}, {"log": step}, counters_since_delta_snapshot={"log": (step - 2, step - 2)})
        before = saver.get_delta_channel_history(config=config, channels=["log"])
        assert before["log"]["seed"] == ["snapshot"] and len(before["log"]["writes"]) == 3
        saver.prune(["t"])
        assert len(tuples(saver)) == 4
        assert saver.get_delta_channel_history(config=config, channels=["log"]) == before


def test_what_another_process_does_meanwhile_is_not_lost(tmp_path: Path) -> None:
    with JournalSaver(tmp_path / "j.db") as saver, JournalSaver(tmp_path / "j.db") as other:
        first = put(saver, thread(), {"a": 1, "b": 1}, {"a": 1, "b": 1})
        before_next(saver, "append", lambda: put(other, first, {"a": "other", "b": 1}, {"a": 2, "b": 1}, "a"))
        put(saver, first, {"a": "saver", "b": 1}, {"a": 2, "b": 1}, "a")
        found = [one.checkpoint["channel_values"]["a"] for one in saver.list(thread())]
        assert sorted(found, key=str) == [1, "other", "saver"]

        before_next(saver, "rewrite", lambda: other.put_writes(first, [("a", "late")], "task"))
        saver.delete_for_runs(["none"])  # changes nothing
        put(saver, first, {"a": 9}, {"a": 9}, run_id="gone")
        saver.delete_for_runs(["gone"])
        found_first = saver.get_tuple(first)
        assert found_first is not None and found_first.pending_writes == [("task", "a", "late")]
        assert len(tuples(saver)) == 3

        before_next(saver, "append", lambda: other.delete_thread("t"))
        put(saver, first, {"a": 9, "b": 1}, {"a": 9, "b": 1}, "a")
        assert [one.checkpoint["channel_values"] for one in other.list(thread())] == [{"a": 9, "b": 1}]
        assert tuples(saver) == tuples(other)

        before_next(saver, "append", lambda: other.prune(["t"]))
        put(saver, first, {"a": 10, "b": 1}, {"a": 10, "b": 1}, "a")
        assert tuples(saver) == tuples(other) and len(tuples(saver)) == 2


def test_a_writer_that_is_never_first_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise JournalConflict("taken")

    with JournalSaver() as saver:
        monkeypatch.setattr(saver._store, "append", refuse)
        monkeypatch.setattr("understudy.workflows.langgraph.ATTEMPTS", 3)
        with pytest.raises(JournalConflict, match="change the run langgraph:t all the time"):
            put(saver, thread(), {}, {})


def test_other_runs_are_no_threads(tmp_path: Path) -> None:
    with JournalSaver(tmp_path / "j.db") as saver, Journal(tmp_path / "j.db") as journal:
        journal.append("langgraphic", 0, [RunResumed(1.0)])
        put(saver, thread(), {}, {})
        assert len(tuples(saver)) == 1 and journal.runs() == []
        journal.append(PREFIX + "odd", 0, [RunResumed(1.0)])
        with pytest.raises(JournalError, match="langgraph:odd is no thread"):
            saver.get_tuple(thread("odd"))


def test_a_run_is_rewritten_only_as_it_was_read() -> None:
    with Journal() as journal:
        journal.append("r", 0, [RunResumed(1.0), RunResumed(2.0)])
        for number in (0, 1, 3):
            with pytest.raises(JournalConflict, match="another process has changed the run r"):
                journal.rewrite("r", number, [RunResumed(9.0)])
        journal.rewrite("r", 2, [RunResumed(3.0)])
        with pytest.raises(JournalConflict):
            journal.append("r", 2, [RunResumed(9.0)])
        journal.append("r", 3, [RunResumed(4.0)])
        assert journal.events("r") == [RunResumed(3.0), RunResumed(4.0)]
        journal.rewrite("r", 4, [])
        assert journal.events("r", since=-1) == []
        journal.rewrite("r", 0, [RunResumed(5.0)])
        assert journal.events("r") == [RunResumed(5.0)]


WRITER = """
import sys, time
from pathlib import Path
from langgraph.checkpoint.base import empty_checkpoint
from understudy.workflows.langgraph import JournalSaver

path, me, other = sys.argv[1:]
config = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
with JournalSaver(path) as saver:
    Path(path + me).touch()
    patience = time.monotonic() + 30
    while not Path(path + other).exists() and time.monotonic() < patience:
        time.sleep(0.001)
    for step in range(100):
        value = {**empty_checkpoint(), "channel_values": {"a": [me, step]}, "channel_versions": {"a": step}}
        config = saver.put(config, value, {"step": step, "writer": me}, {"a": step})
        saver.put_writes(config, [("a", [me, step]), ("b", None)], me)
"""


def test_two_processes_write_one_thread(tmp_path: Path, python: Callable[..., Any]) -> None:
    path = tmp_path / "j.db"
    JournalSaver(path).close()
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda names: python("-c", WRITER, path, *names), ["xy", "yx"]))
    assert [one.stderr for one in done if one.returncode] == []
    with JournalSaver(path) as saver:
        found = tuples(saver, thread())
    wanted = [(writer, step) for writer in "xy" for step in range(100)]
    assert sorted((one.metadata["writer"], one.metadata["step"]) for one in found) == wanted  # type: ignore[typeddict-item]
    for one in found:
        mine = [one.metadata["writer"], one.metadata["step"]]  # type: ignore[typeddict-item]
        assert one.checkpoint["channel_values"] == {"a": mine}
        assert one.pending_writes == [(mine[0], "a", mine), (mine[0], "b", None)]
