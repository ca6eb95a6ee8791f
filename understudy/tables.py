"""What ``understudy train tables`` measures: the few-shot table of a backbone, and its portrait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from .core.backbone import Backbone
from .core.corpora import read_asked
from .core.errors import UnderstudyError
from .core.meta.start import Start
from .few_shot import Arm, Bench, Outcome, arms
from .few_shot_rivals import Rivals
from .origin import MULTITASK, folder_of
from .portrait import portrait


def starts_of(backbone: Backbone, name: str) -> dict[str, Start]:
    """The starts that a backbone has: a random one, and those that lie in its folder."""
    found = {"random": Start.plain(backbone.sites)}
    files = {"multi-task": folder_of(name) / MULTITASK, "meta-learned": folder_of(name) / "start.safetensors"}
    return found | {kind: Start.load(file).over(backbone.sites) for kind, file in files.items() if file.is_file()}


def _named(grid: Sequence[Arm], part: str) -> list[Arm]:
    """The arm of that name, or those whose names have it in them."""
    return [arm for arm in grid if arm.name == part] or [arm for arm in grid if part in arm.name]


def few_shot(
    data: Path, name: str, split: str, names: Sequence[str], sizes: Sequence[int], draws: int, questions: int,
    wanted: str, encoder: Path | None, work: Path, on_task: Callable[[int, int, str], None],
) -> tuple[list[Outcome], dict[str, str]]:  # fmt: skip
    """Measure: every outcome, and what the table says of how they were got.

    Args:
        wanted: ``all`` arms, or names and parts of names, separated by commas.

    Raises:
        UnderstudyError: no such tasks, arms or backbone.
    """
    backbone = Backbone.load(name)
    starts = starts_of(backbone, name)
    grid = arms(list(starts))
    chosen = grid if wanted == "all" else [arm for part in wanted.split(",") for arm in _named(grid, part.strip())]
    if not chosen:
        raise UnderstudyError(f"no arm is called {wanted!r}", mend="; ".join(arm.name for arm in grid))
    corpora = read_asked(data, split, names)
    if not corpora:
        what = "none of these tasks can be asked: trained on, neither choices nor spans, or not there"
        raise UnderstudyError(what, where=str(data), mend="docs/data.md says what the folder holds")
    bench = Bench(backbone, starts, Rivals(backbone, encoder), work / "few-shot.jsonl")
    outcomes = bench.run(corpora, sizes, draws, questions, chosen, on_task)
    about = {
        "backbone": f"{backbone.name} ({backbone.digest()})",
        "tasks": f"{split} ({len(corpora)} that are choices or spans)",
        "questions": f"at most {questions} of each task and draw; at most {min(10, *sizes)} labels, shown in "
        "turn; texts of at most 300 characters",
        "arms": "*readout*: the head is the start's upper third as it is; *nothing*: the whole start as it is. Of a "
        "meta-learned start, which has the upper third alone, lower layers begin at nothing and move at its mean rates",
        "figures": "means of families in percent, with the 95 % bootstrap interval over families; the columns after "
        "those are of the most demonstrations: what was answered above the threshold that left-out demonstrations "
        "give for 5 or 20 % expected wrong answers; the largest share that could have been answered so in hindsight; "
        "seconds",
        "neither choices, spans nor slots": ", ".join(sorted(set(names) - {c.name for c in corpora})) or "none",
        "machine": f"{torch.get_num_threads()} CPU threads",
    }  # fmt: skip
    return outcomes, about


def drawn(name: str, data: Path, encoder: Path | None) -> tuple[dict[str, Any], str]:
    """The portrait of a backbone: its figures, and the same as Markdown."""
    backbone = Backbone.load(name)
    seen = portrait(backbone, Start.of_backbone(folder_of(name), backbone.sites), data, encoder)
    role = seen["chinese"]
    lines = [
        f"# {backbone.name} ({backbone.digest()})", "", f"- validation bits per byte: {seen['bits_per_byte']}",
        f"- a role from eight Chinese demonstrations: {role['right']} of {role['of']} unseen messages right, "
        f"{role['left_out']:.0%} of those left out",
    ]  # fmt: skip
    if "neighbours" in seen:
        lines.append(f"- ten sentences nearest by the encoder, of these among ours: {seen['neighbours']:.1%}")
    return seen, "\n".join([*lines, "", "Ten samples, as they came:", "", *(f"    {s}" for s in seen["samples"]), ""])
