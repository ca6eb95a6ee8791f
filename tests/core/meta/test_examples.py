"""What is given as N tasks of a module: what would mean something else, or nothing, is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from understudy.core.errors import UnderstudyError
from understudy.core.meta.curriculum import Dynamic
from understudy.core.meta.learner import Tasks, spread
from understudy.core.meta.maml import MAML
from understudy.core.meta.reptile import Reptile
from understudy.core.meta.tasks import module_tasks, outputs, start_of


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def chain() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


class Reads(nn.Module):
    """An LSTM over each example's words, and a linear layer: nothing that vmap can run."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.last = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, words: Tensor) -> Tensor:
        given: Tensor = self.last(self.lstm(words)[0][:, -1])
        return given


class Chooses(nn.Module):
    """A way that depends on the data."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(3, 2), nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        given: Tensor = self.one(x) if float(x.sum()) > 0 else self.other(x)
        return given


X, Y = random(4, 5, 3), random(4, 5, 2, seed=1)
CLASSES = torch.zeros(4, 5, dtype=torch.long)
REFUSED: dict[str, tuple[Any, Any, Any, str]] = {
    "lists": ((list(X), Y), (X, Y), mse_loss, "the support's inputs are no tensor but list; stack tasks"),
    "no pair": (X, (X, Y), mse_loss, r"the support is not a pair; give \(inputs, targets\)"),
    "no task": ((X[0], Y[0]), (X, Y), mse_loss, r"do not fit \(\[5, 3\] and \[5, 2\]\); both are \[N, K, …\]: N tasks"),
    "one number": ((Y[..., 0], Y), (X, Y), mse_loss, r"the support's inputs are \[4, 5\]; give \[N, K, 3\]"),
    "too wide": ((X, Y), (random(4, 5, 7), Y), mse_loss, r"the query's inputs are \[4, 5, 7\]; give \[N, K, 3\]"),
    "examples": ((X, Y[:, :4]), (X, Y), mse_loss, r"the support's inputs and targets do not fit \(\[4, 5, 3\] and"),
    "tasks": ((X, Y), (X[:3], Y[:3]), mse_loss, "4 tasks are shown and 3 asked"),
    "none": ((X[:, :0], Y[:, :0]), (X, Y), mse_loss, "the support has no examples"),
    "doubles": ((X.double(), Y), (X, Y), mse_loss, r"torch.float64, the parameters torch.float32; give inputs.to"),
    "whole numbers": ((X.long(), Y), (X, Y), mse_loss, "the inputs are torch.int64"),
    "broadcast": ((X, Y[..., :1]), (X, Y), mse_loss, r"\(outputs \[4, 5, 2\], targets \[4, 5, 1\]\); give targets"),
    "each": ((X, Y), (X, Y), nn.MSELoss(reduction="none"), r"the loss gives \[5, 2\] for a task, not one number"),
    "floats": ((X, Y[..., 0]), (X, Y), cross_entropy, r"cross_entropy cannot take these targets .*; give classes"),
    "class": ((X, CLASSES + 2), (X, CLASSES), cross_entropy, "class 2 is asked of a module with 2 outputs; number"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_task_is_refused(name: str) -> None:
    support, query, loss, said = REFUSED[name]
    module = chain()
    with pytest.raises(UnderstudyError, match=said):
        MAML(start_of(module)).outer_step(module_tasks(module, support, query, loss))


def test_targets_that_are_shares_of_classes_are_taken() -> None:
    module, shares = chain(), torch.full((4, 5, 2), 0.5)
    assert MAML(start_of(module)).outer_step(module_tasks(module, (X, shares), (X, shares), cross_entropy))["loss"] > 0


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (nn.Dropout(0.5), r"1 \(Dropout\): the module is random in training; call module.eval\(\)"),
        (nn.LSTM(4, 4, 2, dropout=0.5), r"1 \(LSTM\): the module is random in training"),
        (nn.RReLU(), r"1 \(RReLU\): the module is random in training"),
        (nn.InstanceNorm1d(4, track_running_stats=True), r"1 \(InstanceNorm1d\): running statistics"),
        (nn.BatchNorm1d(4), r"1 \(BatchNorm1d\): running statistics cannot be kept for N tasks; make it with track_r"),
    ],
)
def test_modules_that_are_random_or_count_are_refused_in_training_alone(part: nn.Module, said: str) -> None:
    module = nn.Sequential(nn.Linear(3, 4), part)
    with pytest.raises(UnderstudyError, match=said):
        module_tasks(module, (X, Y), (X, Y), mse_loss)
    module_tasks(module.eval(), (X, Y), (X, Y), mse_loss)
    for harmless in (nn.Dropout(0.0), nn.BatchNorm1d(4, track_running_stats=False), nn.RNN(4, 4, 1, dropout=0.0)):
        module_tasks(nn.Sequential(nn.Linear(3, 4), harmless), (X, Y), (X, Y), mse_loss)


@pytest.mark.parametrize(("module", "x"), [(Reads(), random(4, 5, 6, 3)), (Chooses(), X)])
def test_what_cannot_be_run_side_by_side_is_run_in_turn(module: nn.Module, x: Tensor) -> None:
    tasks = module_tasks(module, (x, Y), (x, Y), mse_loss)
    learner = MAML(start_of(module), inner_rate=0.1, steps=2)
    assert learner.outer_step(tasks)["loss"] > 0
    adapted = learner.adapt(tasks)
    given = outputs(module, adapted, x)
    for task in range(4):
        own = {name: tensor[task] for name, tensor in adapted.items()}
        torch.testing.assert_close(given[task], torch.func.functional_call(module, own, (x[task],)))
        torch.testing.assert_close(tasks.query(adapted)[task], mse_loss(given[task], Y[task]))


def test_a_module_that_changes_by_being_asked_is_refused() -> None:
    class Keeps(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(3, 2)
            self.register_buffer("mean", torch.zeros(2))

        def forward(self, x: Tensor) -> Tensor:
            given: Tensor = self.last(x)
            self.mean.copy_(given.detach().mean(0))
            return given - self.mean

    tasks = module_tasks(Keeps(), (X, Y), (X, Y), mse_loss)
    with pytest.raises(UnderstudyError, match="Keeps: the module changes its buffer 'mean' by being asked"):
        tasks.query(spread(start_of(Keeps()), 4))


def test_a_loss_of_ones_own_may_look_at_its_data_and_take_a_target_for_the_task() -> None:
    def hardest(given: Tensor, target: Tensor) -> Tensor:
        errors = (given - target).square().mean(1)
        return errors.max() if float(errors.max()) > 0 else errors.mean()

    module = chain()
    tasks = module_tasks(module, (X, Y[:, 0]), (X, Y[:, 0]), hardest)
    parameters = spread(start_of(module), 4)
    given = tasks.query(parameters)
    for task in range(4):
        torch.testing.assert_close(given[task], hardest(module(X[task]), Y[task, 0]))


def test_what_vmap_cannot_run_is_not_tried_again() -> None:
    asked: list[int] = []

    class Counted(Chooses):
        def forward(self, x: Tensor) -> Tensor:
            asked.append(1)
            return super().forward(x)

    module = Counted()
    tasks = module_tasks(module, (X, Y), (X, Y), mse_loss)
    tasks.query(spread(start_of(module), 4))
    asked.clear()
    tasks.query(spread(start_of(module), 4))
    assert len(asked) == 4


def test_classes_that_are_left_out_are_taken_and_others_below_zero_are_not() -> None:
    module, classes = chain(), CLASSES.clone()
    classes[0, 0] = -100
    parameters = spread(start_of(module), 4)
    assert module_tasks(module, (X, classes), (X, classes), cross_entropy).query(parameters).shape == (4,)
    classes[0, 0] = -1
    with pytest.raises(UnderstudyError, match="class -1 is asked of a module with 2 outputs"):
        module_tasks(module, (X, classes), (X, classes), cross_entropy).query(parameters)


def test_an_error_of_the_module_is_its_own() -> None:
    class Broken(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("no such page")

    with pytest.raises(RuntimeError, match="no such page"):
        module_tasks(Broken(3, 2), (X, Y), (X, Y), mse_loss).query(spread(start_of(Broken(3, 2)), 4))
    with pytest.raises(UnderstudyError, match="'bias' is of 1 tasks, the inputs of 4"):
        module_tasks(nn.Linear(3, 2), (X, Y), (X, Y), mse_loss).query(start_of(nn.Linear(3, 2)))


def test_a_module_that_is_frozen_as_a_whole_is_no_start() -> None:
    with pytest.raises(UnderstudyError, match="Sequential: no parameter of the module learns"):
        start_of(chain().requires_grad_(False))


def test_frozen_layers_stay_and_parameters_are_those_of_the_module() -> None:
    module = chain()
    module[0].requires_grad_(False)
    before = module[0].weight.clone()
    learner = MAML(start_of(module), rate=0.1)
    assert set(learner.start) == {"2.weight", "2.bias"}
    tasks = module_tasks(module, (X, Y), (X, Y), mse_loss)
    first = learner.outer_step(tasks)["loss"]
    assert min(learner.outer_step(tasks)["loss"] for _ in range(20)) < first
    assert torch.equal(module[0].weight, before)
    parameters = {name: t.repeat(4, *[1] * (t.ndim - 1)) for name, t in start_of(chain()).items()}
    for changed, said in (
        ({n: t for n, t in parameters.items() if n != "2.bias"}, "the parameters lack '2.bias'"),
        (parameters | {"3.bias": Y}, "the module has no parameter '3.bias'; begin with start_of"),
    ):
        with pytest.raises(UnderstudyError, match=said):
            module_tasks(module, (X, Y), (X, Y), mse_loss).query(changed)


@pytest.mark.parametrize("make", [MAML, Dynamic, Reptile])
@pytest.mark.parametrize("quiet", [torch.no_grad, torch.inference_mode])
def test_adapting_needs_gradients_and_takes_them(quiet: Callable[[], Any], make: Any) -> None:
    module = chain()
    learner = make(start_of(module), inner_rate=0.1)
    tasks: Tasks = module_tasks(module, (X, Y), (X, Y), mse_loss)
    wanted = learner.adapt(tasks)
    if quiet is torch.inference_mode:
        with pytest.raises(UnderstudyError, match=r"inner steps need gradients; leave torch.inference_mode"), quiet():
            learner.adapt(tasks)
        return
    with quiet():
        given = learner.adapt(tasks)
        learner.outer_step(tasks)
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in given.items())
    assert learner.number == 1 and not torch.equal(learner.start["2.bias"], start_of(module)["2.bias"])
