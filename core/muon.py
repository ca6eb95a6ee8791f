"""Muon in the precision in which this machine is fast.

torch's own takes its Newton-Schulz steps in bf16, which a CPU without instructions for it only imitates: a step of a
small GPT took 3 s there. Where that is so, the same steps are taken in fp32.

    X ← a X + (b X Xᵀ + c (X Xᵀ)²) X      five times, from X = M / |M|; M the momentum, Nesterov's
    W ← (1 - η λ) W - η √max(1, rows / columns) X      Jordan et al. 2024
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .precision import adapting_precision


class Muon(torch.optim.Muon):
    """``torch.optim.Muon`` with its arguments; matrices only."""

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step by the gradients that the matrices have; what ``closure`` gives, where there is one."""
        if adapting_precision() is torch.bfloat16:
            loss: float | None = super().step(closure)  # type: ignore[no-untyped-call]
            return loss
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            matrices: list[Tensor] = []
            gradients: list[Tensor] = []
            momenta: list[Tensor] = []
            self._init_group(group, matrices, gradients, momenta)
            for matrix, gradient, momentum in zip(matrices, gradients, momenta, strict=True):
                momentum.lerp_(gradient, 1 - group["momentum"])
                moved = gradient.lerp(momentum, group["momentum"]) if group["nesterov"] else momentum
                rate = group["lr"] * max(1, matrix.shape[0] / matrix.shape[1]) ** 0.5
                matrix.mul_(1 - group["lr"] * group["weight_decay"]).sub_(_orthogonal(moved, group), alpha=rate)
        return loss


def _orthogonal(matrix: Tensor, group: dict[str, Any]) -> Tensor:
    a, b, c = group["ns_coefficients"]
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / x.norm().clamp(min=group["eps"])
    for _ in range(group["ns_steps"]):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
