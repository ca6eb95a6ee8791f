"""A real SIGKILL around the end of a run whose children are under way: none of them is left open for ever."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from understudy.workflows.journal import Journal

REPOSITORY = Path(__file__).resolve().parents[2]

CHILD = '''
import asyncio, os, signal, sys
from understudy.workflows.flow import Workflow
from understudy.workflows.journal import Journal

path, mode, kind, run, moment = sys.argv[1:]

async def fails(value):
    await asyncio.sleep(0.1)
    raise ValueError("no")

async def wait(value):
    await asyncio.sleep(60)

deep = Workflow("deep")
deep.step(wait)
slow = Workflow("slow")
slow.step(deep, name="inner")
flow = Workflow("whole")
flow.step(fails)
flow.step(slow, after=flow.input)

class Deadly(Journal):
    def append_rows(self, to, number, rows):
        here = to == run and any(row.kind == kind for row in rows)
        if here and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        super().append_rows(to, number, rows)
        if here and moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)

with Deadly(path) as journal:
    again = mode == "resume"
    result = flow.resume_sync("r", journal=journal) if again else flow.run_sync(1, journal=journal, run_id="r")
    print(result.status)
'''


def driven(path: Path, mode: str, kind: str = "", run: str = "", moment: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CHILD, str(path), mode, kind, run, moment]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)


def statuses(path: Path) -> dict[str, str]:
    with Journal(path) as journal:
        return {run.run: run.status for run in journal.runs()}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize(("kind", "run", "moment"), [
    ("StepFailed", "r", "after"), ("RunFinished", "r/slow/1", "before"), ("RunFinished", "r/slow/1", "after"),
    ("RunFinished", "r", "before"), ("RunFinished", "r", "after"),
])  # fmt: skip
def test_a_run_that_has_its_end_has_no_child_without_one(tmp_path: Path, kind: str, run: str, moment: str) -> None:
    path = tmp_path / "journal.db"
    killed = driven(path, "run", kind, run, moment)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left = statuses(path)
    assert set(left) == {"r", "r/slow/1", "r/slow/1/inner/1"}
    if left["r"] != "open":
        assert "open" not in left.values()
    resumed = driven(path, "resume")
    assert resumed.stdout == "failed\n", resumed.stderr
    assert set(statuses(path).values()) == {"failed"}
