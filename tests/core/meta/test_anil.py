"""ANIL: only the last module adapts, everything is learned."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from understudy.core.errors import UnderstudyError
from understudy.core.meta.anil import ANIL, last_module
from understudy.core.meta.learner import Tasks, Tensors
from understudy.core.meta.maml import MAML
from understudy.core.meta.tasks import module_tasks, start_of

NET = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)).double()


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def small_tasks(count: int, seed: int) -> Tasks:
    x, y, xq, yq = (random(count, 6, wide, seed=seed + i) for i, wide in enumerate((2, 1, 2, 1)))
    return module_tasks(NET, (x, y), (xq, yq), mse_loss)


def test_the_last_module_is_the_one_of_the_last_tensor() -> None:
    assert last_module(["0.weight", "0.bias", "2.weight", "2.bias"]) == {"2.weight", "2.bias"}
    assert last_module(["body.0.weight", "body.2.weight", "head.bias"]) == {"head.bias"}
    assert last_module(["weight", "bias"]) == {"weight", "bias"}
    assert last_module(["h.0.q|down", "h.0.q|up", "h.1.q|down", "h.1.q|up"]) == {"h.1.q|down", "h.1.q|up"}


def test_only_the_last_module_adapts_by_sgd_on_what_the_body_gives() -> None:
    tasks = small_tasks(3, 4)
    learner = ANIL(start_of(NET), steps=3, inner_rate=0.1)
    adapted = learner.adapt(tasks)
    for name in ("0.weight", "0.bias"):
        assert torch.equal(adapted[name], learner.start[name].detach().repeat(3, *[1] * (adapted[name].ndim - 1)))
    for task in range(3):
        features = NET[:2](tasks.data["support_x"][task]).detach()
        head = torch.nn.Linear(5, 1).double()
        head.load_state_dict(NET[2].state_dict())
        optimiser = torch.optim.SGD(head.parameters(), lr=0.1)
        for _ in range(3):
            optimiser.zero_grad()
            mse_loss(head(features), tasks.data["support_y"][task]).backward()
            optimiser.step()
        torch.testing.assert_close(adapted["2.weight"][task], head.weight.detach())
        torch.testing.assert_close(adapted["2.bias"][task], head.bias.detach())


def test_the_gradient_of_body_and_head_is_what_finite_differences_say() -> None:
    tasks = small_tasks(3, 4)
    learner = ANIL(start_of(NET), steps=2, inner_rate=0.1)
    learner.descend(tasks)
    for index, (name, tensor) in enumerate(learner.start.items()):
        along = random(*tensor.shape, seed=index)
        ends = []
        for sign in (1, -1):
            moved = {**learner.start, name: tensor.detach() + sign * 1e-5 * along}
            ends.append(float(tasks.query(ANIL(moved, steps=2, inner_rate=0.1).adapt(tasks)).mean()))
        assert tensor.grad is not None
        assert float((tensor.grad * along).sum()) == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5), name


def test_what_adapts_can_be_named_and_all_of_it_is_maml() -> None:
    tasks, start = small_tasks(3, 4), start_of(NET)
    whole = MAML(start, steps=2).adapt(tasks)
    everything = ANIL(start, steps=2, inner_rate=0.01, inner=lambda name: True).adapt(tasks)
    assert all(torch.equal(whole[name], everything[name]) for name in whole)
    first = ANIL(start, inner=["0.bias"]).adapt(tasks)
    assert {name for name in first if not torch.equal(first[name][0], start[name][0])} == {"0.bias"}
    with pytest.raises(UnderstudyError, match="these do not adapt: 9.bias; name some of 0.weight, 0.bias"):
        ANIL(start, inner=["0.bias", "9.bias"])
    with pytest.raises(UnderstudyError, match="no tensor is named"):
        ANIL(start, inner=lambda name: False)


def test_a_head_that_is_declared_first_is_named_as_the_docstring_says() -> None:
    class HeadFirst(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head, self.body = torch.nn.Linear(5, 1), torch.nn.Linear(2, 5)

    start = start_of(HeadFirst())
    assert ANIL(start).inner == {"body.weight", "body.bias"}, "the last declared"
    named = [line.strip() for line in str(ANIL.__doc__).splitlines() if line.strip().startswith("ANIL(")]
    for line in named:
        learner = eval(line, {"ANIL": ANIL, "start_of": start_of, "module": HeadFirst()})
        assert learner.inner == {"head.weight", "head.bias"}, line
    assert len(named) == 2 and "declared last" in str(ANIL.__doc__)


def test_starts_side_by_side_learn_as_they_would_alone_and_go_on_when_resumed(tmp_path: Path) -> None:
    both = {name: random(2, *t.shape[1:], seed=i) for i, (name, t) in enumerate(start_of(NET).items())}
    learner, resumed = ANIL(both), ANIL(both)
    alone = ANIL({name: t[1:] for name, t in both.items()})
    for step in range(3):
        tasks = small_tasks(6, 10 * step)
        learner.outer_step(tasks)
        x, y, xq, yq = (tasks.data[name][3:] for name in ("support_x", "support_y", "query_x", "query_y"))
        alone.outer_step(module_tasks(NET, (x, y), (xq, yq), mse_loss))
    for name, tensor in alone.start.items():
        torch.testing.assert_close(learner.start[name][1:], tensor)
        if tensor.grad is not None:  # Adam would not tell a gradient from half of it
            torch.testing.assert_close(learner.start[name].grad[1:], tensor.grad)
    learner.save(tmp_path / "run.safetensors")
    resumed.resume(tmp_path / "run.safetensors")
    for one in (learner, resumed):
        one.outer_step(small_tasks(6, 99))
    assert all(torch.equal(tensor, resumed.learned[name]) for name, tensor in learner.learned.items())


def shared(count: int, seed: int) -> Tasks:
    """y = a (b·x): b, of five numbers, is the same in all tasks, a differs from task to task and is ±1."""
    direction = random(5, seed=1)
    a = random(count, 1, seed=seed).sign()

    def on(x: Tensor) -> Callable[[Tensors], Tensor]:
        def loss(p: Tensors) -> Tensor:
            given = torch.einsum("nkd,nd->nk", x, p["body.w"]) * p["head.w"]
            return (given - a * (x @ direction)).square().mean(1)

        return loss

    return Tasks(on(random(count, 6, 5, seed=seed + 1)), on(random(count, 6, 5, seed=seed + 2)), count)


def test_it_learns_a_body_that_serves_all_tasks_and_a_broken_copy_does_not() -> None:
    """Unadapted, the loss is |b|², about 5, at best; the copy's body stands still."""
    start = {"body.w": 0.3 * random(1, 5, seed=3), "head.w": torch.zeros(1, 1, dtype=torch.float64)}
    reached = {}
    for broken in (False, True):
        learner = ANIL(start, steps=1, inner_rate=0.1, rate=0.03)
        if broken:
            learner.optimiser = torch.optim.Adam([learner.learned["start|head.w"]], lr=0.03)
        for step in range(100):
            learner.outer_step(shared(10, 10 * step))
        new = shared(200, 99_999)
        reached[broken] = float(new.query(learner.adapt(new)).mean())
    assert reached[False] < 0.5 and reached[True] > 0.9
