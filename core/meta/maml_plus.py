"""MAML++: rates learned for each tensor and each inner step, and a loss after every step that fades to the last alone.

    θ_{k+1} = θ_k − α_k^tensor ∇L_support(θ_k)          outer loss = Σ_k w_k(t) L_query(θ_{k+1})
    w_k(t) = max(1/K − t/(K·horizon), 0.03/K) for k < K, the last has the rest; from t = horizon on the last alone

Antoniou, Edwards, Storkey 2019, How to Train Your MAML: LSLR (a rate for each layer and step), MSL (the loss after
every step), DA (first order before second). Shapes: start [S, …], rates [S, K] for each tensor.

Gradients are clamped at ±10. The outer ones: as the authors' code does for images. The inner ones are an addition:
where losses have no bound, as squared errors, the learned rates grow to the edge of what most tasks bear, and then a
rare task leaves what numbers can say within its K steps. Gradients of cross-entropies are seldom as large.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .learner import Tasks, Tensors, algorithm
from .maml import MAML


def step_weights(steps: int, passed: float) -> Tensor:
    """[steps] w_k, summing to one, when ``passed`` (0 to 1) of the horizon is over."""
    others = max((1 - passed) / steps, 0.03 / steps)
    weights = torch.full((steps,), others)
    weights[-1] = 1 - others * (steps - 1)
    return weights


@algorithm("maml++")
class MAMLPlus(MAML):
    """Args:
    start: name → [S, …].
    steps: inner steps, K.
    inner_rate: what every α begins with.
    horizon: outer steps during which every step's query loss counts.
    first_order_until: outer steps before the second order begins.
    inner_clamp, clamp: of the inner and the outer gradients' elements, 0 for none.
    **settings: see :class:`.maml.MAML`.
    """

    changing = MAML.changing | {"second_order"}

    def __init__(
        self, start: Tensors, *, steps: int = 5, inner_rate: float = 0.01, horizon: int = 7000,
        first_order_until: int = 0, inner_clamp: float = 10.0, clamp: float = 10.0, **settings: Any,
    ) -> None:  # fmt: skip
        more = {f"rate|{name}": torch.full((len(t), steps), inner_rate, dtype=t.dtype) for name, t in start.items()}
        super().__init__(
            start, more=more, steps=steps, inner_rate=inner_rate, inner_clamp=inner_clamp, clamp=clamp, **settings
        )
        self.horizon, self.first_order_until, self.last_order = horizon, first_order_until, self.second_order

    def rates(self) -> list[Tensors]:
        """For each step: name → α [S, 1, …]."""
        start = self.start
        rates = {n: r.reshape(*r.shape, *[1] * (start[n].ndim - 1)) for n, r in self.part("rate").items()}
        return [{name: rate[:, step] for name, rate in rates.items()} for step in range(self.steps)]

    def weights(self) -> Tensor | None:
        """[steps], until the horizon; then None."""
        return step_weights(self.steps, self.number / self.horizon) if self.number < self.horizon else None

    def descend(self, tasks: Tasks) -> dict[str, float]:
        """As MAML, of the first order until the second begins."""
        self.second_order = self.last_order and self.number >= self.first_order_until
        return super().descend(tasks)
