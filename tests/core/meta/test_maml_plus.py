"""MAML++: the weights of the steps' losses, and rates of their own for each tensor and step."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from understudy.core.errors import UnderstudyError
from understudy.core.meta.learner import Tasks, Tensors
from understudy.core.meta.maml import outer_loss
from understudy.core.meta.maml_plus import MAMLPlus, step_weights


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


START = {"weight": random(1, 1, 1), "bias": random(1, 1, 1)}


def lines(count: int, seed: int) -> Tasks:
    """Lines whose slopes and heights lie around 2 and −1, with a spread of 2."""
    slope, height = 2 + random(count, 1, 1, seed=seed), random(count, 1, 1, seed=seed + 1) - 1
    x, xq = random(count, 8, 1, seed=seed + 2), random(count, 8, 1, seed=seed + 3)

    def loss(parameters: Tensors, x: Tensor) -> Tensor:
        return (x * (parameters["weight"] - slope) + parameters["bias"] - height).square().mean((1, 2))

    return Tasks(lambda p: loss(p, x), lambda p: loss(p, xq), count)


def test_the_steps_weigh_the_same_at_first_and_the_last_nearly_alone_at_the_end() -> None:
    torch.testing.assert_close(step_weights(5, 0.0), torch.full((5,), 0.2))
    torch.testing.assert_close(step_weights(5, 0.5), torch.tensor([0.1, 0.1, 0.1, 0.1, 0.6]))
    torch.testing.assert_close(step_weights(5, 1.0), torch.tensor([0.006, 0.006, 0.006, 0.006, 0.976]))
    learner = MAMLPlus(START, steps=3, horizon=2)
    for expected in ([1 / 3] * 3, [1 / 6, 1 / 6, 2 / 3]):
        weights = learner.weights()
        assert weights is not None and weights.tolist() == pytest.approx(expected)
        learner.outer_step(lines(2, learner.number))
    assert learner.weights() is None, "the last step's loss alone"


def test_the_outer_gradient_is_that_of_the_weighted_losses_with_a_rate_for_each_tensor_and_step() -> None:
    tasks = lines(4, 7)
    learner = MAMLPlus(START, steps=3, inner_rate=0.1)
    with torch.no_grad():
        learner.learned["rate|weight"].copy_(torch.tensor([[0.1, 0.2, 0.3]]))
    learner.descend(tasks)
    rates = learner.learned["rate|weight"].detach().clone()

    def total(rates: Tensor, bias_rates: Tensor) -> Tensor:
        start = {name: t.clone().requires_grad_(True) for name, t in START.items()}
        each = [{"weight": rates[0, k], "bias": bias_rates[0, k]} for k in range(3)]
        return outer_loss(tasks.support, tasks.query, start, each, 4, 3, True, torch.full((3,), 1 / 3))[0]

    for name in ("weight", "bias"):
        found = learner.learned[f"rate|{name}"].grad
        assert found is not None
        for step in range(3):
            ends = []
            for sign in (1, -1):
                both = {"weight": rates.clone(), "bias": torch.full((1, 3), 0.1, dtype=torch.float64)}
                both[name][0, step] += sign * 1e-6
                ends.append(float(total(both["weight"], both["bias"]).detach()))
            assert float(found[0, step]) == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4), (name, step)


def test_the_first_order_comes_first_where_it_is_asked_for() -> None:
    """Below the change the gradient is that of a first-order learner, above it that of a second-order one."""
    for until, second_order in ((5, False), (0, True)):
        learner = MAMLPlus(START, inner_rate=0.1, first_order_until=until)
        plain = MAMLPlus(START, inner_rate=0.1, second_order=second_order)
        for one in (learner, plain):
            one.descend(lines(4, 7))
        for name, tensor in learner.learned.items():
            assert tensor.grad is not None and torch.equal(tensor.grad, plain.learned[name].grad), name
    first, second = (MAMLPlus(START, inner_rate=0.1, first_order_until=until) for until in (1, 0))
    for one in (first, second):
        one.descend(lines(4, 7))
    assert not torch.allclose(first.start["weight"].grad, second.start["weight"].grad)
    first.outer_step(lines(4, 8))
    first.outer_step(lines(4, 9))
    assert first.second_order


def beside(*pair: Tasks) -> Tasks:
    """The tasks of the first start, then those of the second."""

    def of(side: str, p: Tensors) -> Tensor:
        halves = [{name: tensor.chunk(2)[half] for name, tensor in p.items()} for half in (0, 1)]
        return torch.cat([getattr(tasks, side)(half) for tasks, half in zip(pair, halves, strict=True)])

    return Tasks(lambda p: of("support", p), lambda p: of("query", p), sum(tasks.count for tasks in pair))


def test_starts_side_by_side_have_rates_of_their_own() -> None:
    both = {name: random(2, 1, 1, seed=index) for index, name in enumerate(START)}
    learner = MAMLPlus(both, steps=2, inner_rate=0.1)
    apart = [MAMLPlus({n: t[one : one + 1] for n, t in both.items()}, steps=2, inner_rate=0.1) for one in (0, 1)]
    for step in range(3):
        pair = [lines(3, 100 * step + 50 * one) for one in (0, 1)]

        learner.outer_step(beside(*pair))
        for alone, tasks in zip(apart, pair, strict=True):
            alone.outer_step(tasks)
    for name, tensor in learner.learned.items():
        torch.testing.assert_close(tensor, torch.cat([alone.learned[name] for alone in apart]))
    assert not torch.allclose(*learner.learned["rate|bias"])


def test_a_run_that_was_saved_goes_on_bit_by_bit_across_the_horizon(tmp_path: Path) -> None:
    whole, stopped, resumed = (MAMLPlus(START, horizon=4, first_order_until=2) for _ in range(3))
    for step in range(6):
        whole.outer_step(lines(4, step))
        if step < 3:
            stopped.outer_step(lines(4, step))
    stopped.save(tmp_path / "run.safetensors")
    resumed.resume(tmp_path / "run.safetensors")
    for step in range(3, 6):
        resumed.outer_step(lines(4, step))
    for name, tensor in whole.learned.items():
        assert torch.equal(tensor, resumed.learned[name]), name


def test_it_learns_lines_and_a_copy_whose_rates_stand_still_does_not() -> None:
    """Rates begin far too low, 0.01: without others nothing better than about the lines' spread, 2, is reached."""
    reached = {}
    for rate in (0.03, 0.0):
        learner = MAMLPlus(START, steps=2, horizon=20, rate=0.05, rates={"rate": rate})
        for step in range(60):
            learner.outer_step(lines(10, 10 * step))
        new = lines(200, 99_999)
        reached[rate] = float(new.query(learner.adapt(new)).mean())
    assert reached[0.03] < 0.5
    assert reached[0.0] > 1.5


def steep(parameters: Tensors) -> Tensor:
    """w⁴, and w⁴ / 40: what suits the second task throws the first further out with every step."""
    return torch.tensor([1.0, 0.025]) * parameters["w"].pow(4).sum((1, 2))


def test_a_task_that_overshoots_does_not_leave_what_numbers_can_say() -> None:
    """In float32, as on the sinusoid; without its clamps it is the published algorithm, and ends there."""
    start, tasks = {"w": torch.full((1, 1, 1), 4.0)}, Tasks(steep, steep, 2)
    with pytest.raises(UnderstudyError, match="MAMLPlus, step 0: the outer (loss|gradient) is not finite"):
        MAMLPlus(start, inner_rate=0.1, inner_clamp=0).outer_step(tasks)
    learner = MAMLPlus(start, inner_rate=0.1)
    losses = [learner.outer_step(tasks)["loss"] for _ in range(200)]
    assert losses[-1] < 0.5 * losses[0]
    most = max(float(t.grad.abs().max()) for t in learner.learned.values() if t.grad is not None)
    assert most <= 10
