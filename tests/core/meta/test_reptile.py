"""Reptile against torch.optim, and its outer step as what algorithm 1 says."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from understudy.core.meta.learner import Tasks, Tensors
from understudy.core.meta.reptile import Reptile
from understudy.core.meta.tasks import module_tasks, start_of

NET = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)).double()


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def small_tasks(count: int, seed: int) -> Tasks:
    x, y, xq, yq = (random(count, 6, wide, seed=seed + i) for i, wide in enumerate((2, 1, 2, 1)))
    return module_tasks(NET, (x, y), (xq, yq), mse_loss)


def trained(tasks: Tasks, task: int, sides: list[str], inner: str) -> dict[str, Tensor]:
    """A copy of the network after torch.optim's steps on these sides of the task."""
    own = copy.deepcopy(NET)
    adam = torch.optim.Adam(own.parameters(), lr=0.05, betas=(0.0, 0.999))
    optimiser = torch.optim.SGD(own.parameters(), lr=0.05) if inner == "sgd" else adam
    for side in sides:
        optimiser.zero_grad()
        mse_loss(own(tasks.data[f"{side}_x"][task]), tasks.data[f"{side}_y"][task]).backward()
        optimiser.step()
    return {name: p.detach() for name, p in own.named_parameters()}


@pytest.mark.parametrize("inner", ["sgd", "adam"])
def test_inner_steps_are_torch_optim_s_and_the_outer_gradient_is_start_less_where_they_led(inner: str) -> None:
    tasks = small_tasks(3, 4)
    learner = Reptile(start_of(NET), steps=5, inner_rate=0.05, inner=inner)
    learner.descend(tasks)
    led = [trained(tasks, task, ["support", "query", "support", "query", "support"], inner) for task in range(3)]
    adapted = learner.adapt(tasks, 4)
    for name, tensor in learner.start.items():
        assert tensor.grad is not None
        torch.testing.assert_close(tensor.grad[0], tensor[0].detach() - torch.stack([one[name] for one in led]).mean(0))
        expected = torch.stack([trained(tasks, task, ["support"] * 4, inner)[name] for task in range(3)])
        torch.testing.assert_close(adapted[name], expected)


def test_the_outer_step_of_sgd_goes_part_of_the_way_to_the_mean() -> None:
    tasks = small_tasks(3, 4)
    learner = Reptile(start_of(NET), steps=2, inner_rate=0.05, outer="sgd", rate=0.25)
    learner.outer_step(tasks)
    led = [trained(tasks, task, ["support", "query"], "sgd") for task in range(3)]
    for name, before in start_of(NET).items():
        mean = torch.stack([one[name] for one in led]).mean(0)
        torch.testing.assert_close(learner.start[name][0].detach(), before[0] + 0.25 * (mean - before[0]))


def test_the_loss_it_tells_is_on_a_query_that_no_step_has_seen() -> None:
    tasks = small_tasks(3, 4)
    learner = Reptile(start_of(NET), steps=4, inner_rate=0.05)
    expected = float(tasks.query(learner.adapt(tasks, 1)).mean())
    assert learner.outer_step(tasks)["loss"] == pytest.approx(expected)


@pytest.mark.parametrize("outer", ["adam", "sgd"])
def test_starts_side_by_side_learn_as_they_would_alone_and_go_on_when_resumed(outer: str, tmp_path: Path) -> None:
    both = {name: random(2, *t.shape[1:], seed=i) for i, (name, t) in enumerate(start_of(NET).items())}
    learner, resumed = (Reptile(both, outer=outer, rate=0.1) for _ in range(2))
    alone = Reptile({name: t[1:] for name, t in both.items()}, outer=outer, rate=0.1)
    for step in range(3):
        tasks = small_tasks(6, 10 * step)
        learner.outer_step(tasks)
        x, y, xq, yq = (tasks.data[name][3:] for name in ("support_x", "support_y", "query_x", "query_y"))
        alone.outer_step(module_tasks(NET, (x, y), (xq, yq), mse_loss))
    for name, tensor in alone.start.items():
        torch.testing.assert_close(learner.start[name][1:], tensor)
    learner.save(tmp_path / "run.safetensors")
    resumed.resume(tmp_path / "run.safetensors")
    for one in (learner, resumed):
        one.outer_step(small_tasks(6, 99))
    assert all(torch.equal(tensor, resumed.learned[name]) for name, tensor in learner.learned.items())


def lines(count: int, seed: int) -> Tasks:
    """Lines whose slopes and heights lie around 2 and −1, with a spread of 2."""
    slope, height = 2 + random(count, 1, 1, seed=seed), random(count, 1, 1, seed=seed + 1) - 1

    def loss(p: Tensors, x: Tensor) -> Tensor:
        return (x * (p["weight"] - slope) + p["bias"] - height).square().mean((1, 2))

    x, xq = random(count, 8, 1, seed=seed + 2), random(count, 8, 1, seed=seed + 3)
    return Tasks(lambda p: loss(p, x), lambda p: loss(p, xq), count)


class Away(Reptile):
    """A broken copy: away from where the tasks' own training leads."""

    def descend(self, tasks: Tasks) -> dict[str, float]:
        metrics = super().descend(tasks)
        for tensor in self.start.values():
            assert tensor.grad is not None
            tensor.grad.neg_()
        return metrics


@pytest.mark.parametrize(("outer", "rate"), [("adam", 0.1), ("sgd", 0.2)])
def test_it_learns_lines_and_a_broken_copy_does_not(outer: str, rate: float) -> None:
    start = {"weight": 4 + random(1, 1, 1), "bias": random(1, 1, 1)}
    settings: dict[str, Any] = {"steps": 4, "inner_rate": 0.1, "outer": outer, "rate": rate, "adapt_steps": 4}
    reached = {}
    for kind in (Reptile, Away):
        learner = kind(start, **settings)
        for step in range(80):
            learner.outer_step(lines(20, 10 * step))
        new = lines(200, 99_999)
        reached[kind] = float(new.query(learner.adapt(new)).mean())
        if kind is Reptile:
            assert learner.start["weight"].item() == pytest.approx(2, abs=0.5)
            assert learner.start["bias"].item() == pytest.approx(-1, abs=0.5)
    assert reached[Reptile] < 0.8 and reached[Away] > 5
