"""Folds: the demonstrations of roles and all their leave-one-out heads as one batch, and the steps that teach them.

Group g of the batch holds the rows of one head: the last head of a role learns from all its demonstrations, each other
head leaves some out. All groups have the same number of rows (short ones are filled up with rows that do not count), so
that heads and rows meet in two batched products without being gathered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .backbone import Backbone
from .bank import HeadStack, active
from .batches import Batch, collate, decision_losses
from .demonstrations import Rendered, render
from .errors import UnderstudyError
from .meta.start import Start
from .prompts import Example
from .trunk import Trunk

PATIENCE = 4
PLAIN_RATE = 3e-3


@dataclass(frozen=True)
class Cohort:
    """One role's demonstrations; ``out`` [K] is the fold that leaves each out, of ``folds``."""

    name: str
    examples: tuple[Example, ...]
    rendered: tuple[Rendered, ...]
    out: Tensor
    folds: int

    @classmethod
    def of(cls, name: str, examples: Sequence[Example], backbone: Backbone, folds: int, where: str = "") -> Cohort:
        """Render and deal out. Raises UnderstudyError naming the demonstration that does not fit."""
        place = f"{where}, " if where else ""
        if len(examples) < 2:
            mend = "give at least two, better eight or more"
            raise UnderstudyError(f"{len(examples)} demonstration(s) given", where=where or None, mend=mend)
        rendered = []
        for number, example in enumerate(examples, start=1):
            here = f"{place}demonstration {number}"
            try:
                rendered.append(render(example, backbone))
            except UnderstudyError as error:
                raise UnderstudyError(error.what, where=here, mend=error.mend) from error
            if (length := len(rendered[-1].ids)) > backbone.max_tokens:
                what = f"message and answer have {length} tokens, but the backbone reads {backbone.max_tokens}"
                raise UnderstudyError(what, where=here, mend="shorten it")
        if not any(one.decisions for one in rendered):
            mend = "give fields with a choice in them"
            raise UnderstudyError("the demonstrations leave nothing to decide", where=where or None, mend=mend)
        count = min(folds, len(examples))
        # Drawn, not counted off: demonstrations are often written in turns, and a fold would leave out one label alone.
        out = torch.randperm(len(examples), generator=torch.Generator().manual_seed(0)) % count
        return cls(name, tuple(examples), tuple(rendered), out, count)

    @property
    def heads(self) -> int:
        """Heads that learn from it: one for each fold, and the one that learns from all."""
        return self.folds + 1


@dataclass(frozen=True)
class Layout:
    """All cohorts' heads in one batch.

    Attributes:
        batch: the rows, K of them for each of the G heads.
        ids: [N, T] every demonstration once, and ``source`` [B] which of them each row is.
        cohort: [G] whose head it is; ``start`` [C] the first head of each cohort.
        group: [M] the head of each decision; ``learns`` and ``held`` [M] whether it learns from it or leaves it out.
        mask: [B, T] where heads are active; None for everywhere.
    """

    batch: Batch
    ids: Tensor
    source: Tensor
    cohort: Tensor
    start: tuple[int, ...]
    group: Tensor
    learns: Tensor
    held: Tensor
    mask: Tensor | None

    @classmethod
    def of(cls, cohorts: Sequence[Cohort], pad: int, activation: str = "row") -> Layout:
        """Lay the rows out."""
        most = max(len(cohort.rendered) for cohort in cohorts)
        items: list[Rendered] = []
        source: list[int] = []
        counts: list[bool] = []
        held: list[bool] = []
        whose: list[int] = []
        start: list[int] = []
        before = 0
        for number, cohort in enumerate(cohorts):
            start.append(len(whose))
            for head in range(cohort.heads):
                whose.append(number)
                for row in range(most):
                    real = row < len(cohort.rendered)
                    at = row if real else 0
                    items.append(cohort.rendered[at])
                    source.append(before + at)
                    counts.append(real)
                    held.append(real and head < cohort.folds and int(cohort.out[at]) == head)
            before += len(cohort.rendered)
        batch = collate(items, pad)
        distinct = [item for cohort in cohorts for item in cohort.rendered]
        kept, left = torch.tensor(counts)[batch.row], torch.tensor(held)[batch.row]
        return cls(
            batch, collate(distinct, pad).ids, torch.tensor(source), torch.tensor(whose), tuple(start),
            batch.row // most, kept & ~left, left, batch.active if activation == "marker" else None,
        )  # fmt: skip


@dataclass(frozen=True)
class Taught:
    """What the steps gave: each cohort's best heads, and its left-out losses before and after each step."""

    stack: HeadStack
    losses: tuple[tuple[float, ...], ...]
    best: tuple[int, ...]


def teach(
    backbone: Backbone,
    layout: Layout,
    start: Start,
    steps: int,
    precision: torch.dtype = torch.bfloat16,
    on_step: Callable[[int, int, float], None] | None = None,
) -> Taught:
    """Step all heads together; each cohort keeps those of the step at which its left-out loss was least.

    Args:
        precision: of the forward pass (autocast); fp32 for comparisons.
        on_step: called with (step, steps, mean left-out loss).
    """
    heads, cohorts = len(layout.cohort), len(layout.start)
    stack = start.stack().repeat(heads)
    flat = stack.tensors()
    names = sorted(flat)
    adam = None if start.rates else torch.optim.Adam(list(flat.values()), lr=PLAIN_RATE)
    trunk = Trunk.of(backbone, layout.ids, stack.down)
    of_cohort = layout.cohort[layout.group]
    each = torch.zeros(heads).index_add(0, layout.group, layout.learns.float()).clamp(min=1)
    left = torch.zeros(cohorts).index_add(0, of_cohort, layout.held.float()).clamp(min=1)
    kept = {name: tensor.detach().clone() for name, tensor in flat.items()}
    losses: list[list[float]] = [[] for _ in range(cohorts)]
    best = [0] * cohorts
    for step in range(steps + 1):
        with torch.autocast("cpu", precision, enabled=precision != torch.float32), \
                active(backbone.context, stack.grouped(), layout.mask):  # fmt: skip
            hidden = trunk.hidden(layout.source) if trunk else backbone.hidden(layout.batch.ids)
            values, _ = decision_losses(backbone, layout.batch, hidden)
        _check(values.detach(), layout, step)
        held = torch.zeros(cohorts).index_add(0, of_cohort, values.detach() * layout.held) / left
        for number, loss in enumerate(held.tolist()):
            losses[number].append(loss)
            if not step or loss < min(losses[number][:-1]):
                best[number] = step
                mine = (layout.cohort == number).nonzero(as_tuple=True)[0]
                for name in names:
                    kept[name][mine] = flat[name].detach()[mine]
        if on_step:
            on_step(step, steps, float(held.mean()))
        if step == steps or all(step - at >= PATIENCE for at in best):
            break
        total = torch.zeros(heads).index_add(0, layout.group, values * layout.learns) / each
        gradients = torch.autograd.grad(total.sum(), [flat[n] for n in names])
        with torch.no_grad():
            for name, gradient in zip(names, gradients, strict=True):
                if start.rates:
                    flat[name] -= start.rates[name] * gradient
                else:
                    flat[name].grad = gradient
        if adam:
            adam.step()
    return Taught(HeadStack.of_tensors(kept), tuple(map(tuple, losses)), tuple(best))


def _check(values: Tensor, layout: Layout, step: int) -> None:
    broken = (~values.isfinite() & (layout.learns | layout.held)).nonzero(as_tuple=True)[0]
    if len(broken):
        rows = len(layout.batch.ids) // len(layout.cohort)
        number = int(layout.batch.row[broken[0]]) % rows + 1
        what = f"the loss of the demonstration is not finite (at step {step})"
        raise UnderstudyError(what, where=f"demonstration {number}", mend="check it, and the start's rates")


def folds_of(taught: Taught, layout: Layout, cohorts: Sequence[Cohort]) -> Iterator[tuple[Cohort, range]]:
    """Each cohort with the numbers of its heads in the stack, the last being the one that learned from all."""
    for cohort, first in zip(cohorts, layout.start, strict=True):
        yield cohort, range(first, first + cohort.heads)
