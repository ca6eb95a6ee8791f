"""What all algorithms have in common: several starts side by side, saving and going on, what is refused."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import mse_loss

from understudy.core.errors import UnderstudyError
from understudy.core.meta.anil import ANIL
from understudy.core.meta.hypernetwork import Hypernetwork
from understudy.core.meta.learner import ALGORITHMS, Tasks, Tensors, algorithm
from understudy.core.meta.maml import MAML, fomaml
from understudy.core.meta.maml_plus import MAMLPlus
from understudy.core.meta.recurrent import Recurrent
from understudy.core.meta.reptile import Reptile
from understudy.core.meta.schedules import cosine
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


def roots(at: float) -> Tasks:
    """√|w|, whose gradient at 0 is not finite although the loss is."""

    def loss(parameters: dict[str, Tensor]) -> Tensor:
        return (parameters["w"] - at).abs().sqrt().sum(1)

    return Tasks(lambda p: 0 * p["w"].sum(1), loss, 2)


def test_a_gradient_that_is_not_finite_ends_the_step_and_changes_nothing() -> None:
    learner = MAML({"w": torch.zeros(1, 3)})
    learner.outer_step(roots(1.0))
    before = learner.start["w"].detach().clone()
    with pytest.raises(UnderstudyError, match="MAML, step 1: the outer gradient is not finite; lower the rates"):
        learner.outer_step(roots(float(before[0, 0])))
    assert torch.equal(learner.start["w"], before) and learner.number == 1
    learner.outer_step(roots(1.0))
    assert bool(learner.start["w"].isfinite().all())


class Counting(MAML):
    """Keeps count of its steps in what is kept, before anybody knows whether they are good ones."""

    def __init__(self) -> None:
        super().__init__({"w": torch.zeros(1, 3)})
        self.kept = {"count": torch.zeros(1)}

    def descend(self, tasks: Tasks) -> dict[str, float]:
        self.kept["count"] += 1
        return super().descend(tasks)


def test_what_is_kept_is_as_it_was_as_well() -> None:
    learner = Counting()
    learner.outer_step(roots(1.0))
    with pytest.raises(UnderstudyError, match="is not finite"):
        learner.outer_step(roots(float(learner.start["w"][0, 0].detach())))
    assert learner.kept["count"].item() == 1


def test_clamped_gradients_stay_within_and_do_not_see_what_is_beside_them() -> None:
    both = start(starts=2)
    learner = MAML(both, clamp=0.05)
    alone = MAML({name: t[1:] for name, t in both.items()}, clamp=0.05)
    for step in range(3):
        tasks = lines(6, 10 * step)
        learner.outer_step(tasks)
        x, y, xq, yq = (tasks.data[name][3:] for name in ("support_x", "support_y", "query_x", "query_y"))
        alone.outer_step(module_tasks(NET, (x, y), (xq, yq), mse_loss))
        most = max(float(t.grad.abs().max()) for t in learner.learned.values() if t.grad is not None)
        assert most == pytest.approx(0.05)
    for name, tensor in alone.start.items():
        torch.testing.assert_close(learner.start[name][1:], tensor)


def test_a_start_in_another_order_goes_on_with_its_own_moments(tmp_path: Path) -> None:
    """Adam counts tensors; two of one shape would take each other's moments."""
    file, earlier = tmp_path / "run.safetensors", tmp_path / "earlier.safetensors"
    target = random(2, 4, seed=3)

    def loss(parameters: dict[str, Tensor]) -> Tensor:
        return ((parameters["a"] - target[0]).square() + 9 * (parameters["b"] - target[1]).square()).sum(1)

    tasks, begun = Tasks(loss, loss, 2), {"a": torch.zeros(1, 4), "b": torch.zeros(1, 4)}
    whole, turned, old = MAML(begun, rate=0.1), MAML(dict(reversed(begun.items())), rate=0.1), MAML(begun, rate=0.1)
    for _ in range(3):
        whole.outer_step(tasks)
    whole.save(file)
    numbers = {"optimiser|start|a|": "optimiser|0|", "optimiser|start|b|": "optimiser|1|"}
    flat = {}
    for name, tensor in load_file(file).items():
        first = next((one for one in numbers if name.startswith(one)), "")
        flat[numbers.get(first, "") + name.removeprefix(first)] = tensor
    save_file(flat, earlier)
    turned.resume(file)
    old.resume(earlier)
    for one in (whole, turned, old):
        one.outer_step(tasks)
    for name, tensor in whole.learned.items():
        assert torch.equal(tensor, turned.learned[name]) and torch.equal(tensor, old.learned[name]), name


def test_a_run_of_another_algorithm_or_with_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    file = tmp_path / "runs" / "maml.safetensors"
    learner = MAML(start(), steps=2)
    learner.outer_step(lines(4, 0))
    learner.save(file)
    assert "number" not in learner.settings()
    for other, said in (
        (Reptile(start()), "this is a run of MAML, not of Reptile; resume it with MAML, or begin anew"),
        (MAML(start(), steps=3), "the run had other settings .steps 2 there, 3 here.; give the same settings"),
        (MAML(start(), steps=2, rate=0.5), "rate of start 0.001 there, 0.5 here"),
        (fomaml(start(), steps=2), "second_order True there, False here"),
    ):
        with pytest.raises(UnderstudyError, match=said):
            other.resume(file)
        assert other.number == 0
    MAML(start(seed=5), steps=2).resume(file)
    save_file(load_file(file), file)  # as files were before: they do not say of what they are
    MAML(start(), steps=3).resume(file)


def test_settings_that_came_later_or_are_no_numbers_are_no_other_settings(tmp_path: Path) -> None:
    file = tmp_path / "run.safetensors"

    class Later(MAML):
        def __init__(self, start: Tensors, **settings: Any) -> None:
            super().__init__(start, **settings)
            self.fresh, self.limit = 3, float("nan")

    Later.__name__ = "MAML"
    MAML(start()).save(file)
    Later(start()).resume(file)
    Later(start()).save(file)
    Later(start()).resume(file)
    ANIL(start(), inner={"0.weight"}).save(file)
    with pytest.raises(UnderstudyError, match=r"inner \['0.weight'\] there, \['2.bias', '2.weight'\] here"):
        ANIL(start()).resume(file)


def test_a_schedule_and_a_change_of_order_are_no_other_settings(tmp_path: Path) -> None:
    for make in (
        lambda: MAML(start(), schedule=cosine(10)),
        lambda: MAMLPlus(start(), steps=2, first_order_until=1),
    ):
        learner, other = make(), make()
        for step in range(3):
            learner.outer_step(lines(4, step))
        learner.save(tmp_path / "run.safetensors")
        other.resume(tmp_path / "run.safetensors")
        assert other.number == 3


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"inner_lr": 0.1}, "MAML has no setting 'inner_lr'; did you mean 'inner_rate'?"),
        ({"horizon": 3}, "MAML has no setting 'horizon'; there is: clamp, clip, dropout, inner_clamp"),
        ({"rate": -0.1}, "rate is -0.1; give a number, 0 or more"),
        ({"inner_rate": float("nan")}, "inner_rate is nan; give a number"),
        ({"clip": "a"}, "clip is 'a'; give a number"),
        ({"steps": 0}, "steps is 0; give a whole number, 1 or more"),
        ({"steps": 1.5}, "steps is 1.5; give a whole number"),
        ({"rates": {"strat": 0.1}}, "nothing that is learned is called 'strat'; give rates for: start"),
        ({"rates": {"start": -1.0}}, r"rates\['start'\] is -1.0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UnderstudyError, match=said):
        MAML(start(), **settings)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (NET, "the start is a Sequential, not tensors by name; make it of a module with start_of"),
        ({}, "the start is empty"),
        (NET.state_dict(), r"differ in their first dimension, the number of starts \(0.weight \[8, 1\], 0.bias \[8\]"),
        ({"w": torch.tensor(1.0)}, "differ in their first dimension"),
    ],
)
def test_what_is_no_start_is_refused(given: Any, said: str) -> None:
    for algorithm_of in (MAML, Hypernetwork, Recurrent):
        with pytest.raises(UnderstudyError, match=said):
            algorithm_of(given)


def test_tasks_that_cannot_be_shared_out_are_refused() -> None:
    with pytest.raises(UnderstudyError, match="4 tasks cannot be shared out among 3 starts; give each"):
        MAML(start(starts=3)).outer_step(lines(4, 0))
    with pytest.raises(UnderstudyError, match="steps is -1"):
        MAML(start()).adapt(lines(4, 0), -1)


def test_data_that_are_not_finite_are_named() -> None:
    tasks = lines(4, 0)
    tasks.data["query_x"][2, 1] = float("nan")
    with pytest.raises(UnderstudyError, match="is not finite; mend the data: query_x of task 2 is not finite"):
        MAML(start()).outer_step(tasks)


def test_an_algorithm_that_gives_no_loss_or_no_gradient_is_told() -> None:
    class NoLoss(MAML):
        def descend(self, tasks: Tasks) -> dict[str, float]:
            return {"los": super().descend(tasks)["loss"]}

    class NoGradient(MAML):
        def descend(self, tasks: Tasks) -> dict[str, float]:
            return {"loss": 1.0}

    for broken, said in ((NoLoss, "NoLoss, step 0: descend gave no loss"), (NoGradient, "descend left no gradient")):
        learner = broken(start())
        with pytest.raises(UnderstudyError, match=said):
            learner.outer_step(lines(4, 0))
        assert learner.number == 0
