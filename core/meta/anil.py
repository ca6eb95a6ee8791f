"""ANIL: almost no inner loop; only the last module adapts to a task, what lies before it is learned and stays.

    θ = (body, head)          head' = head − α ∇_head L_support(body, head)          outer loss = L_query(body, head')

Raghu, Raghu, Bengio, Vinyals 2020, Rapid Learning or Feature Reuse? Shapes as in :mod:`.maml`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import torch

from ..errors import UnderstudyError
from .learner import Tensors, algorithm
from .maml import MAML


def last_module(names: Iterable[str]) -> set[str]:
    """The tensors of the module that has the last one: ``4.weight`` and ``4.bias``; of heads, the last site's."""
    every = list(names)
    owners = [name.rpartition("|" if "|" in name else ".")[0] for name in every]
    return {name for name, owner in zip(every, owners, strict=True) if owner == owners[-1]}


@algorithm("anil")
class ANIL(MAML):
    """What adapts is the module declared last, which owns the last tensor of the start, unless ``inner`` names another.

    Which one is run last, the names cannot tell: a module that declares ``self.head`` before ``self.body`` would adapt
    a part of its body. Declare the head last, or name what adapts:

        ANIL(start_of(module), inner=["head.weight", "head.bias"])
        ANIL(start_of(module), inner=lambda name: name.startswith("head."))

    Several modules may be named. ``learner.inner`` has the names of what adapts.

    Args:
        start: name → [S, …], in the order in which the module declares them.
        inner: what adapts: names, or a predicate over names; the last declared module's tensors when left out.
        steps, inner_rate: more and longer than MAML's, as so little adapts.
        **settings: see :class:`.maml.MAML`.

    Raises:
        UnderstudyError: nothing adapts, or a name is not of the start.
    """

    def __init__(
        self, start: Tensors, *, inner: Collection[str] | Callable[[str], bool] | None = None, steps: int = 5,
        inner_rate: float = 0.05, **settings: Any,
    ) -> None:  # fmt: skip
        super().__init__(start, steps=steps, inner_rate=inner_rate, **settings)
        if inner is None:
            self.inner = last_module(start)
        else:
            self.inner = {name for name in start if inner(name)} if callable(inner) else set(inner)
        if not self.inner or not self.inner <= set(start):
            what = f"these do not adapt: {', '.join(sorted(self.inner - set(start))) or 'no tensor is named'}"
            raise UnderstudyError(what, mend=f"name some of {', '.join(start)}")

    def rates(self) -> Tensors:
        """Name → α for what adapts."""
        return {n: torch.tensor(self.inner_rate, dtype=t.dtype) for n, t in self.start.items() if n in self.inner}
