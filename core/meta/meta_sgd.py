"""Meta-SGD: the start and the rate of every one of its elements are learned together.

    θ' = θ − α ⊙ ∇L_support(θ)          min over θ, α of the mean L_query(θ')

Li, Zhou, Chen, Li 2017, Meta-SGD: α has θ's shape, begins uniform in 0.005 … 0.1, and may become
negative. Shapes: start [S, …], α [S, …], or [S, 1, …] where a tensor has one rate.
"""

from __future__ import annotations

from typing import Any

import torch

from .learner import Tensors, algorithm
from .maml import MAML


@algorithm("meta_sgd")
class MetaSGD(MAML):
    """Args:
    start: name → [S, …].
    lowest, highest: between which the rates begin.
    by_tensor: one rate for each tensor instead of each element.
    seed: also of the first rates.
    **settings: see :class:`.maml.MAML`.
    """

    def __init__(
        self, start: Tensors, *, lowest: float = 0.005, highest: float = 0.1, by_tensor: bool = False, seed: int = 0,
        **settings: Any,
    ) -> None:  # fmt: skip
        source = torch.Generator().manual_seed(seed)
        more = {}
        for name, tensor in start.items():
            shape = [len(tensor), *[1] * (tensor.ndim - 1)] if by_tensor else tensor.shape
            more[f"rate|{name}"] = torch.empty(shape, dtype=tensor.dtype).uniform_(lowest, highest, generator=source)
        super().__init__(start, more=more, seed=seed, **settings)

    def rates(self) -> Tensors:
        """Name → α [S, …]."""
        return self.part("rate")


@algorithm("meta_sgd_tensor")
def meta_sgd_tensor(start: Tensors, **settings: Any) -> MetaSGD:
    """Meta-SGD with one rate for each tensor."""
    return MetaSGD(start, by_tensor=True, **settings)
