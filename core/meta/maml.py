"""MAML: model-agnostic meta-learning, first and second order.

    θ_0 = θ            θ_{k+1} = θ_k − α ⊙ ∇L_support(θ_k)            outer loss = Σ_k w_k L_query(θ_{k+1})

Finn, Abbeel, Levine 2017 (eq. 1); first order: the gradient of the inner step is a constant (FOMAML, sec. 5.2 there);
rates α per tensor: Meta-SGD (Li et al. 2017); loss after every step: MAML++ (Antoniou et al. 2019).

N tasks are the first dimension of every tensor; the loss function returns [N], so one backward pass serves all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from .learner import TaskLoss, Tasks, Tensors, algorithm, gradients_needed, spread
from .outer import Outer, at_least


def inner_step(
    loss: TaskLoss, parameters: Tensors, rates: Tensors, second_order: bool = False, clamp: float = 0.0
) -> dict[str, Tensor]:
    """One step of every task: parameters [N, …] → parameters [N, …].

    Args:
        loss: parameters → support loss of each task, [N].
        parameters: name → tensor [N, …] that requires gradients.
        rates: name → α, broadcast over the tensor; a parameter without a rate stays.
        second_order: keep the graph of the gradient, so that the outer gradient goes through it.
        clamp: each element of the gradient is kept within ± this; 0 leaves it.
    """
    names = sorted(name for name in parameters if name in rates)
    with gradients_needed():
        gradients = torch.autograd.grad(
            loss(parameters).sum(), [parameters[n] for n in names], create_graph=second_order, allow_unused=True
        )
    after = dict(parameters)
    for name, gradient in zip(names, gradients, strict=True):
        if gradient is not None:
            kept = gradient.clamp(-clamp, clamp) if clamp else gradient
            after[name] = parameters[name] - rates[name] * kept
    return after


def outer_loss(
    support: TaskLoss,
    query: TaskLoss,
    start: Tensors,
    rates: Tensors | Sequence[Tensors],
    tasks: int,
    steps: int,
    second_order: bool = False,
    weights: Tensor | None = None,
    clamp: float = 0.0,
) -> tuple[Tensor, list[Tensor]]:
    """The query loss after each inner step, weighted; its gradient reaches ``start`` and ``rates``.

    Args:
        support, query: parameters [N, …] → loss of each task [N].
        start: name → θ [S, …].
        rates: name → α (scalar, [1, …] or [S, …]), or one such for each step.
        tasks: N.
        weights: [steps] w_k; the last step alone when left out.
        clamp: of the inner gradients; see :func:`inner_step`.

    Returns:
        The mean over tasks (scalar), and each step's query losses [N], detached.
    """
    parameters = spread(start, tasks)
    total = torch.zeros(())
    trace = []
    with twice_differentiable(second_order):
        for step in range(steps):
            own = rates if isinstance(rates, Mapping) else rates[step]
            parameters = inner_step(support, parameters, spread(own, tasks), second_order, clamp)
            weight = float(step == steps - 1) if weights is None else float(weights[step])
            if weight:
                losses = query(parameters)
                trace.append(losses.detach())
                total = total + weight * losses.mean()
    return total, trace


@contextmanager
def twice_differentiable(needed: bool) -> Iterator[None]:
    """Choose an attention kernel that has a double backward while ``needed``; the fused ones have none."""
    if not needed:
        yield
        return
    with sdpa_kernel(SDPBackend.MATH):
        yield


@algorithm("maml")
class MAML(Outer):
    """Finn et al. 2017, of either order; what its kin change is :meth:`rates` and :meth:`weights`.

    Args:
        start: name → [S, …].
        steps: inner steps.
        inner_rate: α, the same for all.
        second_order: False for FOMAML.
        inner_clamp: each element of the inner gradients is kept within ± this (as may be in the code of Finn, Yu et al.
            2017, One-Shot Visual Imitation Learning via Meta-Learning); 0 leaves them.
        more, **settings: see :class:`.outer.Outer`.
    """

    def __init__(
        self, start: Tensors, *, steps: int = 1, inner_rate: float = 0.01, second_order: bool = True,
        inner_clamp: float = 0.0, more: Tensors | None = None, **settings: Any,
    ) -> None:  # fmt: skip
        super().__init__(start, more, **settings)
        at_least(1, whole=True, steps=steps)
        at_least(0, inner_rate=inner_rate, inner_clamp=inner_clamp)
        self.steps, self.inner_rate, self.second_order, self.inner_clamp = steps, inner_rate, second_order, inner_clamp

    def rates(self) -> Tensors | list[Tensors]:
        """Name → α, or one such for each step."""
        return {name: torch.tensor(self.inner_rate, dtype=t.dtype) for name, t in self.start.items()}

    def weights(self) -> Tensor | None:
        """[steps] of the query losses; None: the last alone."""
        return None

    def descend(self, tasks: Tasks) -> dict[str, float]:
        """Down the query loss after the inner steps."""
        total, trace = outer_loss(
            tasks.support, tasks.query, self.start, self.rates(), tasks.count, self.steps, self.second_order,
            self.weights(), self.inner_clamp,
        )  # fmt: skip
        (total * self.starts).backward()
        return {"loss": float(trace[-1].mean())}

    def adapt(self, tasks: Tasks, steps: int | None = None) -> dict[str, Tensor]:
        """The inner steps; beyond those it was trained for, the last step's rates are kept."""
        rates = self.rates()
        at_least(0, whole=True, steps=self.steps if steps is None else steps)
        parameters = {name: t.detach().requires_grad_(True) for name, t in spread(self.start, tasks.count).items()}
        for step in range(self.steps if steps is None else steps):
            own = rates if isinstance(rates, Mapping) else rates[min(step, len(rates) - 1)]
            after = inner_step(tasks.support, parameters, spread(own, tasks.count), clamp=self.inner_clamp)
            parameters = {name: t.detach().requires_grad_(True) for name, t in after.items()}
        return {name: t.detach() for name, t in parameters.items()}


@algorithm("fomaml")
def fomaml(start: Tensors, **settings: Any) -> MAML:
    """MAML whose inner gradient counts as a constant (sec. 5.2 there)."""
    return MAML(start, second_order=False, **settings)
