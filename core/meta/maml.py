"""Model-agnostic meta-learning with learned rates, first and second order.

    θ_0 = θ            θ_{k+1} = θ_k − α ⊙ ∇L_support(θ_k)            outer loss = Σ_k w_k L_query(θ_{k+1})

Finn, Abbeel, Levine 2017 (eq. 1); first order: the gradient of the inner step is a constant (FOMAML, sec. 5.2 there);
rates α per tensor: Meta-SGD (Li et al. 2017); loss after every step: MAML++ (Antoniou et al. 2019, eq. 4).

N tasks are the first dimension of every tensor; the loss function returns [N], so one backward pass serves all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

Tensors = Mapping[str, Tensor]
TaskLoss = Callable[[Tensors], Tensor]


def inner_step(loss: TaskLoss, parameters: Tensors, rates: Tensors, second_order: bool = False) -> dict[str, Tensor]:
    """One step of every task: parameters [N, …] → parameters [N, …].

    Args:
        loss: parameters → support loss of each task, [N].
        parameters: name → tensor [N, …] that requires gradients.
        rates: name → α, broadcast over the tensor.
        second_order: keep the graph of the gradient, so that the outer gradient goes through it.
    """
    names = sorted(parameters)
    gradients = torch.autograd.grad(
        loss(parameters).sum(), [parameters[n] for n in names], create_graph=second_order, allow_unused=True
    )
    after = {}
    for name, gradient in zip(names, gradients, strict=True):
        after[name] = parameters[name] if gradient is None else parameters[name] - rates[name] * gradient
    return after


def outer_loss(
    support: TaskLoss,
    query: TaskLoss,
    start: Tensors,
    rates: Tensors,
    tasks: int,
    steps: int,
    second_order: bool = False,
    weights: Tensor | None = None,
) -> tuple[Tensor, list[Tensor]]:
    """The query loss after each inner step, weighted; its gradient reaches ``start`` and ``rates``.

    Args:
        support, query: parameters [N, …] → loss of each task [N].
        start: name → θ [1, …].
        rates: name → α.
        tasks: N.
        weights: [steps] w_k; the last step alone when left out.

    Returns:
        The mean over tasks (scalar), and each step's query losses [N], detached.
    """
    parameters: dict[str, Tensor] = {n: t.expand(tasks, *t.shape[1:]).clone() for n, t in start.items()}
    total = torch.zeros(())
    trace = []
    with twice_differentiable(second_order):
        for step in range(steps):
            parameters = inner_step(support, parameters, rates, second_order)
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
