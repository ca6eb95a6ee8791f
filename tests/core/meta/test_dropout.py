"""Dropout: what is out, how often, for which side; what is expected stays, and a saved run draws the same."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from understudy.core.errors import UnderstudyError
from understudy.core.meta.dropout import masks, thinned
from understudy.core.meta.learner import Tasks, Tensors
from understudy.core.meta.maml import MAML
from understudy.core.meta.multitask import PartedTasks

HEADS = {"a.b|down": torch.ones(1, 6, 4), "a.b|up": torch.ones(1, 4, 5)}


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_share_is_out_and_the_mean_stays() -> None:
    found = masks({"w": torch.ones(1, 100, 100)}, 4, 0.3, source())["w"]
    assert float((found == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert float(found.mean()) == pytest.approx(1.0, abs=0.02)
    assert {round(value, 5) for value in found.unique().tolist()} == {0.0, round(1 / 0.7, 5)}


def test_of_heads_whole_directions_are_out() -> None:
    found = masks(HEADS, 300, 0.5, source())
    assert set(found) == {"a.b|down"} and found["a.b|down"].shape == (300, 1, 4)
    assert float((found["a.b|down"] == 0).float().mean()) == pytest.approx(0.5, abs=0.05)
    down, up = (torch.randn(300, *shape, generator=source(n)) for n, shape in ((1, (6, 4)), (2, (4, 5))))
    product = (down * found["a.b|down"]) @ up
    apart = torch.einsum("nir,nro,nr->nio", down, up, found["a.b|down"][:, 0])
    torch.testing.assert_close(product, apart)
    every = masks(HEADS, 3, 0.5, source(), elements=True)
    assert {name: tuple(t.shape) for name, t in every.items()} == {"a.b|down": (3, 6, 4), "a.b|up": (3, 4, 5)}
    for share in (1.0, -0.1):
        with pytest.raises(UnderstudyError, match="cannot be dropped"):
            masks(HEADS, 3, share, source())


def sums(parameters: Tensors) -> Tensor:
    return parameters["w"].sum(1)


def test_support_and_query_have_masks_of_their_own_that_stay_within_a_step() -> None:
    start = {"w": torch.ones(1, 50)}
    parameters = {"w": torch.ones(3, 50)}
    plain = PartedTasks.of(("one",), lambda p: sums(p)[:, None], lambda p: sums(p)[:, None], torch.ones(3, 1) > 0)
    thin = thinned(plain, start, 0.5, seed=7)
    assert torch.equal(thin.support(parameters), thin.support(parameters))
    assert torch.equal(thin.support(parameters), thin.support_parts(parameters)[:, 0])
    assert not torch.equal(thin.support(parameters), thin.query(parameters))
    assert len(thin.support(parameters).unique()) > 1, "each task has its own"
    assert not torch.equal(thinned(plain, start, 0.5, seed=8).support(parameters), thin.support(parameters))
    assert thinned(plain, start, 0.0, seed=7) is plain


def test_outer_drops_while_it_learns_and_goes_on_bit_by_bit(tmp_path: Path) -> None:
    target = torch.randn(4, 30, generator=source(5))
    tasks = Tasks(*[lambda p: ((p["w"] - target) ** 2).mean(1)] * 2, 4)
    whole, stopped, resumed, without = (
        MAML({"w": torch.ones(1, 30)}, dropout=share, rate=0.1) for share in (0.5, 0.5, 0.5, 0.0)
    )
    for step in range(4):
        whole.outer_step(tasks)
        without.outer_step(tasks)
        if step < 2:
            stopped.outer_step(tasks)
    stopped.save(tmp_path / "run.safetensors")
    resumed.resume(tmp_path / "run.safetensors")
    for _ in range(2):
        resumed.outer_step(tasks)
    assert torch.equal(resumed.start["w"], whole.start["w"])
    assert not torch.allclose(without.start["w"], whole.start["w"])
    again = MAML(whole.start, dropout=0.5)
    for one, two in zip(again.adapt(tasks).values(), MAML(whole.start).adapt(tasks).values(), strict=True):
        assert torch.equal(one, two), "nothing is out where it adapts"
