"""Multi-task: the weightings against their closed forms, and what they are good for."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from understudy.core.errors import UnderstudyError
from understudy.core.meta.learner import Tasks, Tensors
from understudy.core.meta.multitask import (
    MultiTask,
    PartedTasks,
    by_progress,
    by_uncertainty,
    family_parts,
    part_means,
)

PARTS = ("near", "noisy")


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def two_parts(count: int = 4, seed: int = 0, scale: float = 1.0) -> PartedTasks:
    """w is drawn to one place by one part, and to another, ``scale`` times as loudly, by the other."""
    near, noisy = random(count, 3, seed=seed), 1 + random(count, 3, seed=seed + 1)

    def parts(parameters: Tensors) -> Tensor:
        w = parameters["w"]
        return torch.stack([((w - near) ** 2).mean(1), scale * ((w - noisy) ** 2).mean(1)], 1)

    return PartedTasks.of(PARTS, parts, parts, torch.ones(count, 2, dtype=torch.bool))


def start(starts: int = 1) -> dict[str, Tensor]:
    return {"w": random(starts, 3, seed=9)}


def test_a_part_is_the_mean_over_the_tasks_that_have_it() -> None:
    losses = torch.tensor([[1.0, 9.0], [3.0, 0.0], [5.0, 4.0], [0.0, 2.0]])
    there = torch.tensor([[1, 0], [1, 0], [1, 1], [0, 1]]).bool()
    assert part_means(losses, there).tolist() == [[3.0, 3.0]]
    assert part_means(losses, there, starts=2).tolist() == [[2.0, 0.0], [5.0, 3.0]]


def test_uncertainty_has_the_likelihoods_halves_and_the_right_minimum() -> None:
    """Of squared errors −log N(y; f, σ²) = L / 2σ² + log σ, whose best σ² is L; of others it is 2 L."""
    means = torch.tensor([[0.3, 0.7]], dtype=torch.float64)
    squared, present = torch.tensor([True, False]), torch.ones(1, 2, dtype=torch.bool)
    logs = random(1, 2, seed=3).requires_grad_(True)
    variance = logs.detach().exp()[0]
    expected = 0.3 / (2 * variance[0]) + variance[0].sqrt().log() + 0.7 / variance[1] + variance[1].sqrt().log()
    torch.testing.assert_close(by_uncertainty(means, logs, squared, present)[0], expected)
    assert torch.autograd.gradcheck(lambda s: by_uncertainty(means, s, squared, present), (logs,))
    best = torch.tensor([[math.log(0.3), math.log(2 * 0.7)]], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(by_uncertainty(means, best, squared, present).sum(), [best])
    torch.testing.assert_close(gradient, torch.zeros(1, 2, dtype=torch.float64))
    absent = by_uncertainty(means, logs, squared, torch.tensor([[True, False]]))
    (gradient,) = torch.autograd.grad(absent.sum(), [logs])
    assert float(gradient[0, 1]) == 0 and float(gradient[0, 0]) != 0


def test_progress_is_the_softmax_of_the_ratios() -> None:
    last, before = torch.tensor([[1.0, 2.0, 0.0]]), torch.tensor([[2.0, 2.0, 0.0]])
    shares = [math.exp(0.5 / 2), math.exp(1 / 2), math.exp(1 / 2)]
    expected = [3 * share / sum(shares) for share in shares]
    assert by_progress(last, before)[0].tolist() == pytest.approx(expected)
    assert by_progress(before, last * 0)[0].tolist() == pytest.approx([1, 1, 1]), "at first all count alike"


@pytest.mark.parametrize("weighting", ["fixed", "uncertainty", "progress"])
def test_one_outer_step_is_that_of_the_weighted_sum(weighting: str) -> None:
    learner = MultiTask(start(), parts=PARTS, weighting=weighting, weights={"noisy": 0.25}, squared=["near"])
    tasks = two_parts()
    w = start()["w"].requires_grad_(True)
    means = tasks.query_parts({"w": w.expand(4, -1)}).mean(0)
    halves = [0.5, 1.0] if weighting == "uncertainty" else [1.0, 1.0]
    (expected,) = torch.autograd.grad(halves[0] * means[0] + halves[1] * 0.25 * means[1], [w])
    metrics = learner.outer_step(tasks)
    torch.testing.assert_close(learner.start["w"].grad, expected)
    adapted = learner.adapt(tasks)["w"]
    assert metrics["loss of near"] == pytest.approx(float(means[0].detach()))
    assert adapted.shape == (4, 3)


def test_adapting_steps_down_the_weighted_support() -> None:
    learner = MultiTask(start(), parts=PARTS, weights={"near": 3.0, "noisy": 0.0}, inner_rate=0.1, steps=2)
    tasks = two_parts()
    w = start()["w"].expand(4, -1).clone().requires_grad_(True)
    optimiser = torch.optim.SGD([w], lr=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        (3 * tasks.support_parts({"w": w})[:, 0]).sum().backward()
        optimiser.step()
    torch.testing.assert_close(learner.adapt(tasks)["w"], w.detach())


def test_a_loud_part_drowns_the_others_unless_it_is_weighted() -> None:
    """One part is 25 times as loud: with fixed weights w goes where it wants, by uncertainty half-way."""
    places = {}
    for weighting in ("fixed", "uncertainty"):
        learner = MultiTask(
            {"w": torch.zeros(1, 3, dtype=torch.float64)}, parts=PARTS, weighting=weighting, squared=PARTS,
            rate=0.05, rates={"log_variance": 0.2} if weighting == "uncertainty" else {}, steps=0,
        )  # fmt: skip
        for _ in range(150):
            learner.outer_step(two_parts(256, scale=25.0))
        places[weighting] = float(learner.start["w"].detach().mean())
    assert places["fixed"] == pytest.approx(1.0, abs=0.1)
    assert places["uncertainty"] == pytest.approx(0.5, abs=0.15)
    variances = learner.learned["log_variance|"].detach()[0].exp()
    assert float(variances[1] / variances[0]) == pytest.approx(25, rel=0.2)


def scaled(scales: tuple[float, float], count: int = 2) -> PartedTasks:
    """Losses that do not depend on w, of these sizes."""

    def parts(parameters: Tensors) -> Tensor:
        return 0 * parameters["w"].mean(1, keepdim=True) + torch.tensor([scales] * count, dtype=torch.float64)

    return PartedTasks.of(PARTS, parts, parts, torch.ones(count, 2, dtype=torch.bool))


def test_the_part_that_learns_slower_weighs_more() -> None:
    learner = MultiTask(start(), parts=PARTS, weighting="progress", every=2, temperature=0.5)
    assert learner.weights().tolist() == [[1.0, 1.0]]
    for size in (4.0, 4.0, 2.0, 2.0):
        learner.outer_step(scaled((size, 3.0)))
    expected = [2 * math.exp(ratio / 0.5) / (math.exp(1.0) + math.exp(2.0)) for ratio in (0.5, 1.0)]
    assert learner.weights()[0].tolist() == pytest.approx(expected)


def test_starts_side_by_side_have_weights_of_their_own() -> None:
    both = MultiTask(start(2), parts=PARTS, weighting="progress", every=1)
    alone = [MultiTask({"w": start(2)["w"][n : n + 1]}, parts=PARTS, weighting="progress", every=1) for n in (0, 1)]
    for step in range(4):
        halves = [two_parts(3, seed=40 * step + 7 * n, scale=1 + 3.0 * n) for n in (0, 1)]

        def parts(p: Tensors, halves: list[PartedTasks] = halves) -> Tensor:
            return torch.cat([h.query_parts({"w": p["w"][3 * n : 3 * n + 3]}) for n, h in enumerate(halves)])

        both.outer_step(PartedTasks.of(PARTS, parts, parts, torch.ones(6, 2, dtype=torch.bool)))
        for one, half in zip(alone, halves, strict=True):
            one.outer_step(half)
    torch.testing.assert_close(both.start["w"], torch.cat([one.start["w"] for one in alone]))
    torch.testing.assert_close(both.weights(), torch.cat([one.weights() for one in alone]))
    assert not torch.allclose(both.weights()[0], both.weights()[1])


@pytest.mark.parametrize("weighting", ["uncertainty", "progress"])
def test_a_run_that_was_saved_goes_on_bit_by_bit(tmp_path: Path, weighting: str) -> None:
    whole, stopped, resumed = (MultiTask(start(), parts=PARTS, weighting=weighting, every=2) for _ in range(3))
    for step in range(8):
        whole.outer_step(two_parts(seed=step))
        if step < 5:
            stopped.outer_step(two_parts(seed=step))
    stopped.save(tmp_path / "run.safetensors")
    resumed.resume(tmp_path / "run.safetensors")
    for step in range(5, 8):
        resumed.outer_step(two_parts(seed=step))
    for name, tensor in (whole.learned | whole.kept).items():
        assert torch.equal(tensor, (resumed.learned | resumed.kept)[name]), name
    assert torch.equal(whole.weights(), resumed.weights())


def test_families_can_be_the_parts() -> None:
    family = torch.tensor([1, 0, 1])
    tasks = Tasks(lambda p: p["w"].sum(1), lambda p: 2 * p["w"].sum(1), 3, {"family": family})
    parts = family_parts(tasks, ("a", "b"))
    w = {"w": random(3, 2)}
    assert torch.equal(parts.query(w), tasks.query(w)) and parts.there.tolist() == [[False, True], [True, False]] + [
        [False, True]
    ]
    assert torch.equal(parts.support_parts(w)[0], torch.stack([torch.zeros(()), w["w"][0].sum()]).double())


def test_plain_tasks_are_one_part_and_wrong_ones_are_refused() -> None:
    tasks = Tasks(*[lambda p: (p["w"] ** 2).mean(1)] * 2, 3)
    learner = MultiTask(start(), rate=0.1)
    losses = [learner.outer_step(tasks)["loss"] for _ in range(60)]
    assert losses[-1] < 0.05 * losses[0]
    with pytest.raises(UnderstudyError, match="the tasks have the parts near, noisy; this was made for loss"):
        learner.outer_step(two_parts())
    with pytest.raises(UnderstudyError, match="there is no weighting 'best'"):
        MultiTask(start(), weighting="best")
    with pytest.raises(UnderstudyError, match="there is no part 'far'; the parts are near, noisy"):
        MultiTask(start(), parts=PARTS, weights={"far": 1.0})
