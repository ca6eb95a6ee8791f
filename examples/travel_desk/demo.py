"""Three requests to the travel desk, one team with one backbone in memory; then a role that it lacks, from 12 examples.

    python examples/travel_desk/demo.py
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

from rich.console import Console  # noqa: E402
from rich.rule import Rule  # noqa: E402

from understudy import Message, Team, UnderstudyError, Workflow  # noqa: E402
from understudy.agents.role import Context  # noqa: E402
from understudy.cli_support import share_bar  # noqa: E402
from understudy.comparison import compare  # noqa: E402
from understudy.comparison_table import comparison_view  # noqa: E402
from understudy.lesson import read_role  # noqa: E402
from understudy.render import run_object, run_view  # noqa: E402
from understudy.solo import Solo  # noqa: E402
from understudy.unseen import read_unseen  # noqa: E402
from understudy.word_rules import require_words  # noqa: E402

HERE = Path(__file__).parent
REQUESTS = (
    "Which neighbours of France use the euro?",
    "What is the average population of the countries in South America?",
    "I loved Portugal and Croatia. Where next?",
)
MAIL = {
    "We are at the gate in Oslo and our tickets are not in the app": "documents, urgent",
    "I cancelled the hotel in Lisbon in May and still wait for the money, no hurry": "refund, not urgent",
}
"""Messages, and what a person says of them."""


class Mail(Message):
    """What a customer wrote."""

    text: str


def answer(team: Team, console: Console) -> bool:
    """The three requests; whether every run was completed."""
    began = time.perf_counter()
    completed = 0
    for request in REQUESTS:
        result = team.run_sync(request)
        completed += result.status == "completed"
        console.print(run_view(run_object(result), request), "")
    console.print(f"{completed} of {len(REQUESTS)} requests completed in {time.perf_counter() - began:.1f} s\n")
    return completed == len(REQUESTS)


def without(run: Mapping[str, Any]) -> str:
    """What a team that lacks the role made of a message: who was asked, and what came of it."""
    plans = [step["output"]["steps"] for step in run["steps"] if "steps" in (step["output"] or {})]
    agents = ", ".join(step["agent"] for step in plans[0]) if plans else "nobody"
    given = (run["output"] or {}).get("answer")
    said = str(run["error"] or run["status"] if given is None else given)
    return f"{agents} answers: {said[:60]}{'…' * (len(said) > 60)}"


def has_words(console: Console) -> bool:
    """Whether what the learned role is compared with is installed; says how to get it where it is not."""
    try:
        require_words()
    except UnderstudyError as error:
        console.print(f"{error}; its column is left out", style="yellow", markup=False)
        return False
    return True


def learn(team: Team, console: Console) -> bool:
    """A role that the team lacks: before, learning, beside its rivals on unseen messages, and after."""
    role = read_role(HERE / "triage.csv")
    unseen = read_unseen(HERE / "triage_messages.jsonl", role)
    console.print(Rule("What the team cannot do: sort customers' messages by queue and urgency", align="left"))
    console.print(f"its agents: {', '.join(team.agents)}; each message must go to one of them")
    for text in MAIL:
        console.print(f"  {text}\n    {without(run_object(team.run_sync(text)))}", style="dim", markup=False)

    console.print()
    words = has_words(console)
    console.print(f"learning {role.name} from {len(role.demonstrations)} rows of triage.csv; it {role.does}")
    with share_bar(what="learning") as on_progress:
        team.learn(role, on_progress)
        head = team.bank.head(role.name)
        assert head is not None
        comparison = compare(role, head, team.backbone, unseen, on_progress=on_progress, words=words)
    console.print(comparison_view(comparison), "")

    console.print(Rule("The same messages, now that triage is in the team", align="left"))
    console.print("a workflow asks it by name: the planner plans for agents that take its tasks, and for no others\n")
    desk = Workflow("desk", takes=Mail)
    desk.step(team[role.name])
    alone = Solo(role, head, team.resources, Context())
    completed = 0
    for text, right in MAIL.items():
        result = desk.run_sync(Mail(text=text))
        completed += result.status == "completed"
        (told,) = alone.answer([alone.message(text)])
        answers = f"would rather not say, under {head.threshold:.0%}" if told.abstained else "answers"
        console.print(run_view(run_object(result), text))
        console.print(f"{role.name} is {told.confidence:.0%} sure and {answers}; a person says: {right}\n", style="dim")
    return completed == len(MAIL)


def main() -> int:
    """0 when every run was completed."""
    console = Console(highlight=False)
    began = time.perf_counter()
    try:
        team = Team.load(HERE / "team.yaml")
        team.make_ready()
        console.print(f"backbone, heads and knowledge loaded in {time.perf_counter() - began:.1f} s\n")
        completed = answer(team, console)
        completed &= learn(team, console)
    except UnderstudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    console.print(f"the demo took {time.perf_counter() - began:.1f} s")
    return 0 if completed else 1


if __name__ == "__main__":
    sys.exit(main())
