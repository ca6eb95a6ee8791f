"""Accuracy of the four shipped roles beside no head, an untrained head, another role's head and plain rules.

    python -m benchmarks.roles --n 200
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from benchmarks.judging import Judged, judge_role, judge_team, same
from benchmarks.questions import DESK, Question, closest, facts_of, popular, read_questions, shared_facts
from benchmarks.rivals import RIVALS, ROLES, Rivals
from benchmarks.shares import Share, Sheet, write_part
from understudy.agents.generators import GENERATORS
from understudy.agents.messages import Message, PlanRequest, Task
from understudy.agents.recommender import PLACES, ranked
from understudy.core.errors import UnderstudyError
from understudy.workflows.team import Team

SEED = "evaluation"
SHOWN = 40  # wrong answers on generated examples that --json prints


def on_generated(rivals: Rivals, names: Sequence[str], n: int) -> list[dict[str, Any]]:
    """Each role's rivals on ``n`` examples from worlds that no training has drawn, all values exact."""
    rows = []
    for role in ROLES:
        rng = random.Random(f"{SEED}:{role}")
        examples = [GENERATORS[role](rng) for _ in range(n)]
        for rival in names:
            found = rivals.values(rival, role, examples)
            alike = same_ranking if role == "recommender" else same
            right = [alike(values, one.values) for values, one in zip(found, examples, strict=True)]
            row: dict[str, Any] = {"role": role, "rival": rival, "right": Share.of(right)}
            if role == "recommender":
                pairs = [(values, one.values) for values, one in zip(found, examples, strict=True)]
                row["first"] = Share.of([first_is_best(got["places"], one["places"]) for got, one in pairs])
                row["liked"] = Share.of([same(got["liked"], one["liked"]) for got, one in pairs])
            row["wrong"] = [
                {"message": dict(one.prompt.message), "wanted": plainly(one.values), "found": plainly(values)}
                for ok, values, one in zip(right, found, examples, strict=True) if not ok
            ][:SHOWN]  # fmt: skip
            rows.append(row)
    return rows


def first_is_best(found: Mapping[str, float], wanted: Mapping[str, str]) -> bool:
    """Whether the first place has a grade that no other place exceeds."""
    return wanted[ranked(found)[0]] == max(wanted.values())


def same_ranking(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether the same was liked, and the three places have the three highest grades in their order."""
    grades = [wanted["places"][name] for name in ranked(found["places"])]
    return same(found["liked"], wanted["liked"]) and grades == sorted(wanted["places"].values(), reverse=True)[:PLACES]


def plainly(value: Any) -> Any:
    """Values as JSON takes them; spans as their text."""
    if isinstance(value, Mapping):
        return {key: plainly(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plainly(part) for part in value]
    return getattr(value, "text", value)


async def on_desk(rivals: Rivals, names: Sequence[str], questions: Sequence[Question]) -> list[dict[str, Any]]:
    """Each role's rivals on the written questions, through the role itself with the real store and SQL tool."""
    rows = []
    for role in ROLES:
        asked = [one for one in questions if one.role == role or role == "planner" and one.role == "team"]
        for rival in names:
            agent = rivals.agent(rival, role)

            async def answer(one: Question, agent: Any = agent, role: str = role) -> Judged:
                task: Message = Task(request=one.request)
                if role == "planner":
                    task = PlanRequest(request=one.request, cast=rivals.team.cast)
                try:
                    return judge_role(one, await agent.handle(task))
                except UnderstudyError as error:
                    return Judged(one.id, False, str(error), failed=True)

            judged = list(await asyncio.gather(*(answer(one) for one in asked)))
            rows.append({"role": role, "rival": rival, **figures(asked, judged)})
    return rows


def figures(asked: Sequence[Question], judged: Sequence[Judged]) -> dict[str, Any]:
    """The share that is right, of answers given, of false answers where none can be given; and what was wrong."""
    hopeless = [j for q, j in zip(asked, judged, strict=True) if q.unanswerable]
    return {
        "right": Share.of([j.right for j in judged]),
        "answered": Share.of([not j.abstained for q, j in zip(asked, judged, strict=True) if not q.unanswerable]),
        "false": Share.of([not j.abstained for j in hopeless]),
        "places": [(q.liked, j.places) for q, j in zip(asked, judged, strict=True) if q.liked and j.places],
        "wrong": [j.document() | {"request": q.request, "wanted": list(q.plans or q.values or q.liked)}
                  for q, j in zip(asked, judged, strict=True) if not j.right],
    }  # fmt: skip


def on_team(rivals: Rivals, names: Sequence[str], questions: Sequence[Question]) -> list[dict[str, Any]]:
    """Whole requests through the team's workflow, one after the other."""
    team = rivals.team
    scope = {"name": team.name, "does": team.does, "cast": team.cast}
    known = set(facts_of())
    rows = []
    for rival in names:
        agents = {role: rivals.agent(rival, role) for role in ROLES}
        judged, seconds = [], []
        for one in questions:
            began = time.perf_counter()
            result = team.workflow.run_sync(Task(request=one.request), agents=agents, team=scope)
            seconds.append(time.perf_counter() - began)
            judged.append(judge_team(one, result, known))
        two = [j for q, j in zip(questions, judged, strict=True) if len(q.plans[0]) > 1]
        rows.append({
            "rival": rival, "planned": Share.of([j.planned for j in judged]), **figures(questions, judged),
            "two planned": Share.of([j.planned for j in two]), "two right": Share.of([j.right for j in two]),
            "seconds": sorted(seconds),
        })  # fmt: skip
    return rows


def recommended(rows: Sequence[Mapping[str, Any]]) -> Sheet:
    """What was recommended: never visited, never unknown, and how much it has in common with what was liked."""
    facts = facts_of()
    lines = []
    liked_of = [liked for row in rows if row["rival"] == "trained head" for liked, _ in row["places"]]

    def line(name: str, pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> tuple[str, ...]:
        visited = sum(place in liked for liked, places in pairs for place in places)
        unknown = sum(place not in facts for _, places in pairs for place in places)
        mean = sum(shared_facts(places, liked, facts) for liked, places in pairs) / max(1, len(pairs))
        first = sum(shared_facts(places[:1], liked, facts) for liked, places in pairs) / max(1, len(pairs))
        return name, str(visited), str(unknown), f"{mean:.2f}", f"{first:.2f}"

    for row in rows:
        lines.append(line(row["rival"], row["places"]))
    lines.append(line("most facts of all (popularity)", [(liked, popular(liked, facts)) for liked in liked_of]))
    lines.append(line("most shared facts (the best there is)", [(liked, closest(liked, facts)) for liked in liked_of]))
    return Sheet("What the recommender suggests on the desk questions", (
        "who", "visited", "unknown", "shared facts, mean of three", "of the first"), tuple(lines))  # fmt: skip


def grid(title: str, rows: Sequence[Mapping[str, Any]], names: Sequence[str], key: str = "right") -> Sheet:
    """Roles down, rivals across."""
    lines = []
    for role in dict.fromkeys(row["role"] for row in rows):
        mine = {row["rival"]: row for row in rows if row["role"] == role}
        lines.append((f"{role} ({mine[names[0]][key].total})", *(str(mine[name][key]) for name in names)))
    return Sheet(title, ("role (n)", *names), tuple(lines))


def sheets_of(generated: Sequence[Mapping[str, Any]], desk: Sequence[Mapping[str, Any]],
              team: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Sheet]:
    """All tables."""
    out = []
    if generated:
        out.append(grid("Generated examples, worlds not seen in training: all values exact", generated, names))
        ranked = [row for row in generated if row["role"] == "recommender"]
        lines = tuple((label, *(str(row[key]) for row in ranked)) for label, key in (
            ("what was liked", "liked"), ("first place", "first"), ("the three best in order", "right")))  # fmt: skip
        out.append(Sheet("Generated examples: the recommender's parts", ("part", *names), lines))
    if desk:
        out.append(grid("Desk questions, each role by itself: right", desk, names))
        reads = [row for row in desk if row["role"] == "qa"]
        lines = tuple((label, *(str(row[key]) for row in reads)) for label, key in (
            ("answered, of 20 that can be", "answered"), ("false answers, of 5 that cannot", "false")))  # fmt: skip
        out.append(Sheet("Desk questions: whether qa abstains", ("share", *names), lines))
        out.append(recommended([row for row in desk if row["role"] == "recommender"]))
    if team:
        lines = tuple(
            (row["rival"], str(row["planned"]), str(row["right"]), str(row["two planned"]), str(row["two right"]),
             f"{row['seconds'][len(row['seconds']) // 2]:.2f} s", f"{row['seconds'][-1]:.2f} s")
            for row in team
        )  # fmt: skip
        out.append(Sheet("Whole requests through the team", (
            "who", "plan right (35)", "answer right (35)", "two roles: plan (12)", "two roles: answer (12)",
            "seconds, median", "longest"), lines))  # fmt: skip
    return out


def document(value: Any) -> Any:
    """What a run gives, as JSON values."""
    if isinstance(value, Share):
        return value.document()
    if isinstance(value, Mapping):
        return {key: document(part) for key, part in value.items()}
    return [document(part) for part in value] if isinstance(value, list | tuple) else value


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], epilog="example: python -m benchmarks.roles --n 200 --json"
    )
    parser.add_argument("--team", type=Path, default=DESK / "team.yaml", help="team.yaml (the travel desk)")
    parser.add_argument("--backbone", default=None, help="in place of the team's: default, a folder, a hub id")
    parser.add_argument("--n", type=int, default=200, help="generated examples a role; 0 for none (200)")
    parser.add_argument("--only", nargs="*", choices=tuple(RIVALS), default=None, help="these rivals (all)")
    parser.add_argument("--skip", nargs="*", choices=("desk", "team"), default=(), help="leave out these parts")
    parser.add_argument("--json", action="store_true", help="print one JSON object, with what was answered wrong")
    parser.add_argument("--no-write", action="store_true", help="leave docs/figures.md as it is")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    names = [name for name in RIVALS if options.only is None or name in options.only]
    team = Team.load(options.team, options.backbone)
    team.make_ready()
    rivals, questions = Rivals(team), read_questions()
    generated = on_generated(rivals, names, options.n) if options.n else []
    desk = [] if "desk" in options.skip else asyncio.run(on_desk(rivals, names, questions))
    whole = [] if "team" in options.skip else on_team(rivals, names, [one for one in questions if one.role == "team"])
    sheets = sheets_of(generated, desk, whole, names)
    if options.json:
        print(json.dumps(document({"generated": generated, "desk": desk, "team": whole}), ensure_ascii=False))
    else:
        for sheet in sheets:
            sheet.show(Console(width=160))
    if not options.no_write and options.only is None and not options.skip and options.n:
        given = f" --n {options.n}" if options.n != 200 else ""
        write_part("roles", "Roles: heads and what could stand in their place", f"python -m benchmarks.roles{given}",
                   words(rivals, options.n), sheets)  # fmt: skip


def words(rivals: Rivals, n: int) -> str:
    """What was done, for whoever reads the tables."""
    who = "\n".join(f"- *{name}*: {text}" for name, text in RIVALS.items())
    digest = rivals.team.backbone.digest()
    return (
        f"Backbone {rivals.team.backbone.name} {digest}, heads of {max(rivals.bytes.values()) / 1e6:.2f} MB; "
        f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {torch.get_num_threads()} thread(s). {n} generated "
        "examples a role, from seeds of their own; 100 desk questions (benchmarks/desk_questions.jsonl), written by "
        "someone who had not read the templates of the training examples, and never trained or tuned on. Shares with "
        f"their 95 % Wilson interval.\n\n{who}"
    )


if __name__ == "__main__":
    main()
