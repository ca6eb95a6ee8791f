"""Ranks: heads that stay what they are in a larger one, and come as near as can be in a smaller one."""

from __future__ import annotations

import torch

from understudy.core.bank import HeadStack
from understudy.core.ranks import averaged, resized


def stack(rank: int) -> HeadStack:
    drawn = HeadStack.random({"a": (6, 5), "b": (4, 7)}, 2, rank)
    generator = torch.Generator().manual_seed(1)
    return HeadStack(drawn.down, {site: torch.randn(up.shape, generator=generator) for site, up in drawn.up.items()})


def products(heads: HeadStack) -> dict[str, torch.Tensor]:
    return {site: heads.down[site] @ heads.up[site] for site in heads.down}


def test_a_larger_rank_changes_nothing_yet() -> None:
    small = stack(2)
    large = resized(small, 5)
    assert large.down["a"].shape == (2, 6, 5) and large.up["b"].shape == (2, 5, 7)
    for site, product in products(small).items():
        torch.testing.assert_close(products(large)[site], product)
    assert large.down["a"][:, :, 2:].abs().min() > 0, "the new directions read something, or they would never learn"
    same = resized(small, 2)
    torch.testing.assert_close(same.tensors(), small.tensors())


def test_a_smaller_rank_is_the_nearest_there_is() -> None:
    full = stack(4)
    small = resized(full, 2)
    assert small.down["a"].shape == (2, 6, 2) and small.up["b"].shape == (2, 2, 7)
    for site, product in products(full).items():
        values = torch.linalg.svdvals(product)
        missed = torch.linalg.norm(products(small)[site] - product, dim=(1, 2))
        torch.testing.assert_close(missed, values[:, 2:].square().sum(1).sqrt())


def test_the_mean_of_two_is_the_nearest_to_the_mean_of_their_products() -> None:
    one, shift = stack(2), stack(1)
    near = HeadStack(one.down, {site: 3 * up for site, up in one.up.items()})  # of one span: nothing is lost
    for site, product in products(averaged(one, near)).items():
        torch.testing.assert_close(product, 2 * products(one)[site])
    apart = HeadStack({site: -a for site, a in resized(shift, 2).down.items()}, resized(shift, 2).up)
    mean = averaged(one, apart)
    assert mean.down["a"].shape == one.down["a"].shape and mean.up["b"].shape == one.up["b"].shape
    for site, product in products(mean).items():
        wanted = (products(one)[site] + products(apart)[site]) / 2
        missed = torch.linalg.norm(product - wanted, dim=(1, 2))
        least = torch.linalg.svdvals(wanted)[:, 2:].square().sum(1).sqrt()
        torch.testing.assert_close(missed, least, atol=1e-4, rtol=0)
