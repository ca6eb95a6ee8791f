"""Meta-training: many tasks a batch through the head bank, to learn where heads start and how fast they move."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from ..backbone import Backbone
from ..bank import HeadStack, active
from ..batches import Batch, collate, decision_losses, per_row
from ..demonstrations import render
from ..errors import UnderstudyError
from ..precision import adapting_precision
from ..prompts import Example
from ..trunk import Trunk, upper_sites
from .adversarial import attacked_tasks
from .augmentation import augmented
from .dropout import thinned
from .learner import Tasks, Tensors
from .maml import outer_loss
from .start import Start
from .stopping import Stopping

Episode = tuple[Sequence[Example], Sequence[Example]]


@dataclass(frozen=True)
class MetaRecipe:
    """How to meta-train: N tasks a step, ``at_once`` of them in memory, ``steps`` inner steps, wall-clock minutes.

    ``rows``: gradients of an inner step are added up over so many rows at a time; 0 takes all together.

    ``layers``: those whose heads learn, as in adaptation; below them the trunk is run once for all steps of a task.

    ``augment``: the share of examples of which another wording is learned from (:mod:`.augmentation`); ``dropout``: of
    the heads' directions that are out in a step (:mod:`.dropout`); ``attack``: by how much of their norm embeddings are
    moved to what hurts most (:mod:`.adversarial`), for which the trunk is run at every inner step; ``patience``: looks
    at tasks to watch, one every ``look`` steps, that may bring nothing better (:mod:`.stopping`); each 0 for none.
    """

    minutes: float = 6.0
    tasks: int = 8
    at_once: int = 8
    rows: int = 0
    layers: str = "top"
    steps: int = 4
    outer_rate: float = 1e-3
    rates_rate: float = 5e-2
    first_rate: float = 0.5
    seed: int = 0
    augment: float = 0.0
    dropout: float = 0.0
    attack: float = 0.0
    patience: int = 0
    look: int = 20


def stacked_loss(
    backbone: Backbone, batch: Batch, task: Tensor, tasks: int, sites: Iterable[str] = (), rows: int = 0
) -> Callable[[Tensors], Tensor]:
    """Parameters [N, …] → the mean decision loss of each task [N]; ``task`` [B] says whose row each is.

    Args:
        sites: those of the heads, so that what lies below them is run once, however often the loss is asked for.
        rows: gradients are added up over so many rows at a time, whose activations alone are held in memory, at the
            price of a second forward pass (Chen et al. 2016); 0 holds all.
    """
    sites = tuple(sites)
    size = rows if 0 < rows < len(batch.ids) else len(batch.ids)
    pieces = []
    for first in range(0, len(batch.ids), size):
        some = batch.rows(first, first + size)
        trunk = Trunk.of(backbone, some.ids, sites, adapting_precision()) if sites else None
        pieces.append((some, task[first : first + size], trunk))
    counts = torch.zeros(tasks).index_add(0, task[batch.row], torch.ones(len(batch.row))).clamp(min=1)

    def sums(piece: int, names: Sequence[str], *tensors: Tensor) -> Tensor:
        some, whose, trunk = pieces[piece]
        pairs = HeadStack.of_tensors(dict(zip(names, tensors, strict=True))).of_rows(whose)
        precision = adapting_precision()
        narrow = torch.autocast("cpu", precision, enabled=precision != torch.float32)
        with narrow, active(backbone.context, pairs):
            if trunk:
                states = trunk.decided(torch.arange(len(some.ids)), some.row, some.at)
            else:
                states = backbone.hidden(some.ids)
            losses, _ = decision_losses(backbone, some, states)
        return torch.zeros(tasks).index_add(0, whose[some.row], losses)

    def loss(parameters: Tensors) -> Tensor:
        names = sorted(parameters)
        beside = {name.rpartition("|")[0] for name in names} - set(sites)
        if sites and beside:
            what = f"the heads have sites beside those that the tasks were made for, as {min(beside)}"
            raise UnderstudyError(what, mend="begin with Start.on(sites), or make the tasks without sites")
        tensors = [parameters[name] for name in names]
        if len(pieces) == 1:
            return sums(0, names, *tensors) / counts
        parts = [checkpoint(sums, piece, names, *tensors, use_reentrant=False) for piece in range(len(pieces))]
        return torch.stack(parts).sum(0) / counts

    return loss


def stack_episodes(backbone: Backbone, sides: Sequence[Sequence[Example]]) -> tuple[Batch, Tensor]:
    """The examples of all tasks as one batch, and [B] whose task each row is."""
    rendered = [render(example, backbone) for side in sides for example in side]
    task = torch.tensor([number for number, side in enumerate(sides) for _ in side])
    return collate(rendered, backbone.markers.pad), task


def meta_train(
    backbone: Backbone,
    start: Start,
    draw: Callable[[random.Random], Episode],
    recipe: MetaRecipe,
    on_step: Callable[[int, float, Sequence[float]], None] | None = None,
    watch: Callable[[Start], float] | None = None,
) -> Start:
    """First-order MAML with per-tensor rates and multi-step loss over drawn episodes, on the frozen backbone.

    The gradients of a step's tasks are added up ``at_once`` at a time, so that memory does not grow with their number.

    Args:
        start: where to begin; its rates are taken where it has some. Of the layers that learn only.
        draw: random generator → (support, query) examples of one task.
        on_step: called with step, seconds, and the mean query loss after each inner step.
        watch: a start → what has to fall, on tasks that nothing is learned from; with ``patience`` training ends when
            it no longer does, and the best start that was looked at is given.

    Raises:
        UnderstudyError: a loss is not finite, or there is patience and nothing to watch.
    """
    if recipe.patience and watch is None:
        raise UnderstudyError("patience needs tasks to watch", mend="give meta_train a watch, or no patience")
    if recipe.layers == "top":
        start = start.on(upper_sites(backbone))
    sites = () if recipe.attack else tuple(start.stack().down)
    stopping = Stopping(recipe.patience)
    tensors = {name: t.clone().requires_grad_(True) for name, t in start.tensors.items()}
    logs = {}
    for name in tensors:
        first = float(start.rates[name]) if start.rates else recipe.first_rate
        logs[name] = torch.tensor(first).log().requires_grad_(True)
    optimiser = torch.optim.Adam(
        [
            {"params": list(tensors.values()), "lr": recipe.outer_rate},
            {"params": list(logs.values()), "lr": recipe.rates_rate},
        ]
    )
    weights = torch.linspace(0.5, 1.0, recipe.steps)
    weights = weights / weights.sum()
    began, number = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - began) < recipe.minutes * 60:
        rng = random.Random(recipe.seed * 7_919 + number)
        episodes = [_reworded(draw(rng), recipe.augment, rng) for _ in range(recipe.tasks)]
        traces: list[Tensor] = []
        for first in range(0, len(episodes), recipe.at_once):
            some = episodes[first : first + recipe.at_once]
            sides = [stack_episodes(backbone, [episode[side] for episode in some]) for side in (0, 1)]
            support, query = (stacked_loss(backbone, *side, len(some), sites, recipe.rows) for side in sides)
            tasks = Tasks(support, query, len(some))
            if recipe.attack:
                tasks = attacked_tasks(tasks, backbone.model.get_input_embeddings(), recipe.attack)
            tasks = thinned(tasks, tensors, recipe.dropout, recipe.seed * 7_919 + number)
            rates = {name: value.exp() for name, value in logs.items()}
            total, trace = outer_loss(
                tasks.support, tasks.query, tensors, rates, len(some), recipe.steps, weights=weights
            )
            if not bool(torch.isfinite(total)):
                where = f"meta step {number}"
                raise UnderstudyError("the outer loss is not finite", where=where, mend="lower the rates")
            (total * len(some) / len(episodes)).backward()
            traces.append(torch.stack(trace).sum(1))
        torch.nn.utils.clip_grad_norm_(list(tensors.values()), 1.0)
        factor = min(1.0, max(0.05, (1 - elapsed / (recipe.minutes * 60)) / 0.4))
        optimiser.param_groups[0]["lr"] = recipe.outer_rate * factor
        optimiser.param_groups[1]["lr"] = recipe.rates_rate * factor
        optimiser.step()
        optimiser.zero_grad()
        number += 1
        if on_step:
            on_step(number, elapsed, (torch.stack(traces).sum(0) / len(episodes)).tolist())
        if watch and recipe.patience and number % recipe.look == 0:
            stopping.note(watch(_start(tensors, logs)), tensors | {f"log|{name}": log for name, log in logs.items()})
            if stopping.over:
                break
    if stopping.kept:
        stopping.put_back(tensors | {f"log|{name}": log for name, log in logs.items()})
    return _start(tensors, logs)


def _start(tensors: Tensors, logs: Tensors) -> Start:
    return Start(
        {name: t.detach() for name, t in tensors.items()}, {name: v.detach().exp() for name, v in logs.items()}
    )


def _reworded(episode: Episode, share: float, rng: random.Random) -> Episode:
    """The episode with a share of its examples worded otherwise; ``rng`` is not touched where that is none."""
    if not share:
        return episode
    support, query = (
        [augmented(one, rng) if rng.random() < share else one for one in side] for side in episode
    )
    return support, query


def right_rows(backbone: Backbone, batch: Batch, pairs: dict[str, tuple[Tensor, Tensor]]) -> Tensor:
    """[B] True where every decision of the row would have been right, given the right ones before it."""
    with torch.no_grad(), active(backbone.context, pairs):
        _, right = decision_losses(backbone, batch, backbone.hidden(batch.ids))
    return per_row((~right).float(), batch) == 0
