"""Reptile: move the start towards where each task's own training leads; no second pass, no second order.

    θ ← θ − ε (θ − mean over tasks of U_k(θ))          U_k: k inner steps of SGD or Adam on the task's minibatches

Nichol, Achiam, Schulman 2018, On First-Order Meta-Learning Algorithms (algorithm 1 and 2): θ − U_k(θ) is handed to the
outer optimiser as a gradient, SGD with rate ε or Adam. Minibatches that differ are what makes the tasks' steps
help each other: support and query take turns here. Shapes: start [S, …], tasks [N, …].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import UnderstudyError
from .learner import TaskLoss, Tasks, Tensors, algorithm, gradients_needed, spread
from .outer import Outer, at_least

Moments = dict[str, tuple[Tensor, Tensor]]


def descend_once(
    loss: TaskLoss, parameters: Tensors, rate: float, moments: Moments | None = None, step: int = 1, beta1: float = 0.0,
    beta2: float = 0.999,
) -> dict[str, Tensor]:  # fmt: skip
    """One inner step of every task, without a graph: SGD, or Adam where there are moments.

    Args:
        loss: parameters [N, …] → loss of each task [N].
        moments: name → first and second moment [N, …], changed; Adam's own (Kingma, Ba 2015, algorithm 1).
        step: Adam's count, from 1.
    """
    own = {name: t.detach().requires_grad_(True) for name, t in parameters.items()}
    with gradients_needed():
        found = torch.autograd.grad(loss(own).sum(), list(own.values()), allow_unused=True)
    gradients: Sequence[Tensor | None] = found
    after = {name: t.detach() for name, t in own.items()}
    for (name, tensor), gradient in zip(own.items(), gradients, strict=True):
        if gradient is None:
            continue
        if moments is None:
            after[name] = tensor.detach() - rate * gradient
            continue
        first, second = moments.get(name, (torch.zeros_like(gradient), torch.zeros_like(gradient)))
        first, second = beta1 * first + (1 - beta1) * gradient, beta2 * second + (1 - beta2) * gradient.square()
        moments[name] = first, second
        size = (second / (1 - beta2**step)).sqrt() + 1e-8
        after[name] = tensor.detach() - rate * first / (1 - beta1**step) / size
    return after


@algorithm("reptile")
class Reptile(Outer):
    """Args:
    start: name → [S, …].
    steps: inner steps of an outer step, taking turns between support and query, k.
    inner_rate: of the inner optimiser.
    adapt_steps: inner steps on the support when a new task is adapted.
    inner: ``sgd`` as in their sinusoid, or ``adam`` with β1 = 0 as in their image tasks.
    outer: ``adam`` over θ − U(θ), or ``sgd``: the interpolation of algorithm 1, whose ε is ``rate``.
    **settings: see :class:`.outer.Outer`.
    """

    def __init__(
        self, start: Tensors, *, steps: int = 6, inner_rate: float = 0.01, adapt_steps: int = 1, inner: str = "sgd",
        outer: str = "adam", **settings: Any,
    ) -> None:  # fmt: skip
        super().__init__(start, **settings)
        at_least(1, whole=True, steps=steps)
        at_least(0, whole=True, adapt_steps=adapt_steps)
        at_least(0, inner_rate=inner_rate)
        for name, given in ("inner", inner), ("outer", outer):
            if given not in ("sgd", "adam"):
                raise UnderstudyError(f"{name} is {given!r}", mend="give 'sgd' or 'adam'")
        self.steps, self.inner_rate, self.adapt_steps, self.inner = steps, inner_rate, adapt_steps, inner
        self.outer = outer
        if outer == "sgd":
            self.optimiser = torch.optim.SGD(self.optimiser.param_groups)

    def descend(self, tasks: Tasks) -> dict[str, float]:
        """Towards the tasks' own parameters. ``loss`` is on the query when no step has seen it: after the first."""
        begun = {name: t.detach() for name, t in spread(self.start, tasks.count).items()}
        parameters: Tensors = begun
        moments: Moments | None = {} if self.inner == "adam" else None
        found = torch.zeros(())
        for step in range(self.steps):
            if step == 1 or self.steps == 1:
                with torch.no_grad():
                    found = tasks.query(parameters).mean()
            side = tasks.query if step % 2 else tasks.support
            parameters = descend_once(side, parameters, self.inner_rate, moments, step + 1)
        for name, tensor in self.start.items():
            apart = (begun[name] - parameters[name]).unflatten(0, (self.starts, -1))
            tensor.grad = apart.mean(1)
        return {"loss": float(found)}

    def adapt(self, tasks: Tasks, steps: int | None = None) -> dict[str, Tensor]:
        """The inner optimiser's steps on the support."""
        parameters: Tensors = {name: t.detach() for name, t in spread(self.start, tasks.count).items()}
        moments: Moments | None = {} if self.inner == "adam" else None
        at_least(0, whole=True, steps=self.adapt_steps if steps is None else steps)
        for step in range(self.adapt_steps if steps is None else steps):
            parameters = descend_once(tasks.support, parameters, self.inner_rate, moments, step + 1)
        return dict(parameters)
