"""``make demo``'s script, as it runs on a laptop on a train: no sockets, little memory, little time."""

from __future__ import annotations

import importlib.util
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from rich.console import Console

from understudy import Head, Team
from understudy.core.precision import adapting_precision

Command = Callable[..., subprocess.CompletedProcess[str]]

# Runs a script with every socket forbidden but the pairs that event loops wake themselves with, then tells its peak.
WITHOUT_NETWORK = """
import json, runpy, socket, sys

real, report = socket.socket, sys.argv[1]

class Forbidden(real):
    def __init__(self, family=-1, *more, **named):
        if family == getattr(socket, "AF_UNIX", None) or named.get("fileno") is not None:
            super().__init__(family, *more, **named)
        else:
            raise AssertionError(f"a socket was opened: family {family}")

def forbidden(*given, **named):
    raise AssertionError(f"the network was asked: {given}")

socket.socket = Forbidden
socket.create_connection = socket.getaddrinfo = socket.gethostbyname = forbidden
sys.argv = sys.argv[2:]
code = 0
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    code = end.code or 0
peak = 0
try:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    if sys.platform == "linux":  # there it is at least what the process was that started this one
        with open("/proc/self/status") as status:
            peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
except ImportError:
    import psutil
    peak = psutil.Process().memory_info().peak_wset
with open(report, "w") as file:
    json.dump({"code": code, "peak": peak}, file)
"""


@pytest.fixture
def offline(python: Command, tmp_path: Path) -> Callable[..., tuple[str, dict[str, int]]]:
    """Runs a script without network; gives its output, and its exit code and peak bytes."""

    def call(script: Path) -> tuple[str, dict[str, int]]:
        wrapper, report = tmp_path / "wrapper.py", tmp_path / "report.json"
        wrapper.write_text(WITHOUT_NETWORK, encoding="utf-8")
        done = python(wrapper, report, script, timeout=180)
        assert report.exists(), done.stdout + done.stderr
        return done.stdout + done.stderr, json.loads(report.read_text(encoding="utf-8"))

    return call


def test_the_wrapper_forbids_sockets(offline: Callable[..., object], tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import socket; socket.create_connection(('127.0.0.1', 9))", encoding="utf-8")
    with pytest.raises(AssertionError, match="the network was asked"):
        offline(script)
    script.write_text("import socket; socket.socket(socket.AF_INET)", encoding="utf-8")
    with pytest.raises(AssertionError, match="a socket was opened"):
        offline(script)
    script.write_text("import asyncio; asyncio.run(asyncio.sleep(0)); print('woke')", encoding="utf-8")
    assert offline(script)[0].strip() == "woke"  # type: ignore[index]


def test_both_parts_offline_in_time_and_memory(
    offline: Callable[..., tuple[str, dict[str, int]]], checkout: Path
) -> None:
    printed, report = offline(checkout / "examples" / "travel_desk" / "demo.py")
    assert report["code"] == 0, printed
    # Where the CPU has no bf16, heads are adapted in fp32: faster there, and larger.
    assert report["peak"] < (1.5e9 if adapting_precision() is torch.bfloat16 else 1.8e9)
    last = printed.strip().splitlines()[-1]
    told = re.fullmatch(r"the demo took (\d+\.\d) s", last)
    assert told, printed
    assert float(told[1]) < 90
    assert re.search(r"^3 of 3 requests completed in \d+\.\d s$", printed, re.MULTILINE)
    assert printed.count("plan · planner") == 3
    assert printed.count("SELECT ") >= 1
    right = ("Andorra, Belgium, Germany, Italy, Luxembourg, Monaco, Spain", "35,283,250")
    answers = re.findall(r"^answer  (\S.*)$", printed, re.MULTILINE)
    assert answers[:2] == list(right), "the README's first two requests are answered right"
    assert len(re.findall(r"\d+\.\d\d s", printed)) >= 9  # each run has a plan, a step and a total
    learns_a_role(printed[printed.index("What the team cannot do") :])


@pytest.fixture
def demo(checkout: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("travel_desk_demo", checkout / "examples" / "travel_desk" / "demo.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_runs_that_fail_and_words_that_are_missing_are_told_and_the_role_is_learned(
    demo: ModuleType, tiny_backbone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a backbone for which there are no heads of the desk, which only its runs find out; without scikit-learn."""
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    monkeypatch.setattr(Team, "require_heads", lambda team: None)
    monkeypatch.setattr(Head, "load", None)  # a file that is mapped cannot be deleted on Windows: none is read back
    team = Team.load(demo.HERE / "team.yaml", str(tiny_backbone))
    printed = io.StringIO()
    assert demo.learn(team, Console(file=printed, width=120, highlight=False)), "what is learned answers"
    told = printed.getvalue()
    assert told.count("nobody answers: ") == 2
    missing = told.index("needs scikit-learn; pip install 'understudy[train]'; its column")
    learning = told.index("learning triage from 12 rows")
    assert told.index("nobody answers") < missing < learning
    assert "plain start" in told and told.count("TF-IDF") == told[:learning].count("TF-IDF") == 1
    assert told.count("completed: ") == 2


def test_what_came_of_a_message_is_told_however_it_ended(demo: ModuleType) -> None:
    plan = {"output": {"steps": [{"agent": "qa"}, {"agent": "coder"}]}}
    answered = {"status": "completed", "output": {"answer": "x" * 70}, "steps": [plan], "error": None}
    assert demo.without(answered) == f"qa, coder answers: {'x' * 60}…"
    failed = {"status": "failed", "output": {}, "steps": [], "error": "no plan"}
    assert demo.without(failed) == "nobody answers: no plan"
    assert demo.without(failed | {"steps": [{"output": None}], "error": None}) == "nobody answers: failed"


def learns_a_role(printed: str) -> None:
    """The second part: without the role, learning, the rivals side by side, and with it."""
    before, after = printed.split("The same messages, now that triage is in the team")
    assert "its agents: planner, coder, qa, recommender; each" in before
    assert before.count("answers: ") == 2 and "from 12 rows of triage.csv" in before
    assert re.search(r"of 40 messages .* learned start .* plain start .* TF-IDF \+ logistic regression", before)
    for name in ("queue", "urgent", "all right"):
        assert re.search(rf"^{name}( *│ *\d+ % \(\d+–\d+\)){{3}}$", before, re.MULTILINE), before
    assert re.search(r"^seconds to learn( *│ *\d+\.\d){2} *│ *(< )?\d+\.\d$", before, re.MULTILINE)
    assert re.search(r"^head( *│ *0\.\d\d MB){2} *│ *–$", before, re.MULTILINE)
    assert len(re.findall(r"^answer  queue: [a-z]+, urgent: (yes|no)$", after, re.MULTILINE)) == 2
    assert after.count("  queue  ") == after.count("completed: ") == 2
    assert len(re.findall(r"triage is \d+% sure and (answers|would rather not say, under \d+%); a person", after)) == 2
