"""Ranks: the same heads with larger or smaller pairs of matrices."""

from __future__ import annotations

import torch

from .bank import HeadStack


def resized(stack: HeadStack, rank: int, seed: int = 0) -> HeadStack:
    """The same heads with pairs of ``rank``.

    A larger rank gets random directions to read that write nothing yet: the heads are what they were. For a smaller
    one each product A·B is replaced by the nearest of that rank (its largest singular values; Eckart and Young 1936).
    """
    down, up = {}, {}
    for number, (site, a) in enumerate(stack.down.items()):
        b = stack.up[site]
        have = a.shape[2]
        if have < rank:
            generator = torch.Generator().manual_seed(seed + number)
            more = torch.randn(a.shape[0], a.shape[1], rank - have, generator=generator) * a.shape[1] ** -0.5
            a = torch.cat([a, more.to(a)], 2)
            b = torch.cat([b, b.new_zeros(b.shape[0], rank - have, b.shape[2])], 1)
        elif have > rank:
            left, values, right = torch.linalg.svd(a.float() @ b.float(), full_matrices=False)
            root = values[:, :rank].sqrt()
            a = (left[:, :, :rank] * root[:, None]).to(a)
            b = (root[:, :, None] * right[:, :rank]).to(b)
        down[site], up[site] = a, b
    return HeadStack(down, up)


def averaged(one: HeadStack, other: HeadStack) -> HeadStack:
    """Heads whose products A·B are the mean of those of both, of the first one's rank (as near as it allows).

    What was learned in two runs from one start often is better as a mean than either ("model soup", Wortsman et al.
    2022, section 3).
    """
    rank = max(up.shape[1] for up in one.up.values())
    down = {site: torch.cat([a, other.down[site].to(a)], 2) for site, a in one.down.items()}
    up = {site: torch.cat([b, other.up[site].to(b)], 1) / 2 for site, b in one.up.items()}
    return resized(HeadStack(down, up), rank)
