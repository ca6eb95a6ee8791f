"""Batches: rendered demonstrations as tensors, and the loss of the decisions in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional as F

from .backbone import Backbone
from .demonstrations import Rendered


@dataclass(frozen=True)
class Batch:
    """Attributes:
    ids: [B, T] tokens, padded on the right.
    lengths: [B] tokens of each row.
    active: [B, T] 1 from the role marker on.
    row: [M] the row of each decision.
    at: [M] the position whose state decides (one before the decided token).
    target: [M] the token that was right.
    limited: [M] True where only some tokens were allowed.
    legal: [2, P] pairs (decision, allowed token) of the limited decisions.
    """

    ids: Tensor
    lengths: Tensor
    active: Tensor
    row: Tensor
    at: Tensor
    target: Tensor
    limited: Tensor
    legal: Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on ``device``."""
        return Batch(*(getattr(self, one.name).to(device) for one in fields(self)))

    def rows(self, first: int, last: int) -> Batch:
        """The rows from ``first`` to before ``last``, with their decisions."""
        mine = (self.row >= first) & (self.row < last)
        decision, token = self.legal[:, mine[self.legal[0]]]
        return Batch(
            self.ids[first:last], self.lengths[first:last], self.active[first:last], self.row[mine] - first,
            self.at[mine], self.target[mine], self.limited[mine], torch.stack([(mine.cumsum(0) - 1)[decision], token]),
        )  # fmt: skip


def collate(items: Sequence[Rendered], pad: int, multiple: int = 1) -> Batch:
    """Stack rendered demonstrations; the width is rounded up to a ``multiple``."""
    wide = -(-max(len(item.ids) for item in items) // multiple) * multiple
    ids = torch.full((len(items), wide), pad)
    active = torch.zeros(len(items), wide)
    row: list[int] = []
    at: list[int] = []
    target: list[int] = []
    limited: list[bool] = []
    legal_decision: list[int] = []
    legal_token: list[int] = []
    for index, item in enumerate(items):
        ids[index, : len(item.ids)] = torch.tensor(item.ids)
        active[index, item.role_at :] = 1
        for decision in item.decisions:
            legal_decision += [len(row)] * len(decision.allowed)
            legal_token += decision.allowed
            row.append(index)
            at.append(decision.at - 1)
            target.append(item.ids[decision.at])
            limited.append(bool(decision.allowed))
    return Batch(
        ids,
        torch.tensor([len(item.ids) for item in items]),
        active,
        torch.tensor(row, dtype=torch.long),
        torch.tensor(at, dtype=torch.long),
        torch.tensor(target, dtype=torch.long),
        torch.tensor(limited, dtype=torch.bool),
        torch.tensor([legal_decision, legal_token], dtype=torch.long),
    )


def decision_losses(backbone: Backbone, batch: Batch, states: Tensor) -> tuple[Tensor, Tensor]:
    """Each decision's negative log-likelihood [M] among what was allowed there, and whether it was right [M].

    ``states`` [B, T, D] are the backbone's hidden states of the batch, computed with the heads in question active; or
    [M, D], those at the decisions alone. Where only some tokens were allowed, only those are scored.
    """
    picked = states if states.ndim == 2 else states[batch.row, batch.at]
    count, device = len(batch.row), states.device
    losses = torch.zeros(count, device=device)
    right = torch.zeros(count, dtype=torch.bool, device=device)
    free = ~batch.limited
    if bool(free.any()):
        logits = backbone.logits(picked[free]).float()
        losses = losses.index_put((free,), F.cross_entropy(logits, batch.target[free], reduction="none"))
        right[free] = logits.detach().argmax(-1) == batch.target[free]
    decision, token = batch.legal
    if len(decision):
        scores = backbone.token_scores(picked[decision], token)
        best = torch.full((count,), float("-inf"), device=device).scatter_reduce(0, decision, scores.detach(), "amax")
        total = torch.zeros(count, device=device).index_add(0, decision, (scores - best[decision]).exp())
        wanted = token == batch.target[decision]
        losses = losses.index_add(0, decision[wanted], -(scores[wanted] - best[decision[wanted]]))
        losses = losses.index_add(0, *_logs(total, batch.limited))
        right[decision[wanted]] = scores.detach()[wanted] >= best[decision[wanted]]
    return losses, right


def _logs(total: Tensor, limited: Tensor) -> tuple[Tensor, Tensor]:
    where = limited.nonzero(as_tuple=True)[0]
    return where, total[where].log()


def per_row(values: Tensor, batch: Batch) -> Tensor:
    """The sum of decisions' values in each row, [B]."""
    return torch.zeros(len(batch.ids), dtype=values.dtype, device=values.device).index_add(0, batch.row, values)


def text_losses(backbone: Backbone, batch: Batch, states: Tensor, share: float, seed: int) -> Tensor:
    """:func:`token_losses` of the rows of a batch of demonstrations."""
    return token_losses(backbone, batch.ids, batch.lengths, states, share, seed)


def token_losses(
    backbone: Backbone, ids: Tensor, lengths: Tensor, states: Tensor, share: float, seed: int
) -> Tensor:
    """Causal language modelling on a random ``share`` of the tokens of ids [B, T]: mean loss, a scalar.

    The self-supervised objective that teaches words while the decisions teach roles (Radford et al. 2018, eq. 1).
    """
    generator = torch.Generator().manual_seed(seed)
    inside = torch.arange(ids.shape[1] - 1, device=ids.device).unsqueeze(0) < (lengths - 1).unsqueeze(1)
    drawn = inside & (torch.rand(inside.shape, generator=generator) < share).to(ids.device)
    row, at = drawn.nonzero(as_tuple=True)
    logits = backbone.logits(states[row, at]).float()
    return F.cross_entropy(logits, ids[row, at + 1], reduction="sum") / max(1, len(row))
