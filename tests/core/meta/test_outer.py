"""What all algorithms have in common: several starts side by side, saving and going on, what is refused."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import mse_loss

from understudy.core.errors import UnderstudyError
from understudy.core.meta.learner import ALGORITHMS, Tasks, algorithm
from understudy.core.meta.maml import MAML
from understudy.core.meta.tasks import module_tasks, outputs, start_of

NET = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def lines(count: int, seed: int) -> Tasks:
    """Lines through the origin, of slopes that differ."""
    slope, x, xq = (random(count, many, 1, seed=seed + many) for many in (1, 4, 6))
    return module_tasks(NET, (x, slope * x), (xq, slope * xq), mse_loss)


def start(seed: int = 0, starts: int = 1) -> dict[str, Tensor]:
    shapes = {name: tensor.shape[1:] for name, tensor in start_of(NET).items()}
    return {name: 0.5 * random(starts, *shape, seed=seed + i) for i, (name, shape) in enumerate(shapes.items())}


def test_a_module_has_its_losses_for_each_task() -> None:
    tasks = lines(3, 7)
    parameters = {name: t.repeat(3, *[1] * (t.ndim - 1)) + 0.1 * random(3, *t.shape[1:]) for name, t in start().items()}
    found = tasks.query(parameters)
    for task in range(3):
        own = {name: t[task] for name, t in parameters.items()}
        given = torch.func.functional_call(NET, own, (tasks.data["query_x"][task],))
        torch.testing.assert_close(found[task], mse_loss(given, tasks.data["query_y"][task]))
        torch.testing.assert_close(outputs(NET, parameters, tasks.data["query_x"])[task], given)


def test_starts_side_by_side_learn_as_they_would_alone() -> None:
    both = start(starts=2)
    learner = MAML(both, steps=2)
    apart = [MAML({name: t[one : one + 1] for name, t in both.items()}, steps=2) for one in (0, 1)]
    for step in range(3):
        tasks = lines(6, 10 * step)
        learner.outer_step(tasks)
        for one, alone in enumerate(apart):
            x, y, xq, yq = (tasks.data[name][3 * one : 3 * one + 3] for name in
                            ("support_x", "support_y", "query_x", "query_y"))  # fmt: skip
            alone.outer_step(module_tasks(NET, (x, y), (xq, yq), mse_loss))
    for name, tensor in learner.start.items():
        torch.testing.assert_close(tensor, torch.cat([alone.start[name] for alone in apart]))


def test_a_run_that_was_saved_goes_on_bit_by_bit(tmp_path: Path) -> None:
    whole, stopped, resumed = (MAML(start(seed), steps=2) for seed in (0, 0, 9))
    for step in range(6):
        whole.outer_step(lines(4, step))
        if step < 3:
            stopped.outer_step(lines(4, step))
    stopped.save(tmp_path / "run.safetensors")
    resumed.resume(tmp_path / "run.safetensors")
    assert resumed.number == 3
    for step in range(3, 6):
        resumed.outer_step(lines(4, step))
    for name, tensor in whole.learned.items():
        assert torch.equal(tensor, resumed.learned[name]), name


def test_what_cannot_be_gone_on_from_is_refused(tmp_path: Path) -> None:
    learner = MAML(start())
    file = tmp_path / "run.safetensors"
    with pytest.raises(UnderstudyError, match="the run cannot be read"):
        learner.resume(file)
    file.write_bytes(b"nothing")
    with pytest.raises(UnderstudyError, match="the run cannot be read"):
        learner.resume(file)
    save_file({"learned|start|other": torch.zeros(1), "number": torch.tensor(1)}, file)
    with pytest.raises(UnderstudyError, match="this is of another run"):
        learner.resume(file)


def test_a_loss_that_is_not_finite_ends_the_step_and_changes_nothing() -> None:
    learner = MAML(start(), inner_rate=float("inf"))
    before = {name: t.detach().clone() for name, t in learner.start.items()}
    with pytest.raises(UnderstudyError, match="MAML, step 0: the outer loss is not finite; lower the rates"):
        learner.outer_step(lines(2, 1))
    assert all(torch.equal(before[name], t) for name, t in learner.start.items()) and learner.number == 0


def test_algorithms_have_names_of_their_own() -> None:
    assert ALGORITHMS["maml"] is MAML
    assert algorithm("maml")(MAML) is MAML, "a module that is imported twice"
    with pytest.raises(UnderstudyError, match="there is an algorithm 'maml' already"):
        algorithm("maml")(lambda start: MAML(start))
