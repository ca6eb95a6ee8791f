"""``make demo``'s script, as it runs on a laptop on a train: no sockets, little memory, little time."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

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
    assert report["peak"] < 1.5e9
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
