"""MAML against closed forms and finite differences, in float64."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from understudy.core.backbone import Backbone
from understudy.core.bank import HeadStack, active
from understudy.core.fields import Choice, Record
from understudy.core.meta import anil, maml_plus, meta_sgd, reptile  # noqa: F401  they make themselves known
from understudy.core.meta.learner import ALGORITHMS, Tasks
from understudy.core.meta.maml import MAML, inner_step, outer_loss
from understudy.core.meta.tasks import head_tasks, module_tasks, start_of
from understudy.core.prompts import Example, Prompt

Loss = Callable[[Mapping[str, Tensor]], Tensor]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def regression(seed: int) -> tuple[Tensor, Tensor, Loss]:
    """Three tasks of linear regression, L(w) = |Xw − y|² / m: the data and the loss of each task."""
    x, y = random(3, 7, 4, seed=seed), random(3, 7, seed=seed + 1)

    def loss(parameters: Mapping[str, Tensor]) -> Tensor:
        return ((torch.einsum("nmd,nd->nm", x, parameters["w"]) - y) ** 2).mean(1)

    return x, y, loss


def test_one_inner_step_of_linear_regression_is_the_closed_form() -> None:
    x, y, loss = regression(1)
    w = random(3, 4, seed=5).requires_grad_(True)
    rate = torch.tensor(0.1, dtype=torch.float64)
    after = inner_step(loss, {"w": w}, {"w": rate})["w"]
    for task in range(3):
        gradient = 2 / 7 * x[task].T @ (x[task] @ w[task] - y[task])
        torch.testing.assert_close(after[task], w[task] - 0.1 * gradient)


@pytest.mark.parametrize("steps", [1, 3])
def test_the_outer_gradient_of_linear_regression_is_the_closed_form(steps: int) -> None:
    """w_K = (I − αH)^K w + c, so dL_query/dw = (I − αH)^K ∇L_query(w_K); first order drops the matrix."""
    x, y, support = regression(1)
    xq, yq, query = regression(11)
    alpha = 0.1
    for second_order in (True, False):
        start = random(1, 4, seed=5).requires_grad_(True)
        rates = {"w": torch.tensor(alpha, dtype=torch.float64)}
        total, trace = outer_loss(support, query, {"w": start}, rates, 3, steps, second_order)
        (gradient,) = torch.autograd.grad(total, [start])
        expected, losses = torch.zeros(4, dtype=torch.float64), []
        for task in range(3):
            w = start.detach()[0]
            hessian = 2 / 7 * x[task].T @ x[task]
            for _ in range(steps):
                w = w - alpha * (hessian @ w - 2 / 7 * x[task].T @ y[task])
            losses.append(((xq[task] @ w - yq[task]) ** 2).mean())
            outer = 2 / 7 * xq[task].T @ (xq[task] @ w - yq[task])
            if second_order:
                outer = torch.linalg.matrix_power(torch.eye(4, dtype=torch.float64) - alpha * hessian, steps) @ outer
            expected += outer / 3
        torch.testing.assert_close(gradient[0], expected)
        torch.testing.assert_close(trace[-1], torch.stack(losses))
        torch.testing.assert_close(total, torch.stack(losses).mean())


def test_weights_add_the_query_loss_after_every_step_and_rates_get_a_gradient() -> None:
    _, _, support = regression(1)
    _, _, query = regression(11)
    start = {"w": random(1, 4, seed=5).requires_grad_(True)}
    weights = torch.tensor([0.25, 0.0, 0.75])

    def total(rate: Tensor, second_order: bool = True) -> Tensor:
        return outer_loss(support, query, start, {"w": rate}, 3, 3, second_order, weights)[0]

    rate = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    apart = [outer_loss(support, query, start, {"w": rate}, 3, steps)[0] for steps in (1, 3)]
    torch.testing.assert_close(total(rate), 0.25 * apart[0] + 0.75 * apart[1])
    assert torch.autograd.gradcheck(total, (rate,))
    first_order = torch.autograd.grad(total(rate, False), [rate])[0]
    assert not torch.isclose(first_order, torch.autograd.grad(total(rate), [rate])[0])


def test_a_parameter_that_the_support_does_not_use_stays() -> None:
    w, other = random(2, 3).requires_grad_(True), random(2, 3, seed=1).requires_grad_(True)
    rates = {"w": torch.tensor(0.5), "other": torch.tensor(0.5)}
    after = inner_step(lambda p: p["w"].sum(1), {"w": w, "other": other}, rates)
    assert torch.equal(after["other"], other)
    torch.testing.assert_close(after["w"], w - 0.5)


def in_double(norm: Any, states: Tensor) -> Tensor:
    """RMSNorm in the states' own precision: Llama's rounds to float32, too coarse for finite differences."""
    scaled: Tensor = norm.weight * states * (states.square().mean(-1, keepdim=True) + norm.variance_epsilon).rsqrt()
    return scaled


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_second_order_on_a_gpt_is_what_finite_differences_say(
    architecture: str, new_backbone: Callable[..., Backbone], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way: banked heads, attention with a double backward, two tasks, two inner steps."""
    backbone = new_backbone(architecture)
    backbone.model.double()
    monkeypatch.setattr("transformers.models.llama.modeling_llama.LlamaRMSNorm.forward", in_double)
    ids = torch.randint(9, 300, (4, 6), generator=torch.Generator().manual_seed(2))
    task = torch.tensor([0, 0, 1, 1])

    def loss_on(rows: Tensor) -> Loss:
        def loss(parameters: Mapping[str, Tensor]) -> Tensor:
            with active(backbone.context, HeadStack.of_tensors(parameters).gather(task[rows])):
                logits = backbone.logits(backbone.hidden(ids[rows]))[:, :-1]
            losses = F.cross_entropy(logits.flatten(0, 1), ids[rows][:, 1:].flatten(), reduction="none")
            return losses.view(2, -1).mean(1)

        return loss

    support, query = loss_on(torch.tensor([0, 2])), loss_on(torch.tensor([1, 3]))
    flat = HeadStack.random(backbone.sites, 1, 2, seed=4).tensors()
    start = {
        n: (t.double() + 0.2 * random(*t.shape, seed=i)).requires_grad_(True) for i, (n, t) in enumerate(flat.items())
    }
    rates = {name: torch.tensor(0.3, dtype=torch.float64) for name in start}

    def outer(start: Mapping[str, Tensor], second_order: bool = True) -> Tensor:
        return outer_loss(support, query, start, rates, 2, 2, second_order)[0]

    names = sorted(start)
    gradients = dict(zip(names, torch.autograd.grad(outer(start), [start[n] for n in names]), strict=True))
    short = dict(zip(names, torch.autograd.grad(outer(start, False), [start[n] for n in names]), strict=True))
    first_order_is_off = 0.0
    for number, name in enumerate(names[:: max(1, len(names) // 6)]):
        along = random(*start[name].shape, seed=100 + number)
        step = 1e-5
        ends = [
            outer({**start, name: (start[name].detach() + sign * step * along).requires_grad_(True)}).detach()
            for sign in (1, -1)
        ]
        slope = float((ends[0] - ends[1]) / (2 * step))
        assert float((gradients[name] * along).sum()) == pytest.approx(slope, rel=1e-5, abs=1e-8), name
        first_order_is_off = max(first_order_is_off, abs(float((short[name] * along).sum()) - slope))
    assert first_order_is_off > 1e-3, "otherwise the second order was not put to the test"

NET = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)).double()


def small_tasks(count: int, seed: int) -> Tasks:
    x, y, xq, yq = (random(count, 6, wide, seed=seed + i) for i, wide in enumerate((2, 1, 2, 1)))
    return module_tasks(NET, (x, y), (xq, yq), F.mse_loss)


def test_adapting_is_what_sgd_does_to_each_task() -> None:
    tasks = small_tasks(3, 20)
    adapted = MAML(start_of(NET), steps=2, inner_rate=0.1).adapt(tasks, 4)
    for task in range(3):
        own = copy.deepcopy(NET)
        optimiser = torch.optim.SGD(own.parameters(), lr=0.1)
        for _ in range(4):
            optimiser.zero_grad()
            F.mse_loss(own(tasks.data["support_x"][task]), tasks.data["support_y"][task]).backward()
            optimiser.step()
        for name, tensor in own.named_parameters():
            torch.testing.assert_close(adapted[name][task], tensor.detach())


def test_fomaml_goes_down_maml_s_gradient_without_the_second_order_term() -> None:
    """Which is the mean query gradient at the adapted parameters, found here by plain backward passes."""
    tasks = small_tasks(3, 20)
    learner = ALGORITHMS["fomaml"](start_of(NET), steps=2, inner_rate=0.1)
    learner.descend(tasks)
    adapted = {name: t.requires_grad_(True) for name, t in learner.adapt(tasks).items()}
    gradients = torch.autograd.grad(tasks.query(adapted).sum(), list(adapted.values()))
    full = MAML(start_of(NET), steps=2, inner_rate=0.1)
    full.descend(tasks)
    for (name, tensor), gradient in zip(learner.start.items(), gradients, strict=True):
        torch.testing.assert_close(tensor.grad, gradient.mean(0, keepdim=True))
        assert not torch.allclose(tensor.grad, full.start[name].grad)


class Uphill(MAML):
    """A broken copy: its inner steps go up."""

    def rates(self) -> Any:
        return {name: -rate for name, rate in super().rates().items()}


def lines(count: int, seed: int) -> Tasks:
    """Lines whose slopes and heights lie around 2 and −1."""
    slope, height = 2 + random(count, 1, 1, seed=seed), random(count, 1, 1, seed=seed + 1) - 1

    def on(x: Tensor) -> Loss:
        return lambda p: (x * (p["weight"] - slope) + p["bias"] - height).square().mean((1, 2))

    return Tasks(on(random(count, 8, 1, seed=seed + 2)), on(random(count, 8, 1, seed=seed + 3)), count)


@pytest.mark.parametrize("second_order", [True, False])
def test_it_learns_lines_and_a_broken_copy_does_not(second_order: bool) -> None:
    """Without adapting nothing better than the spread of the lines, 2, can be reached."""
    start = {"weight": random(1, 1, 1), "bias": random(1, 1, 1)}
    settings: dict[str, Any] = {"inner_rate": 0.3, "steps": 3, "second_order": second_order, "rate": 0.05, "clip": 1.0}
    reached = {}
    for kind in (MAML, Uphill):
        learner = kind(start, **settings)
        for step in range(120):
            learner.outer_step(lines(10, 10 * step))
        new = lines(200, 99_999)
        reached[kind] = float(new.query(learner.adapt(new)).mean())
    assert reached[MAML] < 0.3
    assert reached[Uphill] > 2


ON_HEADS = ("maml", "fomaml", "maml++", "meta_sgd", "meta_sgd_tensor", "anil", "reptile")


@pytest.mark.parametrize("name", ON_HEADS)
def test_heads_on_a_backbone_are_learned_by_all_of_them(name: str, backbones: Callable[..., Backbone]) -> None:
    backbone = backbones()
    record = Record((("queue", Choice(("bug", "billing"))),))
    prompt = Prompt(message=(("text", "the euro again"),))
    sides = [[Example(prompt, record, {"queue": queue})] for queue in ("bug", "billing")]
    tasks = head_tasks(backbone, [(side, side) for side in sides])
    start = {key: t + 0.1 for key, t in HeadStack.random(backbone.sites, 1, 2, seed=3).tensors().items()}
    learner = ALGORITHMS[name](start)
    assert learner.outer_step(tasks)["loss"] > 0
    adapted = learner.adapt(tasks)
    assert adapted.keys() == start.keys() and not torch.equal(*(t := adapted[list(start)[-1]]))
    before = tasks.support({key: t.repeat(2, 1, 1) for key, t in learner.start.items()})
    assert bool((tasks.support(adapted) < before).all()), (before, t)


def test_clamped_inner_gradients_move_no_element_further_than_they_may() -> None:
    """½ c w²: a step is α c w, at most α times the clamp; the outer gradient 1 − α c, or 1 where it is clamped."""
    c = torch.tensor([[1.0, 100.0, 100.0]], dtype=torch.float64)
    start = {"w": torch.tensor([[1.0, 1.0, -1.0]], dtype=torch.float64, requires_grad=True)}

    def loss(parameters: Mapping[str, Tensor]) -> Tensor:
        return (c / 2 * parameters["w"].square()).sum(1)

    after = inner_step(loss, start, {"w": torch.tensor(0.1).double()}, True, clamp=10.0)["w"]
    torch.testing.assert_close(after.detach(), torch.tensor([[0.9, 0.0, 0.0]], dtype=torch.float64))
    (gradient,) = torch.autograd.grad(after.sum(), [start["w"]])
    torch.testing.assert_close(gradient, torch.tensor([[0.9, 1.0, 1.0]], dtype=torch.float64))
    tasks = Tasks(loss, loss, 1)
    learner = MAML({"w": torch.ones(1, 3, dtype=torch.float64)}, steps=2, inner_rate=0.1, inner_clamp=10.0)
    torch.testing.assert_close(learner.adapt(tasks)["w"], torch.tensor([[0.81, 0.0, 0.0]], dtype=torch.float64))
    assert learner.outer_step(tasks)["loss"] == pytest.approx(0.81**2 / 2)
    assert MAML(learner.start, steps=2, inner_rate=0.1).outer_step(tasks)["loss"] > 1000
