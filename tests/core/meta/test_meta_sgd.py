"""Meta-SGD: a learned rate for each element of the start, or for each tensor."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from understudy.core.meta.learner import ALGORITHMS, Tasks, Tensors
from understudy.core.meta.meta_sgd import MetaSGD


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


START = {"w": random(1, 3)}


def planes(count: int, seed: int) -> Tasks:
    """Planes through the origin whose inputs are of sizes 0.5, 1 and 2: one rate cannot suit them all."""
    slopes = random(count, 1, 3, seed=seed)
    size = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
    x, xq = (size * random(count, 12, 3, seed=seed + side) for side in (1, 2))

    def loss(parameters: Tensors, x: Tensor) -> Tensor:
        return (x * (parameters["w"].unsqueeze(1) - slopes / size)).sum(2).square().mean(1)

    return Tasks(lambda p: loss(p, x), lambda p: loss(p, xq), count, {"x": x, "xq": xq, "slopes": slopes / size})


def test_the_gradient_of_each_rate_is_the_closed_form() -> None:
    """θ' = θ − α ⊙ g, so dL/dα = −g ⊙ ∇L_query(θ'), and dL/dθ = (I − H diag α) ∇L_query(θ')."""
    tasks = planes(4, 3)
    learner = MetaSGD(START)
    rates = learner.learned["rate|w"]
    assert rates.shape == START["w"].shape and bool((rates >= 0.005).all()) and bool((rates <= 0.1).all())
    learner.descend(tasks)
    expected_rates, expected = torch.zeros(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    for task in range(4):
        x, xq = tasks.data["x"][task], tasks.data["xq"][task]
        target = tasks.data["slopes"][task, 0]
        hessian, other = 2 / 12 * x.T @ x, 2 / 12 * xq.T @ xq
        gradient = hessian @ (START["w"][0] - target)
        outer = other @ (START["w"][0] - rates.detach()[0] * gradient - target)
        expected_rates -= gradient * outer / 4
        expected += (torch.eye(3, dtype=torch.float64) - hessian @ torch.diag(rates.detach()[0])) @ outer / 4
    assert rates.grad is not None
    torch.testing.assert_close(rates.grad[0], expected_rates)
    torch.testing.assert_close(learner.start["w"].grad[0], expected)


def test_one_rate_for_a_tensor_moves_all_its_elements() -> None:
    learner = ALGORITHMS["meta_sgd_tensor"]({"w": random(2, 3), "m": random(2, 3, 4)})
    assert isinstance(learner, MetaSGD)
    assert learner.learned["rate|w"].shape == (2, 1) and learner.learned["rate|m"].shape == (2, 1, 1)
    one = ALGORITHMS["meta_sgd_tensor"](START)
    assert isinstance(one, MetaSGD)
    tasks = planes(4, 3)
    own = START["w"].repeat(4, 1).requires_grad_(True)
    (gradient,) = torch.autograd.grad(tasks.support({"w": own}).sum(), [own])
    moved = (own - one.adapt(tasks)["w"]) / gradient
    torch.testing.assert_close(moved, one.learned["rate|w"].detach().expand(4, 3))


def test_a_start_learns_beside_another_as_it_would_alone() -> None:
    both = {"w": random(2, 3)}
    learner, alone = MetaSGD(both), MetaSGD({"w": both["w"][1:]})
    with torch.no_grad():
        alone.learned["rate|w"].copy_(learner.learned["rate|w"][1:])
    for step in range(3):
        own, others = planes(3, step), planes(3, 50 + step)
        alone.outer_step(own)
        both_tasks = {
            side: lambda p, side=side, sides=(others, own): torch.cat(
                [getattr(tasks, side)({"w": half}) for tasks, half in zip(sides, p["w"].chunk(2), strict=True)]
            )
            for side in ("support", "query")
        }
        learner.outer_step(Tasks(**both_tasks, count=6))
    for name, tensor in alone.learned.items():
        torch.testing.assert_close(learner.learned[name][1:], tensor)


def test_a_run_that_was_saved_goes_on_bit_by_bit(tmp_path: Path) -> None:
    whole, stopped, resumed = (MetaSGD(START) for _ in range(3))
    with torch.no_grad():
        resumed.learned["rate|w"].add_(1)
    for step in range(4):
        whole.outer_step(planes(4, step))
        if step < 2:
            stopped.outer_step(planes(4, step))
    stopped.save(tmp_path / "run.safetensors")
    resumed.resume(tmp_path / "run.safetensors")
    for step in (2, 3):
        resumed.outer_step(planes(4, step))
    for name, tensor in whole.learned.items():
        assert torch.equal(tensor, resumed.learned[name]), name


@pytest.mark.parametrize("by_tensor", [False, True])
def test_it_learns_planes_that_one_rate_cannot_and_a_copy_whose_rates_stand_still_does_not(by_tensor: bool) -> None:
    """Without adapting, nothing better than the planes' spread, 3, can be reached."""
    reached = {}
    for rate in (0.05, 0.0):
        learner = MetaSGD(START, by_tensor=by_tensor, rate=0.05, rates={"rate": rate})
        with torch.no_grad():
            learner.learned["rate|w"].fill_(0.02)
        for step in range(100):
            learner.outer_step(planes(10, 10 * step))
        new = planes(200, 99_999)
        reached[rate] = float(new.query(learner.adapt(new)).mean())
    assert reached[0.0] > 2.3
    assert reached[0.05] > 1.5 if by_tensor else reached[0.05] < 1.0
