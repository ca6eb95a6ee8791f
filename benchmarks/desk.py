"""The travel desk's questions, each role alone and the whole team, beside all that could stand in the heads' place.

    python -m benchmarks.desk

What ``understudy evaluate examples/travel_desk/team.yaml tests/data/travel_desk_questions_fifth.jsonl --ablate --rules
benchmarks/rules_desk.py`` prints, and how much what the recommender suggests has in common with what was liked.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import Progress

from benchmarks.questions import (
    DESK,
    FIFTH,
    FOURTH,
    FRESH,
    ROOT,
    SECOND,
    THIRD,
    closest,
    facts_of,
    popular,
    shared_facts,
)
from benchmarks.roles import RULES
from benchmarks.shares import Sheet, write_part
from understudy.cli_evaluate import team_view
from understudy.evaluation_report import LEGEND, VERDICT, losers, report_of, sheets_of, verdicts_of
from understudy.examination import Outcome, examine, parts_of
from understudy.questions import read_questions
from understudy.rivals import TRAINED, Prompted, Rivals
from understudy.workflows.team import Team

EXAMINATIONS = {
    FIFTH: ("desk", "The travel desk: heads and what could stand in their place",
            "python -m benchmarks.desk",
            "by three writers who had seen the desk's data alone, read for the first time by these heads, after they "
            "were chosen on others"),
    FOURTH: ("desk fourth", "The fourth examination of the travel desk, read again",
             f"python -m benchmarks.desk --questions {FOURTH.relative_to(ROOT)}",
             "by three writers who had seen the desk's data alone, read again: planner and coder learned on after it "
             "was first read, and were chosen on others"),
    THIRD: ("desk third", "The third examination of the travel desk, read again",
            f"python -m benchmarks.desk --questions {THIRD.relative_to(ROOT)}",
            "by three writers who had seen the desk's data alone, read again: planner, coder and qa learned on after "
            "it was first read, and were chosen on others"),
    SECOND: ("desk second", "The second examination of the travel desk, read again",
             f"python -m benchmarks.desk --questions {SECOND.relative_to(ROOT)}",
             "by two writers who had seen the desk's data alone; planner, coder and qa learned on after they were "
             "first read, and were chosen on others"),
    FRESH: ("desk again", "The first examination of the travel desk, read again",
            f"python -m benchmarks.desk --questions {FRESH.relative_to(ROOT)}",
            "by four writers who had seen no code, asked again: the outcome of the first reading was known when "
            "these heads were trained"),
}  # fmt: skip
"""File → the part of docs/figures.md, its title, the command, and who wrote the questions."""
Pairs = Iterable[tuple[Sequence[str], Sequence[str]]]  # what was liked, and what is suggested


def recommended(outcomes: Sequence[Outcome]) -> Sheet:
    """How much the suggestions have in common with what was liked, beside popularity and the best there is."""
    facts = facts_of()
    mine = [one for one in outcomes if one.part == "recommender"]
    liked_of = [question.liked for one in mine if one.rival == TRAINED for question in one.questions if question.liked]

    def line(name: str, pairs: Pairs) -> tuple[str, ...]:
        some = [(liked, places) for liked, places in pairs if places]
        of = max(1, len(some))
        mean = sum(shared_facts(places, liked, facts) for liked, places in some) / of
        first = sum(shared_facts(places[:1], liked, facts) for liked, places in some) / of
        return name, str(len(some)), f"{mean:.2f}", f"{first:.2f}"

    lines = [line(one.rival, ((q.liked, judged.places) for q, judged in zip(one.questions, one.judged, strict=True)))
             for one in mine]  # fmt: skip
    lines.append(line("most facts of all (popularity)", [(liked, popular(liked, facts)) for liked in liked_of]))
    lines.append(line("most shared facts (the best there is)", [(liked, closest(liked, facts)) for liked in liked_of]))
    columns = ("who", "requests", "shared facts, mean of three", "of the first")
    return Sheet("recommender: facts in common with what was liked", columns, tuple(lines))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], epilog="example: python -m benchmarks.desk --json"
    )
    parser.add_argument("--team", type=Path, default=DESK / "team.yaml", help="team.yaml (the travel desk)")
    parser.add_argument("--backbone", default=None, help="in place of the team's: default, a folder, a hub id")
    parser.add_argument("--questions", type=Path, default=FIFTH, help=f"a JSONL file ({FIFTH.relative_to(ROOT)})")
    parser.add_argument("--against", default=None, help="the address of a prompted model, an OpenAI-compatible API")
    parser.add_argument("--model", default="", help="of the model that --against serves")
    parser.add_argument("--json", action="store_true", help="print one JSON object, with what was answered wrong")
    parser.add_argument("--no-write", action="store_true", help="leave docs/figures.md as it is")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    team = Team.load(options.team, options.backbone)
    questions = read_questions(options.questions)
    parts = parts_of(team, questions)
    team.make_ready()
    against = Prompted(options.against, options.model) if options.against else None
    rivals = Rivals(team, rules=RULES, against=against)
    console = Console(stderr=True)
    with rivals, Progress(console=console, disable=not console.is_terminal) as bar:
        shown = bar.add_task("asking", total=len(questions) * len(rivals.names))
        outcomes = examine(
            rivals, parts, lambda rival, part: bar.update(shown, advance=1, description=f"{rival}: {part}")
        )
    suggested = [recommended(outcomes)] if any(one.part == "recommender" for one in outcomes) else []
    if options.json:
        print(json.dumps(report_of({"file": str(options.questions)}, rivals.told, outcomes), ensure_ascii=False))
    else:
        Console(width=160).print(team_view(outcomes, rivals.refused), *(sheet.table() for sheet in suggested))
    examination = EXAMINATIONS.get(options.questions.resolve())
    if not options.no_write and examination is not None and against is None:
        part, title, command, by = examination
        asked = f"{len(questions)} questions ({options.questions.resolve().relative_to(ROOT)}) {by}"
        write_part(part, title, command, words(rivals, outcomes, asked), [*sheets_of(outcomes), *suggested])


def words(rivals: Rivals, outcomes: Sequence[Outcome], asked: str) -> str:
    """What was done, and the verdicts, for whoever reads the tables."""
    backbone, verdicts = rivals.team.backbone, verdicts_of(outcomes)
    who = "\n".join(f"- *{name}*: {text}" for name, text in rivals.told.items())
    said = "\n".join(f"- {verdict.sentence}" for verdict in verdicts)
    return (
        f"Backbone {backbone.name} {backbone.digest()}; {time.strftime('%Y-%m-%d')}, {platform.machine()}, "
        f"{torch.get_num_threads()} thread(s). {asked}. "
        f"{LEGEND}\n\n{VERDICT}\n\n{who}\n\n{said}\n\n{losers(verdicts)}."
    )


if __name__ == "__main__":
    main()
