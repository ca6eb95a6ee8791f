"""A start for any backbone: what ``understudy train meta`` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from .core.backbone import Backbone
from .core.corpora import read_corpora
from .core.errors import UnderstudyError
from .core.meta.learner import Tasks
from .core.meta.maml import inner_step
from .core.meta.start import Start
from .core.meta.training import MetaRecipe, meta_train
from .core.texts import read_sentences
from .mixture import episodes, self_supervised

SENTENCES = 120_000
"""Plain sentences that tasks of masked words are made of."""


WATCHED = (16, 20)
"""Demonstrations and questions of each task that is looked at to stop early."""


def watching(backbone: Backbone, data: Path, recipe: MetaRecipe) -> Callable[[Start], float]:
    """A start → the mean query loss after adapting to one task of each family that is kept for choosing settings.

    Raises UnderstudyError where the data has no such task.
    """
    from .meta_tables.heads import asked_tasks

    sites = None if recipe.layers == "top" else ()
    every = [one.tasks for one in asked_tasks(backbone, data, *WATCHED, sites)]
    return lambda start: sum(_after(start, tasks, recipe) for tasks in every) / len(every)


def _after(start: Start, tasks: Tasks, recipe: MetaRecipe) -> float:
    rates = start.rates or {name: torch.tensor(recipe.first_rate) for name in start.tensors}
    parameters = dict(start.tensors)
    for _ in range(recipe.steps):
        own = {name: tensor.detach().requires_grad_(True) for name, tensor in parameters.items()}
        parameters = inner_step(tasks.support, own, rates)
    with torch.no_grad():
        return float(tasks.query(parameters))


def train_start(
    name: str, data: Path, out: Path, recipe: MetaRecipe, *, origin: Path | None = None, rank: int = 8,
    on_step: Callable[[int, float, Sequence[float]], None] | None = None,
) -> list[Sequence[float]]:  # fmt: skip
    """Meta-train where the heads of a backbone begin, on the tasks of a data folder, and write it to ``out``.

    Args:
        name: a shipped backbone, a folder, or a hub id.
        origin: a start to go on from; a random one otherwise.

    Returns:
        The query losses after each inner step, one list for each outer step.

    Raises:
        UnderstudyError: no such backbone, data or start, or a loss is not finite.
    """
    backbone = Backbone.load(name)
    begin = Start.load(origin).over(backbone.sites) if origin else Start.plain(backbone.sites, rank)
    draw = episodes(self_supervised(read_corpora(data), read_sentences(data, SENTENCES)))
    if out.is_dir():
        raise UnderstudyError("this is a folder", where=str(out), mend="give a file, such as start.safetensors")
    trace: list[Sequence[float]] = []

    def note(step: int, seconds: float, losses: Sequence[float]) -> None:
        trace.append(losses)
        if on_step:
            on_step(step, seconds, losses)

    watch = watching(backbone, data, recipe) if recipe.patience else None
    start = meta_train(backbone, begin, draw, recipe, note, watch)
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_suffix(".draft")
    start.save(draft)
    draft.replace(out)
    return trace
