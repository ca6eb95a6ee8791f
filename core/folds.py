"""Folds: the demonstrations of roles and all their leave-one-out heads, laid out as one batch.

Group g of the batch holds the rows of one head: the last head of a role learns from all its demonstrations, each other
head leaves some out. All groups have the same number of rows (short ones are filled up with rows that do not count), so
that heads and rows meet in two batched products without being gathered. What would be too large for memory is cut into
parts between two heads; heads do not know of each other, so that nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from .backbone import Backbone
from .batches import Batch, collate
from .demonstrations import Rendered, render
from .errors import UnderstudyError
from .prompts import Example

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
