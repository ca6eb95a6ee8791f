"""Seconds to import understudy beside pydantic, asyncio and sqlite3, each in fresh processes, medians of one run.

    python benchmarks/imports.py

Pydantic loads most of itself only when a model is made, which every type of message is: "one model" is what a program
pays that makes a single one, without understudy.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

CHECKOUT = Path(__file__).resolve().parent.parent
BASE = "import pydantic, asyncio, sqlite3"
FACES = {
    "one model": f"{BASE}; pydantic.create_model('Model', value=int)",
    "understudy": "import understudy",
    "orchestration": "from understudy import Journal, Message, MessageBus, Role, Team, Workflow",
    "agents and workflows": "import understudy.agents.agent, understudy.workflows.runner, understudy.workflows.team",
    "command line": "import understudy.cli",
}


def seconds(statement: str, bytecode: str) -> float:
    """What the import itself takes, measured inside a new process, without the start of Python.

    Modules are compiled into the folder ``bytecode``, as they are where a package was installed.
    """
    code = f"import time; start = time.perf_counter(); {statement}; print(time.perf_counter() - start)"
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONPYCACHEPREFIX": bytecode}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, cwd=CHECKOUT.parent
    )
    return float(done.stdout)


def measure(repeats: int) -> dict[str, float]:
    """Medians by name; the statements take turns, so that a slow minute of the machine falls on all of them."""
    taken: dict[str, list[float]] = {name: [] for name in ("base", *FACES)}
    with TemporaryDirectory() as bytecode:
        for turn in range(repeats + 1):
            for name, statement in (("base", BASE), *FACES.items()):
                value = seconds(statement, bytecode)
                if turn:  # the first turn writes the byte code
                    taken[name].append(value)
    return {name: median(values) for name, values in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    medians = measure(options.repeats)
    ratios = {name: value / medians["base"] for name, value in medians.items()}
    if options.json:
        print(json.dumps({"ratio": ratios["understudy"], "ratios": ratios, "seconds": medians}))
        return
    for name, value in medians.items():
        print(f"{name:24} {value * 1000:8.1f} ms  {ratios[name]:5.2f} x")
    print(f"orchestration is {medians['orchestration'] / medians['one model']:.2f} times one model")


if __name__ == "__main__":
    main()
