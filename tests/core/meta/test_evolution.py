"""Evolution strategies against the gradient of a quadratic; what they learn without one."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from understudy.core.backbone import Backbone
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Choice, Record
from understudy.core.meta import evolution
from understudy.core.meta.evolution import ESMAML, around, both_sides, climbed, directions_of, estimate, shaped
from understudy.core.meta.learner import Tasks, Tensors
from understudy.core.meta.start import Start
from understudy.core.meta.tasks import head_tasks, module_tasks, start_of
from understudy.core.prompts import Example, Prompt
from understudy.core.trunk import upper_sites


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def quadratic(seed: int, size: int = 3) -> tuple[Tensor, Tensor]:
    root = random(size, size, seed=seed)
    return root @ root.T, random(size, seed=seed + 1)


def test_the_estimate_is_unbiased_and_pairs_vary_less_than_single_candidates() -> None:
    """L(w) = ½ wᵀAw − bᵀw: its smoothed gradient is Aw − b, whatever σ is; every task here is one estimate more."""
    a, b = quadratic(1)
    w, count, deviation = random(3, seed=3), 4000, 0.5

    def loss(parameters: Tensors) -> Tensor:
        return 0.5 * torch.einsum("ni,ij,nj->n", parameters["w"], a, parameters["w"]) - parameters["w"] @ b

    parameters = {"w": w.expand(1, count, 3)}
    directions = directions_of({"w": w.unsqueeze(0)}, 4, count, torch.Generator().manual_seed(0))
    losses = both_sides(loss, parameters, directions, deviation)
    found = estimate(losses, directions, deviation)["w"][0]
    exact = a @ w - b
    error = (found.mean(0) - exact).abs() / (found.std(0) / count**0.5)
    assert float(error.max()) < 4, "standard errors"
    assert float((found.std(0) / count**0.5).max()) < 0.05 * float(exact.norm())
    single = estimate(torch.stack([2 * losses[0], torch.zeros_like(losses[0])]), directions, deviation)["w"][0]
    assert float(((single.mean(0) - exact).abs() / (single.std(0) / count**0.5)).max()) < 4
    assert float(single.var(0).sum()) > 1.2 * float(found.var(0).sum())


@pytest.mark.parametrize("together", [True, False])
def test_candidates_side_by_side_are_those_one_by_one(together: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    net = torch.nn.Linear(2, 1)
    x, y = random(6, 4, 2, dtype=torch.float32), random(6, 4, 1, seed=1, dtype=torch.float32)
    tasks = module_tasks(net, (x, y), (x, y), mse_loss)
    start = {name: t.repeat(2, *[1] * (t.ndim - 1)) for name, t in start_of(net).items()}
    parameters = {name: random(2, 6, *t.shape[1:], seed=2, dtype=torch.float32) for name, t in start.items()}
    directions = directions_of(start, 5, 3, torch.Generator().manual_seed(1))
    monkeypatch.setattr(evolution, "MOST", 2 * sum(t.numel() for t in parameters.values()))
    found = both_sides(tasks.support, parameters, directions, 0.1, together)
    for side, sign in enumerate((1, -1)):
        for pair in range(5):
            for candidate in range(2):
                one = {
                    name: t[candidate] + sign * 0.1 * directions[name][pair].repeat(2, *[1] * (t.ndim - 2))
                    for name, t in parameters.items()
                }
                torch.testing.assert_close(found[side, pair, candidate], tasks.support(one))


def test_ranks_do_not_depend_on_how_far_apart_losses_are() -> None:
    losses = torch.tensor([[1.0, 4.0], [3.0, 2.0]])
    plus, minus = torch.tensor([-0.5, 0.5]), torch.tensor([1 / 6, -1 / 6])
    torch.testing.assert_close(shaped(losses, "rank"), (plus - minus) / 2)
    torch.testing.assert_close(shaped(losses.exp(), "rank"), shaped(losses, "rank"))
    torch.testing.assert_close(shaped(1e6 * losses - 5, "standard"), shaped(losses, "standard"))
    torch.testing.assert_close(shaped(losses, "plain"), torch.tensor([-1.0, 1.0]))


def test_climbing_takes_the_best_candidate_and_never_goes_down() -> None:
    goal = random(4, 3, seed=9)

    def loss(parameters: Tensors) -> Tensor:
        return (parameters["w"] - goal).square().sum(1)

    parameters: Tensors = {"w": torch.zeros(1, 4, 3, dtype=torch.float64)}
    source = torch.Generator().manual_seed(0)
    for _ in range(60):
        directions = directions_of({"w": goal}, 3, 2, source)
        before, losses = loss({"w": parameters["w"][0]}).unsqueeze(0), both_sides(loss, parameters, directions, 0.3)
        every = torch.cat([around(parameters, directions, sign * 0.3)["w"] for sign in (1, -1)])
        after = climbed(parameters, before, losses, directions, 0.3)
        now = loss({"w": after["w"][0]})
        torch.testing.assert_close(now, torch.stack([before[0], *(loss({"w": one}) for one in every)]).min(0).values)
        parameters = after
    assert float(now.max()) < 0.3 < float(goal.square().sum(1).min())


def valleys(step: int, count: int = 6, starts: int = 1) -> Tasks:
    """Points near (2, −1, 1): to begin among them is what can be learned. Whoever asks for a gradient is caught."""
    near = torch.tensor([2.0, -1.0, 1.0]) + 0.3 * random(count // starts, 3, seed=step, dtype=torch.float32)
    goal = near.repeat(starts, 1)

    def loss(parameters: Tensors) -> Tensor:
        assert not torch.is_grad_enabled(), "there is none"
        return (parameters["w"] - goal).abs().sum(-1)

    return Tasks(loss, loss, count)


@pytest.mark.parametrize("adapter", ["climb", "gradient"])
def test_it_learns_where_to_begin_without_a_gradient(adapter: evolution.Adapter) -> None:
    learner = ESMAML({"w": torch.zeros(1, 3)}, adapter=adapter, rate=0.05, pairs=8, inner_pairs=2)
    losses = [learner.outer_step(valleys(step))["loss"] for step in range(120)]
    assert losses[0] > 2.5 and sum(losses[-10:]) / 10 < 1.0
    torch.testing.assert_close(learner.start["w"][0].detach(), torch.tensor([2.0, -1.0, 1.0]), atol=0.3, rtol=0)
    new = valleys(500)
    adapted = [learner.adapt(new, steps) for steps in (0, 30)]
    with torch.no_grad():
        zero, more = (float(new.query(parameters).mean()) for parameters in adapted)
    assert more < (0.8 if adapter == "climb" else 1.0) * zero


def test_with_the_sides_taken_for_each_other_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    right = evolution.shaped
    monkeypatch.setattr(evolution, "shaped", lambda losses, shaping: right(losses.flip(0), shaping))
    learner = ESMAML({"w": torch.zeros(1, 3)}, rate=0.05, pairs=8, inner_pairs=2)
    losses = [learner.outer_step(valleys(step))["loss"] for step in range(60)]
    assert losses[-1] > losses[0]


def test_starts_side_by_side_learn_as_they_would_alone() -> None:
    both = {"w": random(2, 3, dtype=torch.float32)}
    learner = ESMAML(both, pairs=4, inner_pairs=2, steps=2)
    apart = [ESMAML({"w": both["w"][one : one + 1]}, pairs=4, inner_pairs=2, steps=2) for one in (0, 1)]
    for step in range(4):
        with torch.no_grad():
            learner.outer_step(valleys(step, 6, 2))
            for alone in apart:
                alone.outer_step(valleys(step, 3))
    torch.testing.assert_close(learner.start["w"], torch.cat([alone.start["w"] for alone in apart]))
    assert not torch.allclose(learner.start["w"], both["w"], atol=1e-3)


def test_a_run_that_was_saved_goes_on_bit_by_bit(tmp_path: Path) -> None:
    whole, stopped, resumed = (ESMAML({"w": random(1, 3, dtype=torch.float32)}, pairs=4) for _ in range(3))
    for step in range(6):
        whole.outer_step(valleys(step))
        if step < 3:
            stopped.outer_step(valleys(step))
    stopped.save(tmp_path / "run.safetensors")
    resumed.resume(tmp_path / "run.safetensors")
    for step in range(3, 6):
        resumed.outer_step(valleys(step))
    assert torch.equal(whole.start["w"], resumed.start["w"])
    assert torch.equal(whole.adapt(valleys(9))["w"], resumed.adapt(valleys(9))["w"])


def test_a_loss_in_plain_python_is_asked_one_by_one() -> None:
    def loss(parameters: Tensors) -> Tensor:
        return torch.tensor([abs(float(one)) for one in parameters["w"].sum(1)])

    with pytest.raises(UnderstudyError, match="give together=False"):
        ESMAML({"w": torch.ones(1, 2)}).outer_step(Tasks(loss, loss, 2))
    assert ESMAML({"w": torch.ones(1, 2)}, together=False).outer_step(Tasks(loss, loss, 2))["spread"] > 0


def test_heads_on_a_backbone_learn_from_losses_alone(backbones: Callable[..., Backbone]) -> None:
    backbone = backbones()
    record = Record((("queue", Choice(("bug", "billing"))),))
    some = [Example(Prompt(message=(("text", "the euro"),)), record, {"queue": queue}) for queue in ("bug", "billing")]
    sites = upper_sites(backbone)
    tasks = head_tasks(backbone, [([one], [one]) for one in some], sites)
    start = Start.plain(backbone.sites, rank=2).on(sites).tensors
    learner = ESMAML(start, pairs=1, inner_pairs=2, inner_deviation=0.2)
    found = learner.adapt(tasks, 4)
    assert {name: len(tensor) for name, tensor in found.items()} == dict.fromkeys(start, 2)
    with torch.no_grad():
        before = tasks.support({name: tensor.repeat(2, 1, 1) for name, tensor in start.items()})
        assert bool((tasks.support(found) < before - 0.01).all())
    assert learner.outer_step(tasks)["spread"] >= 0


@pytest.mark.slow
def test_it_learns_the_sinusoid() -> None:
    torch.manual_seed(0)
    layers = (torch.nn.Linear(1, 16), torch.nn.ReLU(), torch.nn.Linear(16, 16), torch.nn.ReLU())
    net = torch.nn.Sequential(*layers, torch.nn.Linear(16, 1))

    def waves(step: int, count: int, asked: int = 10) -> Tasks:
        source = torch.Generator().manual_seed(step)
        amplitude, phase = torch.rand(2, count, 1, 1, generator=source)
        x = torch.rand(count, 10 + asked, 1, generator=source) * 10 - 5
        y = (amplitude * 4.9 + 0.1) * torch.sin(x - phase * torch.pi)
        return module_tasks(net, (x[:, :10], y[:, :10]), (x[:, 10:], y[:, 10:]), mse_loss)

    new = waves(10**6, 200, 50)
    learner = ESMAML(start_of(net))
    before = float(new.query(learner.adapt(new)).mean())
    for step in range(500):
        learner.outer_step(waves(step, 10))
    zero, one, five = (float(new.query(learner.adapt(new, steps)).mean()) for steps in (0, 1, 5))
    assert one < 0.8 * before and one < zero - 0.1 and five < 0.8 * before


def test_a_candidate_without_a_number_does_not_hide_a_better_one() -> None:
    nan = float("nan")
    parameters, directions = {"w": torch.zeros(1, 3, 1)}, {"w": torch.ones(2, 3, 1)}
    losses = torch.tensor([[[[nan, 0.5, nan]], [[2.0, nan, nan]]], [[[0.5, 2.0, nan]], [[3.0, 3.0, nan]]]])
    found = climbed(parameters, torch.tensor([[1.0, nan, nan]]), losses, directions, 0.1)["w"]
    torch.testing.assert_close(found.flatten(), torch.tensor([-0.1, 0.1, 0.0]))
