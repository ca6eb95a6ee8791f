"""Folds: the demonstrations of roles and all their leave-one-out heads as one batch, and the steps that teach them.

Group g of the batch holds the rows of one head: the last head of a role learns from all its demonstrations, each other
head leaves some out. All groups have the same number of rows (short ones are filled up with rows that do not count), so
that heads and rows meet in two batched products without being gathered. What would be too large for memory is cut into
parts between two heads; heads do not know of each other, so that nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

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
PART = 8192
"""Tokens in one batch of learning at most."""


@dataclass(frozen=True)
class Cohort:
    """One role's demonstrations; ``out`` [K] is the fold that leaves each out, of ``folds``.

    Without folds nothing is left out, and the steps that are asked for are all taken.
    """

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
        if not folds:
            return cls(name, tuple(examples), tuple(rendered), torch.full((len(examples),), -1), 0)
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
    """Some heads' rows in one batch: as many rows for each of the G heads.

    Attributes:
        batch: the rows.
        ids: [N, T] every demonstration once, and ``source`` [B] which of them each row is.
        heads: cohort and fold of each head; the fold after the last one learns from all.
        group: [M] the head of each decision; ``learns`` and ``held`` [M] whether it learns from it or leaves it out.
        mask: [B, T] where heads are active; None for everywhere.
    """

    batch: Batch
    ids: Tensor
    source: Tensor
    heads: tuple[tuple[int, int], ...]
    group: Tensor
    learns: Tensor
    held: Tensor
    mask: Tensor | None

    @classmethod
    def of(
        cls,
        cohorts: Sequence[Cohort],
        pad: int,
        activation: str = "row",
        heads: Sequence[tuple[int, int]] | None = None,
    ) -> Layout:
        """Lay out the rows of ``heads`` (cohort and fold), of all of them where none are named."""
        if heads is None:
            heads = [(number, fold) for number, cohort in enumerate(cohorts) for fold in range(cohort.heads)]
        used = sorted({number for number, _ in heads})
        first = dict(zip(used, accumulate((len(cohorts[number].rendered) for number in used), initial=0), strict=False))
        most = max(len(cohorts[number].rendered) for number in used)
        items: list[Rendered] = []
        source: list[int] = []
        counts: list[bool] = []
        left: list[bool] = []
        for number, fold in heads:
            cohort = cohorts[number]
            for row in range(most):
                real = row < len(cohort.rendered)
                at = row if real else 0
                items.append(cohort.rendered[at])
                source.append(first[number] + at)
                counts.append(real)
                left.append(real and int(cohort.out[at]) == fold)
        batch = collate(items, pad)
        distinct = [item for number in used for item in cohorts[number].rendered]
        kept, held = torch.tensor(counts)[batch.row], torch.tensor(left)[batch.row]
        return cls(
            batch, collate(distinct, pad).ids, torch.tensor(source), tuple(heads), batch.row // most,
            kept & ~held, held, batch.active if activation == "marker" else None,
        )  # fmt: skip


def parts_of(cohorts: Sequence[Cohort], pad: int, activation: str = "row", tokens: int = PART) -> list[Layout]:
    """All heads of all cohorts, in batches of at most so many tokens (but one head at least): memory stays bounded."""
    parts: list[list[tuple[int, int]]] = [[]]
    longest = rows = 0
    for number, cohort in enumerate(cohorts):
        longest = max(longest, *(len(item.ids) for item in cohort.rendered))
        rows = max(rows, len(cohort.rendered))
        for fold in range(cohort.heads):
            if parts[-1] and (len(parts[-1]) + 1) * rows * longest > tokens:
                parts.append([])
                longest, rows = max(len(item.ids) for item in cohort.rendered), len(cohort.rendered)
            parts[-1].append((number, fold))
    return [Layout.of(cohorts, pad, activation, heads) for heads in parts]


@dataclass(frozen=True)
class Taught:
    """What the steps gave: each cohort's best heads, fold by fold, and its left-out losses, one for each step."""

    heads: tuple[HeadStack, ...]
    losses: tuple[tuple[float, ...], ...]
    best: tuple[int, ...]


class _Part:
    """A layout with the heads that learn in it."""

    def __init__(self, layout: Layout, backbone: Backbone, start: Start, precision: torch.dtype) -> None:
        self.layout, self.backbone, self.start, self.precision = layout, backbone, start, precision
        self.stack = start.stack().repeat(len(layout.heads))
        self.flat = self.stack.tensors()
        self.names = sorted(self.flat)
        self.adam = None if start.rates else torch.optim.Adam(list(self.flat.values()), lr=PLAIN_RATE)
        self.kept = {name: tensor.detach().clone() for name, tensor in self.flat.items()}
        self.trunk = Trunk.of(backbone, layout.ids, self.stack.down)
        heads = len(layout.heads)
        self.each = torch.zeros(heads).index_add(0, layout.group, layout.learns.float()).clamp(min=1)
        self.gradients: Sequence[Tensor] = ()

    def look(self, step: int, last: bool) -> tuple[Tensor, Tensor]:
        """Forward and backward: the left-out loss of each head and how many decisions it is of, [G] each."""
        layout = self.layout
        autocast = torch.autocast("cpu", self.precision, enabled=self.precision != torch.float32)
        with torch.set_grad_enabled(not last), autocast:
            with active(self.backbone.context, self.stack.grouped(), layout.mask):
                hidden = self.trunk.hidden(layout.source) if self.trunk else self.backbone.hidden(layout.batch.ids)
                values, _ = decision_losses(self.backbone, layout.batch, hidden)
        _check(values.detach(), layout, step)
        heads = len(layout.heads)
        if not last:
            total = torch.zeros(heads).index_add(0, layout.group, values * layout.learns) / self.each
            self.gradients = torch.autograd.grad(total.sum(), [self.flat[name] for name in self.names])
        count = torch.zeros(heads).index_add(0, layout.group, layout.held.float())
        return torch.zeros(heads).index_add(0, layout.group, values.detach() * layout.held), count

    def keep(self, cohorts: Sequence[int]) -> None:
        """Note the heads of these cohorts as the best so far."""
        mine = torch.tensor([at for at, (number, _) in enumerate(self.layout.heads) if number in cohorts])
        if len(mine):
            for name in self.names:
                self.kept[name][mine] = self.flat[name].detach()[mine]

    def step(self) -> None:
        """One step of every head, with the start's learned rates or by Adam."""
        with torch.no_grad():
            for name, gradient in zip(self.names, self.gradients, strict=True):
                if self.start.rates:
                    self.flat[name] -= self.start.rates[name] * gradient
                else:
                    self.flat[name].grad = gradient
        if self.adam:
            self.adam.step()


def teach(
    backbone: Backbone,
    cohorts: Sequence[Cohort],
    start: Start,
    steps: int,
    *,
    activation: str = "row",
    precision: torch.dtype = torch.bfloat16,
    on_step: Callable[[int, int, float], None] | None = None,
) -> Taught:
    """Step all heads together; each cohort keeps those of the step at which its left-out loss was least.

    Args:
        precision: of the forward pass (autocast); fp32 for comparisons.
        on_step: called with (step, steps, mean left-out loss).
    """
    layouts = parts_of(cohorts, backbone.markers.pad, activation)
    parts = [_Part(layout, backbone, start, precision) for layout in layouts]
    losses: list[list[float]] = [[] for _ in cohorts]
    best = [0] * len(cohorts)
    for step in range(steps + 1):
        last = step == steps
        held, count = torch.zeros(len(cohorts)), torch.zeros(len(cohorts))
        for part in parts:
            if last and all(not cohorts[number].folds for number, _ in part.layout.heads):
                continue  # nothing is left out that the last step could be measured on
            number = torch.tensor([cohort for cohort, _ in part.layout.heads])
            of_heads, decisions = part.look(step, last)
            held.index_add_(0, number, of_heads)
            count.index_add_(0, number, decisions)
        better = []
        for at, loss in enumerate((held / count.clamp(min=1)).tolist()):
            losses[at].append(loss)
            if not step or loss < min(losses[at][:-1]) or not cohorts[at].folds:
                best[at] = step
                better.append(at)
        for part in parts:
            part.keep(better)
        if on_step:
            on_step(step, steps, float((held / count.clamp(min=1)).mean()))
        if last or all(step - at >= PATIENCE for at in best):
            break
        for part in parts:
            part.step()
    return Taught(_by_cohort(parts, cohorts), tuple(map(tuple, losses)), tuple(best))


def _by_cohort(parts: Sequence[_Part], cohorts: Sequence[Cohort]) -> tuple[HeadStack, ...]:
    found: list[list[HeadStack]] = [[] for _ in cohorts]
    for part in parts:
        stack = HeadStack.of_tensors(part.kept)
        for at, (number, _) in enumerate(part.layout.heads):
            found[number].append(stack.pick(at))
    return tuple(HeadStack.joined(stacks) for stacks in found)


def _check(values: Tensor, layout: Layout, step: int) -> None:
    broken = (~values.isfinite() & (layout.learns | layout.held)).nonzero(as_tuple=True)[0]
    if len(broken):
        rows = len(layout.batch.ids) // len(layout.heads)
        number = int(layout.batch.row[broken[0]]) % rows + 1
        what = f"the loss of the demonstration is not finite (at step {step})"
        raise UnderstudyError(what, where=f"demonstration {number}", mend="check it, and the start's rates")
