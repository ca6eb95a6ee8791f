"""Three requests to the travel desk: one team, one backbone in memory, four heads.

    python examples/travel_desk/demo.py
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

from rich.console import Console  # noqa: E402

from understudy import Team, UnderstudyError  # noqa: E402
from understudy.render import run_object, run_view  # noqa: E402

REQUESTS = (
    "Which neighbours of France use the euro?",
    "What is the average population of the countries in South America?",
    "I loved Portugal and Croatia. Where next?",
)


def main() -> int:
    """Runs the requests; 0 when every run was completed."""
    console = Console(highlight=False)
    began = time.perf_counter()
    completed = 0
    try:
        team = Team.load(Path(__file__).with_name("team.yaml"))
        team.make_ready()
        console.print(f"backbone, heads and knowledge loaded in {time.perf_counter() - began:.1f} s\n")
        for request in REQUESTS:
            result = team.run_sync(request)
            completed += result.status == "completed"
            console.print(run_view(run_object(result), request))
            console.print()
    except UnderstudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    console.print(f"{completed} of {len(REQUESTS)} requests completed in {time.perf_counter() - began:.1f} s")
    return 0 if completed == len(REQUESTS) else 1


if __name__ == "__main__":
    sys.exit(main())
