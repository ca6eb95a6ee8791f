"""Seconds to import understudy beside pydantic, asyncio and sqlite3, each in fresh processes, medians of one run.

    python benchmarks/imports.py
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

CHECKOUT = Path(__file__).resolve().parent.parent
BASE = "import pydantic, asyncio, sqlite3"
FACES = {
    "understudy": "import understudy",
    "agents and workflows": "import understudy.agents.agent, understudy.workflows.runner, understudy.workflows.team",
    "command line": "import understudy.cli",
}


def seconds(statement: str) -> float:
    """What the import itself takes, measured inside a new process, without the start of Python."""
    code = f"import time; start = time.perf_counter(); {statement}; print(time.perf_counter() - start)"
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, cwd=CHECKOUT.parent
    )
    return float(done.stdout)


def measure(repeats: int) -> dict[str, float]:
    """Medians by name; the statements take turns, so that a slow minute of the machine falls on all of them."""
    taken: dict[str, list[float]] = {name: [] for name in ("base", *FACES)}
    for turn in range(repeats + 1):
        for name, statement in (("base", BASE), *FACES.items()):
            value = seconds(statement)
            if turn:  # the first turn writes the byte code
                taken[name].append(value)
    return {name: median(values) for name, values in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    medians = measure(options.repeats)
    ratio = medians["understudy"] / medians["base"]
    if options.json:
        print(json.dumps({"ratio": ratio, "seconds": medians}))
        return
    for name, value in medians.items():
        print(f"{name:24} {value * 1000:8.1f} ms  {value / medians['base']:5.2f} x")


if __name__ == "__main__":
    main()
