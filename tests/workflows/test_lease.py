"""Leases: one driver of a run at a time; nobody is kept out by one that has died."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from understudy.cli import app
from understudy.workflows.dead_letters import send_again
from understudy.workflows.drain import Drain
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import WorkflowError
from understudy.workflows.journal import Journal, JournalError
from understudy.workflows.lease import Lease, LeaseTaken

REPOSITORY = Path(__file__).resolve().parents[2]
DESK = REPOSITORY / "examples" / "travel_desk" / "team.yaml"

CHILD = """
import asyncio, os, sys
from understudy.workflows.flow import Workflow
from understudy.workflows.lease import Lease, LeaseTaken

path = sys.argv[1]

def free(run):
    try:
        with Lease(path, run):
            return True
    except LeaseTaken:
        return False
"""

DRIVER = """
def workflow():
    async def first(value):
        print("under way", flush=True)
        await asyncio.sleep(600)

    flow = Workflow("w")
    flow.step(first)
    flow.step(lambda value: value + 1, name="second")
    return flow

workflow().run_sync(1, journal=path, run_id="r")
"""


def child(code: str, path: Path, **options: Any) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", CHILD + code, str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, **options)


def free_for_another_process(path: Path, *runs: str) -> list[bool]:
    with child(f"print([free(run) for run in {runs!r}])", path) as process:
        told, _ = process.communicate(timeout=60)
    return list(json.loads(told.lower()))


@contextmanager
def driven_elsewhere(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process drives the run ``r``, and is in the midst of its first step."""
    with child(DRIVER, path) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "under way\n"
            yield process
        finally:
            process.kill()


def workflow(effects: list[int]) -> Workflow:
    def noted(value: int) -> int:
        effects.append(value)
        return value

    async def first(value: int) -> int:
        return noted(value * 10)

    flow = Workflow("w")
    flow.step(first)
    flow.step(lambda value: noted(value + 1), name="second")
    return flow


def rows(path: Path) -> list[tuple[Any, ...]]:
    with Journal(path) as journal:
        return list(journal._db.execute("SELECT * FROM events ORDER BY run, number"))


def test_a_second_process_is_refused_before_it_did_anything(tmp_path: Path) -> None:
    path, effects = tmp_path / "j.db", list[int]()
    flow = workflow(effects)
    assert flow.run_sync(5, journal=path, run_id="before").value == 51
    effects.clear()
    with driven_elsewhere(path) as driver, Journal(path) as book:
        written = rows(path)
        began = time.monotonic()
        attempts: list[Callable[[], object]] = [
            lambda: flow.resume_sync("r", journal=path),
            lambda: flow.run_sync(2, journal=path, run_id="r"),
            lambda: flow.fork_sync("before", journal=path, run_id="r"),
            lambda: asyncio.run(send_again(book, "r", 0, {})),
        ]
        for attempt in attempts:
            with pytest.raises(LeaseTaken, match=r"j\.db: the run r is being driven by another process"):
                attempt()
        assert time.monotonic() - began < 2, "it waited before it refused"
        done = CliRunner().invoke(app, ["resume", str(DESK), "r", "--journal", str(path), "--json"])
        assert done.exit_code == 2 and "the run r is being driven by another process" in done.stderr
        assert json.loads(done.stdout)["error"]["where"] == str(path.resolve())
        assert rows(path) == written and not effects
        # Reading is for everybody, and other runs are free.
        assert flow.replay("r", journal=path).status == "running"
        assert flow.run_sync(5, journal=path, run_id="beside").value == 51
        assert flow.fork_sync("before", journal=path, run_id="forked").value == 51
        assert driver.poll() is None, "the driver was disturbed"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_when_the_first_is_killed_the_second_goes_on(tmp_path: Path) -> None:
    path, effects = tmp_path / "j.db", list[int]()
    with driven_elsewhere(path) as driver:
        with pytest.raises(LeaseTaken):
            workflow(effects).resume_sync("r", journal=path)
        driver.send_signal(signal.SIGKILL)
        assert driver.wait(60) == -signal.SIGKILL
        result = workflow(effects).resume_sync("r", journal=path)
    assert (result.status, result.value, effects) == ("completed", 11, [10, 11])


def test_two_threads_of_one_process(tmp_path: Path) -> None:
    """Of many threads that resume a run at once one drives it; the others are refused or come to its result."""
    path, effects, gate = tmp_path / "j.db", list[int](), Drain()
    flow = workflow(effects)
    gate.request()
    assert flow.run_sync(1, journal=path, run_id="r", drain=gate).status == "interrupted"
    barrier, outcomes = threading.Barrier(8), list[str]()

    def drive() -> None:
        barrier.wait()
        try:
            outcomes.append(flow.resume_sync("r", journal=path).status)
        except LeaseTaken:
            outcomes.append("refused")

    threads = [threading.Thread(target=drive) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 8 and set(outcomes) <= {"completed", "refused"} and "completed" in outcomes
    assert effects == [10, 11], "two drove it"
    assert flow.resume_sync("r", journal=path).value == 11


async def test_two_tasks_of_one_loop(tmp_path: Path) -> None:
    path, effects, begun, go_on = tmp_path / "j.db", list[int](), asyncio.Event(), asyncio.Event()

    async def first(value: int) -> int:
        begun.set()
        await go_on.wait()
        return value * 10

    flow = Workflow("w")
    flow.step(first)
    flow.step(lambda value: effects.append(value), name="second")
    one = asyncio.create_task(flow.run(1, journal=path, run_id="r"))
    await begun.wait()
    with pytest.raises(LeaseTaken):
        await flow.resume("r", journal=path)
    go_on.set()
    assert (await one).status == "completed" and effects == [10]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_does_not_hold_what_its_parent_holds(tmp_path: Path) -> None:
    code = """
read, write = os.pipe()
with Lease(path, "r"):
    children = [os.fork()]
    if not children[0]:
        # It has the parent's records, and none of its locks; what it does itself goes as ever.
        os._exit(0 if not free("r") and free("s") and free("s") else 1)
    codes = [os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1])]
    children.append(os.fork())
    if not children[1]:
        os.read(read, 1)  # until the parent has given its lease back
        os._exit(0 if free("r") else 1)
    print("held", flush=True)
    sys.stdin.readline()
os.write(write, b".")
print([*codes, os.waitstatus_to_exitcode(os.waitpid(children[1], 0)[1])])
"""
    with child(code, tmp_path / "j.db", stdin=subprocess.PIPE) as parent:
        assert parent.stdout is not None and parent.stdout.readline() == "held\n"
        # The end of the first child has given nothing of the parent's back.
        assert free_for_another_process(tmp_path / "j.db", "r", "s") == [False, True]
        assert parent.communicate("\n", timeout=60)[0] == "[0, 0]\n"


def test_leases_of_one_file_do_not_give_each_other_back(tmp_path: Path) -> None:
    """The system drops all of a process's locks on a file whenever it closes the file anywhere."""
    path = tmp_path / "j.db"
    same = tmp_path / "folder" / ".." / "j.db"
    with Lease(str(path), "a"):
        with Lease(str(same), "b"):
            assert free_for_another_process(path, "a", "b", "c") == [False, False, True]
        with pytest.raises(LeaseTaken), Lease(str(same), "a"):
            pass
        assert free_for_another_process(path, "a", "b") == [False, True]
    assert free_for_another_process(path, "a", "b") == [True, True]


def test_a_run_gives_its_lease_back_however_it_ended(tmp_path: Path) -> None:
    path, effects = tmp_path / "j.db", list[int]()
    flow, asking, failing, slow = workflow(effects), Workflow("asking"), Workflow("failing"), Workflow("slow")
    asking.ask("may it?")
    failing.step(lambda value: value / 0, name="first")
    drained = Drain()
    drained.request()

    async def endless(value: int) -> None:
        await asyncio.sleep(600)

    slow.step(endless)

    async def cancelled() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(slow.run(1, journal=path, run_id="cancelled"), 0.05)

    assert flow.run_sync(1, journal=path, run_id="completed").status == "completed"
    assert failing.run_sync(1, journal=path, run_id="failed").status == "failed"
    assert asking.run_sync(1, journal=path, run_id="waiting").status == "waiting"
    assert flow.run_sync(1, journal=path, run_id="interrupted", drain=drained).status == "interrupted"
    asyncio.run(cancelled())
    with pytest.raises(JournalError, match="there is no run"):
        flow.resume_sync("unknown", journal=path)
    with pytest.raises(WorkflowError, match="was changed"):
        slow.resume_sync("interrupted", journal=path)
    runs = ("completed", "failed", "waiting", "interrupted", "cancelled", "unknown")
    assert free_for_another_process(path, *runs) == [True] * len(runs)
    assert asking.resume_sync("waiting", journal=path, answers={"ask": "yes"}).value == "yes"
    assert flow.resume_sync("interrupted", journal=path).value == 11
