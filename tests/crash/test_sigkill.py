"""A real SIGKILL at several positions of the journal: the run goes on and ends the same, nothing recorded is redone."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from understudy.workflows.events import StepFinished
from understudy.workflows.journal import Journal

REPOSITORY = Path(__file__).resolve().parents[2]

CHILD = '''
import os, signal, sys
from understudy.workflows.flow import Workflow
from understudy.workflows.journal import Journal
from understudy.workflows.runtime import effect_key

folder, mode, position, moment = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]

def effect(value):
    with open(folder + "/effects", "ab", buffering=0) as log:
        log.write((effect_key() + "\\n").encode())
    return value

def first(value): return effect([value, value + 1, value + 2, value + 3])
def square(value): return effect(value * value)
def total(values): return effect(sum(values) if isinstance(values, list) else values + 1)

flow = Workflow("crash")
numbers = flow.step(first)
flow.each(numbers, do=square, name="squares", at_once=2)
flow.step(total)
last = flow.step(total, name="round")
flow.route(last, "round", when=last < 20, at_most=3)
flow.route(last, "$end")

class Deadly(Journal):
    commits = 0

    def append_rows(self, run, number, rows):
        if self.commits == position and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        super().append_rows(run, number, rows)
        self.commits += 1
        if self.commits == position and moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)

with Deadly(folder + "/journal.db") as journal:
    if mode == "run":
        result = flow.run_sync(1, journal=journal, run_id="r")
    else:
        result = flow.resume_sync("r", journal=journal)
    print(result.status, result.output["value"], [(s.name, s.index, s.output) for s in result.steps])
'''


def child(folder: Path, mode: str, position: int = -1, moment: str = "never") -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-c", CHILD, str(folder), mode, str(position), moment]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)


def effects(folder: Path) -> Counter[str]:
    log = folder / "effects"
    return Counter(log.read_text(encoding="utf-8").split()) if log.exists() else Counter()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Counter[str]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    done = child(folder, "run")
    assert done.returncode == 0, done.stderr
    return done.stdout, effects(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize(
    ("position", "moment"), [(1, "after"), (2, "before"), (3, "after"), (5, "before"), (7, "after")]
)
def test_a_killed_run_goes_on(
    tmp_path: Path, undisturbed: tuple[str, Counter[str]], position: int, moment: str
) -> None:
    killed = child(tmp_path, "run", position, moment)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with Journal(tmp_path / "journal.db") as journal:
        events = journal.events("r")
    recorded = {
        f"r/{event.step}/{event.visit}" + ("" if event.index is None else f"/{event.index}")
        for event in events
        if isinstance(event, StepFinished)
    }
    resumed = child(tmp_path, "resume")
    assert resumed.returncode == 0, resumed.stderr
    output, once = undisturbed
    assert resumed.stdout == output
    done = effects(tmp_path)
    assert set(done) == set(once), "an effect was lost, or has another key"
    assert all(done[key] == 1 for key in recorded), "a recorded effect was done again"
    assert all(count <= 2 for count in done.values())


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_run_killed_again_and_again_still_ends(tmp_path: Path, undisturbed: tuple[str, Counter[str]]) -> None:
    assert child(tmp_path, "run", 2, "after").returncode == -signal.SIGKILL
    for _ in range(3):
        assert child(tmp_path, "resume", 2, "after").returncode == -signal.SIGKILL
    assert child(tmp_path, "resume").stdout == undisturbed[0]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_killed_before_its_acceptance_there_is_no_run(tmp_path: Path) -> None:
    assert child(tmp_path, "run", 0, "before").returncode == -signal.SIGKILL
    resumed = child(tmp_path, "resume")
    assert resumed.returncode == 1 and "there is no run 'r'" in resumed.stderr
    assert not effects(tmp_path)
