"""The loop that speed is measured against is MAML: its gradient is that of all tasks in one pass."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import mse_loss

from benchmarks import meta_learning, sinusoid
from understudy.core.meta.learner import Tasks
from understudy.core.meta.maml import outer_loss
from understudy.core.meta.tasks import module_tasks, start_of


@pytest.fixture
def module() -> torch.nn.Sequential:
    torch.manual_seed(0)
    layers = (torch.nn.Linear(1, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1))
    return torch.nn.Sequential(*layers).double()


def tasks_of(module: torch.nn.Module, tasks: int = 3) -> Tasks:
    x, y = sinusoid.waves(torch.Generator().manual_seed(1), tasks, points=8)
    x, y = x.double(), y.double()
    return module_tasks(module, (x[:, :4], y[:, :4]), (x[:, 4:], y[:, 4:]), mse_loss)


def test_the_loop_has_the_gradient_of_all_tasks_in_one_pass(
    module: torch.nn.Sequential, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meta_learning, "INNER_RATE", 0.3)
    tasks = tasks_of(module)
    start = {name: tensor.requires_grad_(True) for name, tensor in start_of(module).items()}
    rates = {name: torch.tensor(0.3, dtype=torch.float64) for name in start}
    total, _ = outer_loss(tasks.support, tasks.query, start, rates, tasks.count, 1, second_order=True)
    total.backward()
    loop = meta_learning.clone_and_loop(module, tasks)
    loop.backward()
    torch.testing.assert_close(loop.detach(), total.detach().double())
    for name, tensor in module.named_parameters():
        ours = start[name].grad
        assert ours is not None
        torch.testing.assert_close(tensor.grad, ours[0])


def test_a_clone_leaves_the_module_as_it_was(module: torch.nn.Sequential) -> None:
    before = {name: tensor.detach().clone() for name, tensor in module.named_parameters()}
    learner = meta_learning.cloned(module)
    ones = {name: torch.ones_like(tensor) for name, tensor in before.items()}
    meta_learning.moved(learner, ones, 0.5)
    for name, tensor in module.named_parameters():
        torch.testing.assert_close(tensor.detach(), before[name])
        torch.testing.assert_close(meta_learning.named(learner)[name].detach(), before[name] - 0.5)


def test_ways_are_measured_in_turns_and_the_first_time_does_not_count() -> None:
    order: list[str] = []
    found = meta_learning.in_turns({"one": lambda: order.append("one"), "two": lambda: order.append("two")}, 2)
    assert order == ["one", "two"] * 3 and set(found) == {"one", "two"}


def test_the_sinusoid_is_measured() -> None:
    found = meta_learning.waves(1)
    assert {found["ours"], found["sequential"]} <= set(found["milliseconds"])
    assert all(value > 0 for value in found["milliseconds"].values())
