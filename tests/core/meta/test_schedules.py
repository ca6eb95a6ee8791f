"""Schedules: against torch's own, in warm-up, and as Outer follows them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from understudy.core.errors import UnderstudyError
from understudy.core.meta.learner import Tasks, Tensors
from understudy.core.meta.maml import MAML
from understudy.core.meta.schedules import Schedule, constant, cosine, linear


@pytest.mark.parametrize("ours", [cosine(20, least=0.1), linear(20, least=0.1)])
def test_they_are_those_of_torch(ours: Schedule) -> None:
    optimiser = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    theirs: torch.optim.lr_scheduler.LRScheduler
    if ours(5) == pytest.approx(0.775):
        theirs = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.1, total_iters=20)
    else:
        theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 20, eta_min=0.1)
    for step in range(21):
        assert ours(step) == pytest.approx(optimiser.param_groups[0]["lr"]), step
        optimiser.step()
        theirs.step()


def test_it_warms_up_and_stays_at_the_least() -> None:
    factor = cosine(10, warm_up=4, least=0.2)
    assert [factor(step) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert factor(7) == pytest.approx(0.6) and factor(10) == factor(1000) == pytest.approx(0.2)
    assert constant(123) == 1
    with pytest.raises(UnderstudyError, match="10 steps of warm-up do not fit into 10"):
        linear(10, warm_up=10)
    with pytest.raises(UnderstudyError, match="-1 steps of warm-up do not fit into 10"):
        cosine(10, warm_up=-1)


def uphill(slope: float) -> Tasks:
    """The query loss rises evenly with w, the support has none: so Adam's step is the rate itself."""

    def query(parameters: Tensors) -> Tensor:
        return slope * parameters["w"]

    return Tasks(lambda p: 0 * p["w"], query, 1)


def learner(schedule: Schedule = constant) -> MAML:
    return MAML({"w": torch.zeros(1)}, rate=0.5, schedule=schedule)


def test_outer_follows_it_and_goes_on_with_it(tmp_path: Path) -> None:
    schedule: Callable[[int], float] = linear(4)
    whole, stopped, resumed = (learner(schedule) for _ in range(3))
    moved = []
    for step in range(4):
        before = float(whole.start["w"].detach())
        whole.outer_step(uphill(1.0))
        moved.append(before - float(whole.start["w"].detach()))
        if step < 2:
            stopped.outer_step(uphill(1.0))
    assert moved == pytest.approx([0.5, 0.375, 0.25, 0.125], rel=1e-4)
    stopped.save(tmp_path / "run.safetensors")
    resumed.resume(tmp_path / "run.safetensors")
    for _ in range(2):
        resumed.outer_step(uphill(1.0))
    assert torch.equal(resumed.start["w"], whole.start["w"])
    even = learner()
    for _ in range(4):
        even.outer_step(uphill(1.0))
    assert float(even.start["w"].detach()) == pytest.approx(-2.0, rel=1e-4)
