"""Meta-training: many tasks a batch through the head bank, to learn where heads start and how fast they move."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..backbone import Backbone
from ..bank import HeadStack, active
from ..batches import Batch, collate, decision_losses, per_row
from ..demonstrations import render
from ..errors import UnderstudyError
from ..prompts import Example
from .maml import Tensors, outer_loss
from .start import Start

Episode = tuple[Sequence[Example], Sequence[Example]]


@dataclass(frozen=True)
class MetaRecipe:
    """How to meta-train: N tasks a step, ``steps`` inner steps, wall-clock minutes."""

    minutes: float = 6.0
    tasks: int = 8
    steps: int = 4
    outer_rate: float = 1e-3
    rates_rate: float = 5e-2
    first_rate: float = 0.5
    seed: int = 0


def stacked_loss(backbone: Backbone, batch: Batch, task: Tensor, tasks: int) -> Callable[[Tensors], Tensor]:
    """Parameters [N, …] → the mean decision loss of each task [N]; ``task`` [B] says whose row each is."""
    rows = torch.zeros(tasks).index_add(0, task[batch.row], torch.ones(len(batch.row)))

    def loss(parameters: Tensors) -> Tensor:
        pairs = HeadStack.of_tensors(parameters).gather(task)
        with torch.autocast("cpu", torch.bfloat16), active(backbone.context, pairs):
            states = backbone.hidden(batch.ids)
            losses, _ = decision_losses(backbone, batch, states)
        return torch.zeros(tasks).index_add(0, task[batch.row], losses) / rows.clamp(min=1)

    return loss


def _stack_episodes(backbone: Backbone, sides: Sequence[Sequence[Example]]) -> tuple[Batch, Tensor]:
    rendered = [render(example, backbone) for side in sides for example in side]
    task = torch.tensor([number for number, side in enumerate(sides) for _ in side])
    return collate(rendered, backbone.markers.pad), task


def meta_train(
    backbone: Backbone,
    start: Start,
    draw: Callable[[random.Random], Episode],
    recipe: MetaRecipe,
    on_step: Callable[[int, float, Sequence[float]], None] | None = None,
) -> Start:
    """First-order MAML with per-tensor rates and multi-step loss over drawn episodes, on the frozen backbone.

    Args:
        start: where to begin; its rates are taken where it has some.
        draw: random generator → (support, query) examples of one task.
        on_step: called with step, seconds, and the mean query loss after each inner step.

    Raises:
        UnderstudyError: a loss is not finite.
    """
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
        episodes = [draw(rng) for _ in range(recipe.tasks)]
        support = stacked_loss(backbone, *_stack_episodes(backbone, [e[0] for e in episodes]), recipe.tasks)
        query = stacked_loss(backbone, *_stack_episodes(backbone, [e[1] for e in episodes]), recipe.tasks)
        rates = {name: value.exp() for name, value in logs.items()}
        total, trace = outer_loss(support, query, tensors, rates, recipe.tasks, recipe.steps, weights=weights)
        if not bool(torch.isfinite(total)):
            raise UnderstudyError("the outer loss is not finite", where=f"meta step {number}", mend="lower the rates")
        total.backward()
        torch.nn.utils.clip_grad_norm_(list(tensors.values()), 1.0)
        factor = min(1.0, max(0.05, (1 - elapsed / (recipe.minutes * 60)) / 0.4))
        optimiser.param_groups[0]["lr"] = recipe.outer_rate * factor
        optimiser.param_groups[1]["lr"] = recipe.rates_rate * factor
        optimiser.step()
        optimiser.zero_grad()
        number += 1
        if on_step:
            on_step(number, elapsed, [float(losses.mean()) for losses in trace])
    return Start(
        {name: t.detach() for name, t in tensors.items()}, {name: v.detach().exp() for name, v in logs.items()}
    )


def right_rows(backbone: Backbone, batch: Batch, pairs: dict[str, tuple[Tensor, Tensor]]) -> Tensor:
    """[B] True where every decision of the row would have been right, given the right ones before it."""
    with torch.no_grad(), active(backbone.context, pairs):
        _, right = decision_losses(backbone, batch, backbone.hidden(batch.ids))
    return per_row((~right).float(), batch) == 0
