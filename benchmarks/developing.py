"""The questions to develop with, put to one role of the travel desk; what it got wrong, as often as one likes.

    python -m benchmarks.developing coder --backbone smollm2 --wrong

They judge nothing: heads are chosen on them, and whoever trains may look at every answer. The planner is asked for its
plan of the whole desk's requests, and is right where its agents are those of one of the right plans.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.questions import DESK, DEVELOPING, QUESTIONS
from understudy.agents.requests import message_from
from understudy.judging import Judged, judge_role
from understudy.questions import WHOLE, Question, read_questions
from understudy.workflows.team import Team

PLANNER = "planner"
FILES = (QUESTIONS, *DEVELOPING)


def asked_of(role: str, questions: Sequence[Question]) -> list[Question]:
    """The questions to ``role``; to the planner those to the whole desk."""
    if role != PLANNER:
        return [one for one in questions if one.role == role]
    whole = [one for one in questions if one.role == WHOLE and one.plans]
    return [replace(one, expect=None, unanswerable=False) for one in whole]  # a plan there is all the same


async def judged_of(team: Team, role: str, questions: Sequence[Question]) -> list[Judged]:
    """What the role made of each, all of them asked together."""
    agent = team[role]

    async def answer(one: Question) -> Judged:
        asked = {"request": one.request, "cast": team.cast} if role == PLANNER else one.request
        return judge_role(one, await agent.handle(message_from(agent.takes, asked, one.where)))

    return list(await asyncio.gather(*map(answer, questions)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], epilog="example: python -m benchmarks.developing qa --wrong"
    )
    parser.add_argument("role", choices=("planner", "coder", "qa", "recommender"))
    parser.add_argument("--backbone", default="default", help="default, smollm2, a folder with heads in heads/")
    parser.add_argument("--files", type=Path, nargs="+", default=FILES, help="JSONL (the four files to develop with)")
    parser.add_argument("--wrong", action="store_true", help="print every wrong answer")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    team = Team.load(DESK / "team.yaml", options.backbone)
    team.make_ready()
    console, told = Console(width=160), Console(stderr=True)
    table = Table("file", "right", "of", "answered", "wrong of these", "false answers", "seconds")
    wrong: list[tuple[Question, Judged]] = []
    with Progress(console=told, disable=not told.is_terminal) as bar:
        for file in bar.track(options.files, description=options.role):
            questions = asked_of(options.role, read_questions(file))
            if not questions:
                continue
            began = time.perf_counter()
            judged = asyncio.run(judged_of(team, options.role, questions))
            seconds = time.perf_counter() - began
            pairs = list(zip(questions, judged, strict=True))
            able = [one for question, one in pairs if not question.unanswerable]
            false = sum(one.answered for question, one in pairs if question.unanswerable)
            table.add_row(
                file.name, str(sum(one.right for one in judged)), str(len(judged)),
                str(sum(one.answered for one in able)), str(sum(one.answered and not one.right for one in able)),
                f"{false} of {len(pairs) - len(able)}", f"{seconds:.0f}",
            )  # fmt: skip
            wrong += [(question, one) for question, one in pairs if not one.right]
    console.print(table)
    for question, one in wrong if options.wrong else ():
        wanted = question.plans if options.role == PLANNER else question.wanted()
        said = f"{question.where}  {question.request}\n    given {one.given}\n    wanted {wanted}"
        console.print(said, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
