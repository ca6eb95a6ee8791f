"""Prototypes: the layer they make is the nearest centre's, and the body learns through it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax, one_hot

from understudy.core.errors import UnderstudyError
from understudy.core.meta.learner import Tasks, Tensors, spread
from understudy.core.meta.prototype import Prototype, nearest, prototypes
from understudy.core.meta.tasks import module_tasks, outputs, start_of

NET = torch.nn.Sequential(torch.nn.Linear(6, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3)).double()


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def groups(count: int, seed: int) -> Tasks:
    """Three classes, which the first two of six numbers tell apart, and the others do not; 2 and 4 examples of each."""
    centres = 2 * random(count, 3, 2, seed=seed)
    sides = []
    for side, shots in enumerate((2, 4)):
        y = torch.arange(3).repeat(shots).expand(count, -1)
        x = 3 * random(count, 3 * shots, 6, seed=seed + 1 + side)
        x[..., :2] = centres.gather(1, y.unsqueeze(2).expand(-1, -1, 2)) + x[..., :2] / 6
        sides.append((x, y))
    return module_tasks(NET, sides[0], sides[1], cross_entropy)


def test_a_prototype_is_the_mean_of_its_class() -> None:
    features, classes = random(2, 5, 4), torch.tensor([[0, 2, 1, 0, 2], [2, 2, 2, 1, 0]])
    found = prototypes(features, classes, 3)
    for task in range(2):
        for number in range(3):
            torch.testing.assert_close(found[task, number], features[task][classes[task] == number].mean(0))
    with pytest.raises(UnderstudyError, match="task 1: class 3 has no demonstration; show at least one of each"):
        prototypes(features, torch.tensor([[0, 1, 2, 3, 0], [0, 1, 2, 0, 0]]), 4)


def test_the_layer_s_probabilities_are_those_of_squared_distances() -> None:
    """Snell et al. 2017, eq. 2."""
    centres, features = random(2, 3, 4, seed=1), random(2, 7, 4, seed=2)
    weight, bias = nearest(centres)
    given = torch.einsum("nkd,ncd->nkc", features, weight) + bias.unsqueeze(1)
    distance = (features.unsqueeze(2) - centres.unsqueeze(1)).square().sum(3)
    torch.testing.assert_close(log_softmax(given, 2), log_softmax(-distance, 2))


def test_adapting_keeps_the_body_and_answers_by_the_nearest_mean_of_its_features() -> None:
    tasks = groups(3, 5)
    learner = Prototype(start_of(NET))
    adapted = learner.adapt(tasks, 7)
    given = outputs(NET, adapted, tasks.data["query_x"])
    for task in range(3):
        assert torch.equal(adapted["0.weight"][task], NET[0].weight)
        support, query = (NET[:2](tasks.data[f"{side}_x"][task]).detach() for side in ("support", "query"))
        centres = torch.stack([support[tasks.data["support_y"][task] == number].mean(0) for number in range(3)])
        assert torch.equal(given[task].argmax(1), torch.cdist(query, centres).argmin(1))


def test_the_gradient_of_the_body_is_what_finite_differences_say() -> None:
    tasks = groups(3, 5)
    learner = Prototype(start_of(NET))
    learner.descend(tasks)
    assert learner.start["2.weight"].grad is None, "the start's own last layer is not used"
    for index, name in enumerate(("0.weight", "0.bias")):
        tensor = learner.start[name]
        along, ends = random(*tensor.shape, seed=index), []
        for sign in (1, -1):
            moved = Prototype({**learner.start, name: tensor.detach() + sign * 1e-5 * along})
            ends.append(float(tasks.query(moved.adapt(tasks)).mean()))
        assert tensor.grad is not None
        assert float((tensor.grad * along).sum()) == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5)


def test_starts_side_by_side_learn_as_they_would_alone_and_go_on_when_resumed(tmp_path: Path) -> None:
    both = {name: random(2, *t.shape[1:], seed=i) for i, (name, t) in enumerate(start_of(NET).items())}
    learner, resumed, alone = Prototype(both), Prototype(both), Prototype({name: t[1:] for name, t in both.items()})
    for step in range(3):
        tasks = groups(6, 10 * step)
        learner.outer_step(tasks)
        x, y, xq, yq = (tasks.data[name][3:] for name in ("support_x", "support_y", "query_x", "query_y"))
        alone.outer_step(module_tasks(NET, (x, y), (xq, yq), cross_entropy))
    for name, tensor in alone.start.items():
        torch.testing.assert_close(learner.start[name][1:], tensor)
        if tensor.grad is not None:  # Adam would not tell a gradient from half of it
            torch.testing.assert_close(learner.start[name].grad[1:], tensor.grad)
    learner.save(tmp_path / "run.safetensors")
    resumed.resume(tmp_path / "run.safetensors")
    for one in (learner, resumed):
        one.outer_step(groups(6, 99))
    assert all(torch.equal(tensor, resumed.learned[name]) for name, tensor in learner.learned.items())


def test_what_has_no_classes_or_no_linear_layer_at_the_end_is_refused() -> None:
    with pytest.raises(UnderstudyError, match="prototypes need a linear layer with a bias at the end"):
        Prototype(start_of(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2, bias=False))))
    learner, tasks = Prototype(start_of(NET)), groups(2, 1)
    with pytest.raises(UnderstudyError, match="the tasks do not show the outputs on their support"):
        learner.outer_step(Tasks(tasks.support, tasks.query, 2, tasks.data))
    x, y = random(2, 4, 6), random(2, 4, 3)
    with pytest.raises(UnderstudyError, match="prototypes need classes"):
        learner.outer_step(module_tasks(NET, (x, y), (x, y), torch.nn.functional.mse_loss))


def shifted(features: Tensor, classes: Tensor, count: int) -> Tensor:
    """Each class has the prototype of another."""
    return prototypes(features, classes, count).roll(1, 1)


def unlike(features: Tensor, classes: Tensor, count: int) -> Tensor:
    """Of no class: the mean of all."""
    members = one_hot(classes, count).to(features)
    return features.mean(1, keepdim=True) + 0 * torch.einsum("nkc,nkd->ncd", members, features)


@pytest.mark.parametrize("broken", [None, shifted, unlike])
def test_it_learns_what_tells_classes_apart_and_broken_copies_do_not(
    broken: Callable[[Tensor, Tensor, int], Tensor] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if broken:
        monkeypatch.setattr("understudy.core.meta.prototype.prototypes", broken)
    learner = Prototype(start_of(NET), rate=0.03)
    for step in range(60):
        learner.outer_step(groups(16, 10 * step))
    new = groups(200, 99_999)
    right = outputs(NET, learner.adapt(new), new.data["query_x"]).argmax(2) == new.data["query_y"]
    share = float(right.double().mean())
    assert share < 0.4 if broken else share > 0.85, share


def test_dropout_thins_the_body_and_leaves_the_layer_of_the_prototypes_alone() -> None:
    """The last layer has another shape while features are asked for; that of the start is not used."""
    learner, without = Prototype(start_of(NET), dropout=0.5), Prototype(start_of(NET))
    assert learner.outer_step(groups(4, 3))["loss"] != without.outer_step(groups(4, 3))["loss"]
    assert learner.thin().keys() == {"0.weight", "0.bias"}


class Ending(torch.nn.Module):
    """A body, a last layer, and something after it."""

    def __init__(self, after: Callable[[Tensor], Tensor], dtype: torch.dtype = torch.float64) -> None:
        super().__init__()
        self.body, self.last, self.after = torch.nn.Linear(6, 4, dtype=dtype), torch.nn.Linear(4, 3, dtype=dtype), after

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.last(self.body(x)))


class HeadFirst(torch.nn.Module):
    """The layer that is declared last is run first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.head, self.body = torch.nn.Linear(width, 3).double(), torch.nn.Linear(6, width).double()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


def tasks_of(module: torch.nn.Module, size: float = 1.0, dtype: torch.dtype = torch.float64) -> Tasks:
    x, y = (size * random(2, 6, 6)).to(dtype), torch.arange(3).repeat(2).expand(2, -1)
    return module_tasks(module, (x, y), (x, y), cross_entropy)


AFTER: dict[str, Callable[[Tensor], Tensor]] = {
    "a log-softmax": lambda y: log_softmax(y, -1),
    "a scale": lambda y: 10 * y,
    "a relu": torch.relu,
    "a tanh": torch.tanh,
    "a shape of its own": lambda y: y.view(-1, 3),
    "fewer outputs": lambda y: y[..., :1],
    "of large values": lambda y: torch.where(y.abs() < 100, y, 2 * y),  # which the bias alone does not show
}


@pytest.mark.parametrize("name", AFTER)
def test_a_module_that_does_something_after_its_last_layer_is_refused(name: str) -> None:
    module = Ending(AFTER[name])
    learner = Prototype(start_of(module))
    for act in (learner.adapt, learner.outer_step, learner.adapt):
        with pytest.raises(UnderstudyError, match="does something after its last linear layer, last.weight; end the"):
            act(tasks_of(module, 1e4))


@pytest.mark.parametrize("width", [3, 6, 8])
def test_a_last_layer_that_is_run_first_is_refused(width: int) -> None:
    module = HeadFirst(width)
    with pytest.raises(UnderstudyError, match="after its last linear layer, body.weight; .* declared and run last"):
        Prototype(start_of(module)).adapt(tasks_of(module))


@pytest.mark.parametrize("size", [0.0, 1e-6, 1.0, 1e6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_module_that_ends_with_its_last_layer_is_taken_whatever_the_size_of_values(
    size: float, dtype: torch.dtype
) -> None:
    for net in (
        torch.nn.Sequential(torch.nn.Linear(6, 40), torch.nn.ReLU(), torch.nn.Linear(40, 3)).to(dtype),
        torch.nn.Sequential(torch.nn.Linear(6, 3), torch.nn.Identity()).to(dtype),
        Ending(lambda y: y, dtype),
    ):
        learner = Prototype(start_of(net))
        learner.adapt(tasks_of(net, size, dtype))
        assert learner.checked


def test_looking_draws_no_random_numbers_of_others_and_changes_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[dict[str, Tensor]] = []
    for looked in (True, False):
        learner = Prototype(start_of(NET), rate=0.03)
        learner.checked = not looked
        before = torch.get_rng_state()
        for step in range(3):
            learner.outer_step(groups(4, 10 * step))
        assert torch.equal(torch.get_rng_state(), before)
        found.append({name: tensor.detach() for name, tensor in learner.learned.items()})
    assert all(torch.equal(tensor, found[1][name]) for name, tensor in found[0].items())
    learner = Prototype(start_of(NET))
    learner.adapt(groups(4, 0))
    monkeypatch.setattr(learner, "check", None)  # it is not called again
    learner.adapt(groups(4, 1))


def test_a_body_that_is_random_is_looked_at_with_the_same_numbers() -> None:
    """Tasks of one's own may be random; those of module_tasks are refused."""

    def shown(parameters: Tensors) -> Tensor:
        states = tasks.data["support_x"] @ parameters["0.weight"].mT
        states = states * (torch.rand(states.shape, dtype=states.dtype) + 0.5)
        return states @ parameters["2.weight"].mT + parameters["2.bias"].unsqueeze(1)

    tasks = groups(3, 5)
    before = torch.get_rng_state()
    learner = Prototype(start_of(NET))
    learner.check(replace(tasks, support_outputs=shown), spread(learner.start, 3))
    assert learner.checked and torch.equal(torch.get_rng_state(), before)


def test_examples_that_are_not_finite_are_not_the_module_s_fault() -> None:
    learner, tasks = Prototype(start_of(NET)), groups(2, 1)
    x = tasks.data["support_x"].clone()
    x[0, 0, 0] = torch.nan
    side = (x, tasks.data["support_y"])
    with pytest.raises(UnderstudyError, match="not finite"):
        learner.outer_step(module_tasks(NET, side, side, cross_entropy))
    assert not learner.checked
    learner.outer_step(tasks)
    assert learner.checked


def test_a_frozen_body_leaves_nothing_to_learn() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    module[0].requires_grad_(False)
    x, classes = torch.randn(2, 4, 3), torch.tensor([[0, 1, 0, 1]] * 2)
    tasks = module_tasks(module, (x, classes), (x, classes), torch.nn.functional.cross_entropy)
    learner = Prototype(start_of(module))
    assert learner.adapt(tasks)["1.weight"].shape == (2, 2, 4)
    with pytest.raises(UnderstudyError, match="nothing but the last layer learns, which prototypes do without; let"):
        learner.outer_step(tasks)
