"""Kinds of decisions: what a role's answer is made of, so that each kind can have its loss, and its weight.

A loss of N roles' heads has a part for each kind (:class:`.multitask.PartedTasks`), all from one forward pass:

    L_i = Σ_{decisions of kind i} −log p / number of them            [N, I]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from ..backbone import Backbone
from ..bank import HeadStack, active
from ..batches import Batch, collate, decision_losses
from ..demonstrations import render
from ..fields import Field, Grammar, ListOf, Number, Record, Span, Text
from ..precision import adapting_precision
from ..trunk import Trunk
from .learner import Tensors
from .multitask import PartedTasks, PartLoss
from .training import Episode

KINDS = ("classification", "number", "generation", "span")
"""Choices of every sort (options, grades, positions, whether a list goes on); numbers; written text; copied text."""


def kind_of(record: Record, path: str) -> str:
    """The kind of the decisions for the field at ``path``, as :class:`..demonstrations.Decision` names it.

    >>> from ..fields import Choice
    >>> record = Record((("asks", ListOf(Record((("who", Choice(("a", "b"))), ("said", Text()))))),))
    >>> kind_of(record, "asks[0].said"), kind_of(record, "asks[]"), kind_of(record, "asks[1].who")
    ('generation', 'classification', 'classification')
    """
    field: Field = record
    for name, item in re.findall(r"([^.\[\]#]+)|(\[\d+\])", path):
        if name and isinstance(field, Record):
            field = dict(field.fields)[name]
        elif item and isinstance(field, ListOf):
            field = field.item
    if path.endswith("#"):
        return "classification"
    if isinstance(field, Number):
        return "number"
    if isinstance(field, Text | Grammar):
        return "generation"
    return "span" if isinstance(field, Span) else "classification"


def kind_losses(
    backbone: Backbone, batch: Batch, task: Tensor, kind: Tensor, tasks: int, sites: Iterable[str] = ()
) -> PartLoss:
    """Parameters [N, …] → the mean loss of the decisions of each kind [N, I]; 0 where a task has none.

    Args:
        task: [B] whose row each is.
        kind: [M] the number in KINDS of each decision.
        sites: those of the heads, so that what lies below them is run once.
    """
    precision = adapting_precision()
    trunk = Trunk.of(backbone, batch.ids, sites, precision) if sites else None
    place = task[batch.row] * len(KINDS) + kind
    counts = torch.bincount(place, minlength=tasks * len(KINDS)).clamp(min=1)

    def loss(parameters: Tensors) -> Tensor:
        narrow = torch.autocast("cpu", precision, enabled=precision != torch.float32)
        with narrow, active(backbone.context, HeadStack.of_tensors(parameters).of_rows(task)):
            if trunk:
                states = trunk.decided(torch.arange(len(batch.ids)), batch.row, batch.at)
            else:
                states = backbone.hidden(batch.ids)
            losses, _ = decision_losses(backbone, batch, states)
        summed = torch.zeros(tasks * len(KINDS)).index_add(0, place, losses)
        return (summed / counts).view(tasks, len(KINDS))

    return loss


def kind_tasks(backbone: Backbone, episodes: Sequence[Episode], sites: Iterable[str] = ()) -> PartedTasks:
    """N tasks of heads, each of (support, query) examples, whose losses have a part for each of KINDS."""
    there = torch.zeros(len(episodes), len(KINDS), dtype=torch.bool)

    def of(side: int) -> PartLoss:
        examples = [example for episode in episodes for example in episode[side]]
        task = torch.tensor([number for number, episode in enumerate(episodes) for _ in episode[side]])
        rendered = [render(example, backbone) for example in examples]
        kind = torch.tensor(
            [KINDS.index(kind_of(example.record, decision.path))
             for example, one in zip(examples, rendered, strict=True) for decision in one.decisions]
        )  # fmt: skip
        batch = collate(rendered, backbone.markers.pad)
        counts = torch.bincount(task[batch.row] * len(KINDS) + kind, minlength=there.numel())
        there.logical_or_(counts.view_as(there) > 0)
        return kind_losses(backbone, batch, task, kind, len(episodes), tuple(sites))

    return PartedTasks.of(KINDS, of(0), of(1), there)
