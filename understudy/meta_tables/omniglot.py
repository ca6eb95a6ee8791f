"""Omniglot's one-shot classification: 400 fixed decisions among 20 characters of an alphabet that was never seen.

Lake, Salakhutdinov, Tenenbaum 2019: 20 runs, each with 20 characters drawn once by one drawer and once more by another;
learned from a minimal background set of five alphabets. What is learned on are tasks made the same way: 20 characters
of one alphabet (and of another where it has fewer), one drawer's drawings shown and two others' asked.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from ..core.errors import UnderstudyError
from ..core.meta.anil import ANIL
from ..core.meta.learner import MetaLearner
from ..core.meta.maml import MAML
from ..core.meta.outer import Outer
from ..core.meta.prototype import Prototype
from ..core.meta.tasks import start_of
from .convolutions import Episode, FourConvolutions, answers, episode_tasks
from .omniglot_images import Run, background, one_shot_runs

WAYS, DRAWERS, TASKS = 20, 3, 4
BACKGROUNDS = ("small1", "small2")
SAVE_SECONDS = 120.0


@dataclass(frozen=True)
class Row:
    """One row of the table: an algorithm with its settings, and what it learns on.

    Attributes:
        varied: pictures learned on are turned, moved and scaled a little, each for itself.
    """

    name: str
    algorithm: Callable[..., Outer]
    iterations: int
    width: int = 64
    varied: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


ROWS = (
    Row("prototype", Prototype, 1000),
    Row("maml", MAML, 1500, 32, settings={"steps": 3, "inner_rate": 0.1}),
    Row("anil", ANIL, 1500, 32, settings={"steps": 3, "inner_rate": 1.0}),
    Row("prototype-varied", Prototype, 1000, varied=True),
)


def draw(alphabets: Sequence[Tensor], source: torch.Generator, ways: int = WAYS, varied: bool = False) -> Episode:
    """A task of one alphabet: its characters in a random order, one drawer shown, the others asked.

    An alphabet with fewer than so many ``ways`` is filled up with characters of others.

    Raises:
        UnderstudyError: all alphabets together have fewer.
    """
    if (every := sum(map(len, alphabets))) < ways:
        raise UnderstudyError(f"the alphabets have {every} characters", mend=f"a task needs {ways}")
    number = int(torch.randint(len(alphabets), (), generator=source))
    drawings = alphabets[number]
    further = int(torch.randint(1, len(alphabets), (), generator=source)) if len(drawings) < ways else 0
    while (short := ways - len(drawings)) > 0:
        other = alphabets[(number + further) % len(alphabets)]
        drawings = torch.cat([drawings, other[torch.randperm(len(other), generator=source)[:short]]])
        further = further % (len(alphabets) - 1) + 1
    characters = torch.randperm(len(drawings), generator=source)[:ways]
    drawers = torch.randperm(drawings.shape[1], generator=source)[:DRAWERS]
    chosen = drawings[characters][:, drawers].transpose(0, 1).flatten(0, 1).unsqueeze(1)
    if varied:
        chosen = vary(chosen, source)
    classes = torch.arange(len(characters))
    return chosen[: len(classes)], classes, chosen[len(classes) :], classes.repeat(len(drawers) - 1)


def vary(pictures: Tensor, source: torch.Generator) -> Tensor:
    """Each picture turned by up to 10°, scaled by up to a tenth and moved by up to two pixels."""
    turn, scale, right, down = torch.rand(4, len(pictures), generator=source) * 2 - 1
    turn, scale = turn * math.radians(10), 1 + scale / 10
    first = torch.stack([scale * turn.cos(), -scale * turn.sin(), right / 7], 1)
    second = torch.stack([scale * turn.sin(), scale * turn.cos(), down / 7], 1)
    grid = affine_grid(torch.stack([first, second], 1), list(pictures.shape), align_corners=False)
    return grid_sample(pictures, grid, align_corners=False)


def wrong_answers(learner: MetaLearner, network: FourConvolutions, runs: Sequence[Run]) -> list[int]:
    """How many decisions of each run are wrong."""
    found = []
    for run in runs:
        episode = (run.shown, torch.arange(len(run.shown)), run.asked, run.right)
        parameters = learner.adapt(episode_tasks(network, [episode]))
        found.append(int((answers(network, parameters, episode) != run.right).sum()))
    return found


def measure(
    row: Row, set_name: str, data: Path, out: Path, seed: int = 0,
    on_step: Callable[[int, int, float], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Learn on a background set, answer the runs, and write what was found to ``out``; a run that was stopped goes on.

    Args:
        data: the folder that has ``images/omniglot``.
        on_step: called with the step, of how many, and its query loss.
    """
    folder = data / "images" / "omniglot"
    alphabets, runs = background(folder / f"images_background_{set_name}.zip"), one_shot_runs(folder / "all_runs.zip")
    ways = len(runs[0].shown)
    network = FourConvolutions(ways, row.width, seed)
    # The clock is written before the checkpoint that it belongs to, so that a stop between both counts too much time.
    checkpoint, clock = out.with_suffix(".safetensors"), out.with_suffix(".seconds")
    learner = row.algorithm(start_of(network), seed=seed, **row.settings)
    before = 0.0
    out.parent.mkdir(parents=True, exist_ok=True)
    if checkpoint.exists():
        learner.resume(checkpoint)
        before = float(clock.read_text(encoding="utf-8"))
    began = saved = time.perf_counter()
    while learner.number < row.iterations:
        source = torch.Generator().manual_seed(seed * 1_000_003 + learner.number)
        episodes = [draw(alphabets, source, ways, row.varied) for _ in range(TASKS)]
        loss = learner.outer_step(episode_tasks(network, episodes))["loss"]
        now = time.perf_counter()
        if now - saved > SAVE_SECONDS or learner.number == row.iterations:
            clock.write_text(str(before + now - began), encoding="utf-8")
            learner.save(checkpoint.with_suffix(".new"))
            os.replace(checkpoint.with_suffix(".new"), checkpoint)
            saved = now
        if on_step:
            on_step(learner.number, row.iterations, loss)
    wrong = wrong_answers(learner, network, runs)
    found = {
        "row": row.name, "background": set_name, "wrong": sum(wrong), "of": sum(len(run.right) for run in runs),
        "wrong_by_run": wrong, "iterations": row.iterations, "tasks": TASKS, "width": row.width,
        "settings": dict(row.settings), "seed": seed, "seconds": round(float(clock.read_text(encoding="utf-8")), 1),
    }  # fmt: skip
    out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return found
