"""The four shipped roles on generated worlds, beside no head, an untrained head, another role's head and plain rules.

    python -m benchmarks.roles --n 200
"""

from __future__ import annotations

import argparse
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

from benchmarks.questions import DESK
from benchmarks.shares import Sheet, write_part
from understudy.agents.generators import GENERATORS
from understudy.agents.recommender import PLACES, ranked
from understudy.evaluation import Rate
from understudy.rivals import Rivals
from understudy.workflows.team import Team

RULES = Path(__file__).with_name("rules_desk.py")
SEED = "evaluation"
SHOWN = 40  # wrong answers on generated examples that --json prints


def on_generated(rivals: Rivals, names: Sequence[str], n: int) -> list[dict[str, Any]]:
    """Each role's rivals on ``n`` examples from worlds that no training has drawn, all values exact."""
    rows = []
    for role in GENERATORS:
        rng = random.Random(f"{SEED}:{role}")
        examples = [GENERATORS[role](rng) for _ in range(n)]
        for rival in names:
            found = rivals.values(rival, role, examples)
            alike = same_ranking if role == "recommender" else same
            right = [alike(values, one.values) for values, one in zip(found, examples, strict=True)]
            row: dict[str, Any] = {"role": role, "rival": rival, "right": Rate.of(right)}
            if role == "recommender":
                pairs = [(values, one.values) for values, one in zip(found, examples, strict=True)]
                row["first"] = Rate.of(first_is_best(got["places"], one["places"]) for got, one in pairs)
                row["liked"] = Rate.of(same(got["liked"], one["liked"]) for got, one in pairs)
            row["wrong"] = [
                {"message": dict(one.prompt.message), "wanted": plainly(one.values), "found": plainly(values)}
                for ok, values, one in zip(right, found, examples, strict=True) if not ok
            ][:SHOWN]  # fmt: skip
            rows.append(row)
    return rows


def same(found: Any, wanted: Any) -> bool:
    """Equal values; spans are equal when their text is, wherever it stands, and one without text is none."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(same(found.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list | tuple):
        alike = isinstance(found, list | tuple) and len(found) == len(wanted)
        return alike and all(same(one, other) for one, other in zip(found, wanted, strict=True))
    return bool((getattr(found, "text", found) or None) == (getattr(wanted, "text", wanted) or None))


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


def grid(title: str, rows: Sequence[Mapping[str, Any]], names: Sequence[str], key: str = "right") -> Sheet:
    """Roles down, rivals across."""
    lines = []
    for role in dict.fromkeys(row["role"] for row in rows):
        mine = {row["rival"]: row for row in rows if row["role"] == role}
        lines.append((f"{role} ({mine[names[0]][key].total})", *(mine[name][key].cell for name in names)))
    return Sheet(title, ("role (n)", *names), tuple(lines))


def sheets_of(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Sheet]:
    """All tables."""
    ranked = [row for row in rows if row["role"] == "recommender"]
    lines = tuple((label, *(row[key].cell for row in ranked)) for label, key in (
        ("what was liked", "liked"), ("first place", "first"), ("the three best in order", "right")))  # fmt: skip
    return [grid("Worlds not seen in training: all values exact", rows, names),
            Sheet("The recommender's parts", ("part", *names), lines)]  # fmt: skip


def document(value: Any) -> Any:
    """What a run gives, as JSON values."""
    if isinstance(value, Rate):
        return value.as_json()
    if isinstance(value, Mapping):
        return {key: document(part) for key, part in value.items()}
    return [document(part) for part in value] if isinstance(value, list | tuple) else value


def main() -> None:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0], epilog="example: python -m benchmarks.roles --n 200 --json"
    )
    parser.add_argument("--team", type=Path, default=DESK / "team.yaml", help="team.yaml (the travel desk)")
    parser.add_argument("--backbone", default=None, help="in place of the team's: default, a folder, a hub id")
    parser.add_argument("--n", type=int, default=200, help="generated examples a role (200)")
    parser.add_argument("--json", action="store_true", help="print one JSON object, with what was answered wrong")
    parser.add_argument("--no-write", action="store_true", help="leave docs/figures.md as it is")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    team = Team.load(options.team, options.backbone)
    team.make_ready()
    rivals = Rivals(team, rules=RULES)
    rows = on_generated(rivals, rivals.names, options.n)
    sheets = sheets_of(rows, rivals.names)
    if options.json:
        print(json.dumps(document({"generated": rows}), ensure_ascii=False))
    else:
        for sheet in sheets:
            sheet.show(Console(width=160))
    if not options.no_write:
        given = f" --n {options.n}" if options.n != 200 else ""
        write_part("roles", "Roles: heads and what could stand in their place", f"python -m benchmarks.roles{given}",
                   words(rivals, options.n), sheets)  # fmt: skip


def words(rivals: Rivals, n: int) -> str:
    """What was done, for whoever reads the tables."""
    backbone, who = rivals.team.backbone, "\n".join(f"- *{name}*: {text}" for name, text in rivals.told.items())
    folders = [agent.member.head for agent in rivals.team.agents.values() if agent.member.head]
    largest = max(sum(file.stat().st_size for file in folder.iterdir()) for folder in folders)
    return (
        f"Backbone {backbone.name} {backbone.digest()}, heads of {largest / 1e6:.2f} MB; {time.strftime('%Y-%m-%d')}, "
        f"{platform.machine()}, {torch.get_num_threads()} thread(s). {n} generated examples a role, from seeds of "
        f"their own. Shares with their 95 % Wilson interval.\n\n{who}"
    )


if __name__ == "__main__":
    main()
