"""The recurrent learner: its cell is a GRU, its state is all of a task, and it learns to learn the sinusoid."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss

from understudy.core.errors import UnderstudyError
from understudy.core.meta.learner import Tasks
from understudy.core.meta.recurrent import Cell, Recurrent
from understudy.core.meta.tasks import module_tasks, start_of

NET = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def waves(seed: int, count: int = 16, asked: int = 6, dtype: torch.dtype = torch.float32) -> Tasks:
    source = torch.Generator().manual_seed(seed)
    amplitude, phase = torch.rand(2, count, 1, 1, generator=source, dtype=dtype)
    x = torch.rand(count, 5 + asked, 1, generator=source, dtype=dtype) * 6 - 3
    y = (amplitude * 2 + 1) * torch.sin(x - phase * torch.pi)
    return module_tasks(NET, (x[:, :5], y[:, :5]), (x[:, 5:], y[:, 5:]), mse_loss)


def some(tasks: Tasks, first: int, last: int) -> Tasks:
    x, y, xq, yq = (tasks.data[f"{side}_{kind}"][first:last] for side in ("support", "query") for kind in "xy")
    return module_tasks(NET, (x, y), (xq, yq), mse_loss)


def test_the_cell_is_a_gru() -> None:
    mine, theirs = Cell(5), torch.nn.GRUCell(5, 5)
    pairs = {"weight_ih": mine.of_input.weight, "bias_ih": mine.of_input.bias, "weight_hh": mine.of_state.weight,
             "bias_hh": mine.of_state.bias}  # fmt: skip
    theirs.load_state_dict({name: tensor.detach() for name, tensor in pairs.items()})
    values, state = random(3, 5), random(3, 5, seed=1)
    torch.testing.assert_close(mine(values, state), theirs(values, state))


def test_the_state_depends_on_the_support_alone_and_each_query_on_itself() -> None:
    learner = Recurrent(start_of(NET), width=8)
    one = waves(1, 4)
    x, y, xq, yq = (one.data[name] for name in ("support_x", "support_y", "query_x", "query_y"))
    other = module_tasks(NET, (x, y), (xq + 1, yq - 1), mse_loss)
    state = learner.adapt(one)
    assert torch.equal(state["state"], learner.adapt(other)["state"]) and state["state"].shape == (4, 8)
    changed = learner.adapt(module_tasks(NET, (x, y + 1), (xq, yq), mse_loss))
    assert not torch.allclose(changed["state"], state["state"], atol=1e-3)
    together = learner.predict(state, xq)
    for at in range(xq.shape[1]):
        torch.testing.assert_close(learner.predict(state, xq[:, at : at + 1]), together[:, at : at + 1])
    torch.testing.assert_close(
        learner.query_losses(one, state), torch.stack([mse_loss(*pair) for pair in zip(together, yq, strict=True)])
    )
    assert torch.equal(learner.adapt(one, 0)["state"], torch.zeros(4, 8))


def test_the_gradient_is_what_finite_differences_say() -> None:
    learner = Recurrent({name: t.double() for name, t in start_of(NET).items()}, width=4, clip=0)
    tasks = waves(2, 3, dtype=torch.float64)
    loss = learner.descend(tasks)["loss"]
    for number, (name, tensor) in enumerate(learner.learned.items()):
        along, ends = random(*tensor.shape, seed=number, dtype=torch.float64), []
        assert tensor.grad is not None, name
        for sign in (1, -1):
            with torch.no_grad():
                tensor += sign * 1e-5 * along
                ends.append(float(learner.query_losses(tasks, learner.adapt(tasks)).mean()))
                tensor -= sign * 1e-5 * along
        slope = (ends[0] - ends[1]) / 2e-5
        assert float((tensor.grad * along).sum()) == pytest.approx(slope, rel=1e-4, abs=1e-7 * loss), name


def test_networks_side_by_side_learn_as_they_would_alone() -> None:
    start = {name: t.repeat(2, *[1] * (t.ndim - 1)) for name, t in start_of(NET).items()}
    both = Recurrent(start, width=8, clip=0, seed=4)
    apart = [Recurrent(start_of(NET), width=8, clip=0, seed=seed) for seed in (4, 5)]
    for step in range(3):
        tasks = waves(step, 8)
        both.outer_step(tasks)
        for one, alone in enumerate(apart):
            alone.outer_step(some(tasks, 4 * one, 4 * one + 4))
    for name, tensor in both.learned.items():
        torch.testing.assert_close(tensor, torch.cat([alone.learned[name] for alone in apart]), atol=2e-5, rtol=1e-4)
    assert not torch.allclose(*both.part("network")["answer.0.weight"]), "each seed has its own network"


def test_a_run_that_was_saved_goes_on_bit_by_bit(tmp_path: Path) -> None:
    whole, stopped, resumed = (Recurrent(start_of(NET), width=8) for _ in range(3))
    with torch.no_grad():
        for tensor in resumed.learned.values():
            tensor.add_(1)
    for step in range(4):
        whole.outer_step(waves(step))
        if step < 2:
            stopped.outer_step(waves(step))
    stopped.save(tmp_path / "run.safetensors")
    resumed.resume(tmp_path / "run.safetensors")
    for step in (2, 3):
        resumed.outer_step(waves(step))
    assert all(torch.equal(tensor, resumed.learned[name]) for name, tensor in whole.learned.items())


@pytest.mark.parametrize("reads", [True, False])
def test_it_learns_to_learn_waves_by_reading_them(reads: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken copy reads no support: it cannot know amplitude and phase."""
    torch.manual_seed(0)
    learner = Recurrent(start_of(NET), width=32, rate=5e-3)
    if not reads:
        right = Recurrent._read
        monkeypatch.setattr(Recurrent, "_read", lambda self, tasks, times: right(self, tasks, 0))
    losses = [learner.outer_step(waves(step))["loss"] for step in range(150)]
    last = sum(losses[-10:]) / 10
    assert last < 0.7 if reads else last > 0.9, last


def test_labels_are_read_one_hot_and_scored_by_the_tasks_own_metric() -> None:
    net = torch.nn.Linear(2, 3)
    x, y = random(4, 6, 2), torch.randint(0, 3, (4, 6), generator=torch.Generator().manual_seed(0))
    tasks = module_tasks(net, (x, y), (x, y), cross_entropy)
    learner = Recurrent(start_of(net), width=8)
    answers = learner.predict(learner.adapt(tasks), x)
    assert answers.shape == (4, 6, 3)
    torch.testing.assert_close(learner.query_losses(tasks, learner.adapt(tasks))[1], cross_entropy(answers[1], y[1]))
    assert learner.outer_step(tasks)["loss"] > 0


def test_tasks_without_examples_or_metric_are_refused() -> None:
    def loss(parameters: object) -> Tensor:
        return torch.zeros(2)

    learner = Recurrent(start_of(NET))
    with pytest.raises(UnderstudyError, match="the tasks have no support_x"):
        learner.outer_step(Tasks(loss, loss, 2))
    with pytest.raises(UnderstudyError, match="do not say their metric"):
        learner.outer_step(Tasks(loss, loss, 16, waves(0).data))
    wide = {**waves(0).data, "support_x": torch.zeros(16, 5, 2)}
    with pytest.raises(UnderstudyError, match="2 numbers were given to a network that reads 1"):
        learner.adapt(Tasks(loss, loss, 16, wide))


def test_dropout_is_refused() -> None:
    with pytest.raises(UnderstudyError, match="a recurrent learner has no dropout; give dropout=0"):
        Recurrent(start_of(NET), dropout=0.1)
    assert Recurrent(start_of(NET), dropout=0.0).dropout == 0
