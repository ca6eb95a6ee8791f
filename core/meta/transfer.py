"""Transfer: a new head starts from the learned heads that are nearest to its demonstrations, weighted.

    w_h ∝ exp(−L_h / T) over the k nearest heads h          L_h: loss of head h on the demonstrations, as it is
    A B = [Σ_h w_h A_h B_h]_R                                the nearest product of rank R (Eckart and Young 1936)

What a head does is its product A_h B_h: its factors can be A G and G⁻¹ B for any invertible G, so that means of factors
mean nothing, and products are averaged; LoraHub (Huang et al. 2023), which this is in the manner of, averages factors.
Tensors that were adapted from one start in a few steps do lie in one basin, and are averaged as they are (model soups:
Wortsman et al. 2022): :func:`mean_of`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..backbone import Backbone
from ..bank import HeadStack
from ..errors import UnderstudyError
from ..heads import Head
from ..prompts import Example
from ..ranks import resized
from .learner import Tensors
from .start import Start
from .training import stack_episodes, stacked_loss


def nearness(losses: Tensor, temperature: float = 0.1, nearest: int = 0) -> Tensor:
    """Losses, or other distances, [H] → weights [H] of the ``nearest`` (0: of all); what is not finite has none.

    Raises:
        UnderstudyError: none is finite.
    """
    losses = losses.nan_to_num(float("inf"), float("inf"))
    if not bool(torch.isfinite(losses).any()):
        raise UnderstudyError("no head has a finite loss on the demonstrations", mend="begin from a plain start")
    if 0 < nearest < len(losses):
        last = losses.sort().values[nearest - 1]
        losses = torch.where(losses <= last, losses, float("inf"))
    return torch.softmax(-losses / temperature, 0)


def mean_of(tensors: Tensors, weights: Tensor) -> dict[str, Tensor]:
    """Name → [H, …] and weights [H] → the weighted mean, name → [1, …]; for what began at one start."""
    return {name: torch.einsum("h,h...->...", weights.to(t), t).unsqueeze(0) for name, t in tensors.items()}


def merged(heads: HeadStack, weights: Tensor, rank: int) -> HeadStack:
    """One head whose products are the nearest of ``rank`` to the weighted mean of those of H heads.

    The columns of its A are as long as those of the heads, so that rates learned for them still fit; where the mean has
    a lower rank than ``rank``, the rest of B is 0.
    """
    down, up = {}, {}
    for site, a in heads.down.items():
        b = heads.up[site]
        wide = a.permute(1, 0, 2).flatten(1).double()
        tall = (weights.view(-1, 1, 1).double() * b.double()).flatten(0, 1)
        left, inner = torch.linalg.qr(wide)
        right, outer = torch.linalg.qr(tall.T)
        u, values, v = torch.linalg.svd(inner @ outer.T, full_matrices=False)
        have = min(rank, len(values))
        length = (weights.to(a) * a.square().sum((1, 2))).sum().div(a.shape[2]).sqrt().double().clamp(min=1e-6)
        down[site] = (left @ u[:, :have] * length).to(a).unsqueeze(0)
        up[site] = (values[:have, None] * (v[:have] @ right.T) / length).to(b).unsqueeze(0)
    found = HeadStack(down, up)
    return resized(found, rank) if any(t.shape[2] < rank for t in found.down.values()) else found


def support_losses(backbone: Backbone, heads: HeadStack, examples: Sequence[Example]) -> Tensor:
    """The mean decision loss of each of H heads on the demonstrations, [H], all in one pass."""
    batch, task = stack_episodes(backbone, [examples] * len(heads))
    with torch.no_grad():
        return stacked_loss(backbone, batch, task, len(heads), tuple(heads.down))(heads.tensors())


def transferred(
    backbone: Backbone,
    heads: Sequence[Head | HeadStack],
    examples: Sequence[Example],
    start: Start | None = None,
    *,
    temperature: float = 0.1,
    nearest: int = 0,
    rank: int = 0,
) -> tuple[Start, Tensor]:
    """Where a head for these demonstrations starts, to be given to :func:`..adaptation.adapt`, and each head's weight.

    Args:
        heads: learned ones, on the same sites.
        start: takes part as one more, the last (so that where no head fits, it is begun there), and lends its rates.
        nearest: so many heads count; 0: all. rank: R; 0: the largest of the heads'.

    Raises:
        UnderstudyError: there is no head, or they are on different sites.
    """
    stacks = [head.stack() if isinstance(head, Head) else head for head in heads]
    if not stacks:
        raise UnderstudyError("there is no head to start from", mend="give some, or begin from a plain start")
    sites = set(stacks[0].down)
    if start is not None:
        start = start.on(sites)
        stacks.append(start.stack())
    if any(set(stack.down) != sites for stack in stacks):
        raise UnderstudyError("the heads are on different sites", mend="give heads that were learned alike")
    ranks = [next(iter(stack.down.values())).shape[2] for stack in stacks]
    every = HeadStack.joined([resized(stack, max(ranks)) for stack in stacks])
    weights = nearness(support_losses(backbone, every, examples), temperature, nearest)
    found = merged(every, weights, rank or max(ranks))
    return Start(found.tensors(), None if start is None else start.rates), weights
