"""Hierarchy: global → family → role starts; a new role finds its family from its demonstrations.

    θ_f = θ + κ_f δ_f,   κ_f = n_f / (n_f + τ)                            the start of family f, [S, F, …]
    role: inner steps from θ_f                                            outer loss = L_query + (μ / 2) Σ_f |δ_f|²
    new role: p(f) ∝ exp(−L_support(one step from θ_f) / T)               T = 0: the family of the least loss alone

κ is the weight of partial pooling (empirical Bayes of the normal model: Efron and Morris 1975; τ the ratio of the
variances within and between families): of a family with few tasks n_f, the start is nearly the global one, and of an
unknown family it is the global one. That MAML is inference of such a hierarchy's lower level: Grant et al. 2018; starts
for clusters of tasks: Yao et al. 2019.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..errors import UnderstudyError
from .learner import Tasks, Tensors, algorithm, spread
from .maml import MAML, inner_step, outer_loss


def pooling(count: Tensor, strength: float) -> Tensor:
    """κ = n / (n + τ) for numbers of tasks n [S, F]; 0 where a family has none."""
    return count / (count + strength).clamp(min=1e-12)


def family_starts(start: Tensors, offsets: Tensors, weight: Tensor) -> dict[str, Tensor]:
    """Name → θ + κ δ [S, F, …] of θ [S, …], δ [S, F, …] and κ [S, F]."""
    return {
        name: tensor.unsqueeze(1) + weight.view(*weight.shape, *[1] * (tensor.ndim - 1)) * offsets[name]
        for name, tensor in start.items()
    }


def belonging(losses: Tensor, temperature: float) -> Tensor:
    """[N, F] support losses → weights [N, F] of the families; those that are not finite count for nothing."""
    losses = losses.nan_to_num(float("inf"), float("inf"))
    if temperature <= 0:
        return torch.nn.functional.one_hot(losses.argmin(1), losses.shape[1]).to(losses)
    return torch.softmax((losses.amin(1, keepdim=True) - losses).nan_to_num(0.0) / temperature, 1)


@algorithm("hierarchy")
class Hierarchy(MAML):
    """MAML whose starts are those of families; the families are given while it learns, and inferred when it adapts.

    ``tasks.data["family"]`` [N] of int64 says whose each is; where it is missing, families are inferred while it learns
    as well, so that they are clusters that it finds.

    Args:
        start: the global start, name → [S, …].
        families: F.
        strength: τ, in tasks.
        penalty: μ.
        temperature: T of the mixture of families.
        **settings: see :class:`.maml.MAML`.
    """

    def __init__(
        self, start: Tensors, *, families: int = 3, strength: float = 20.0, penalty: float = 0.0,
        temperature: float = 0.0, **settings: Any,
    ) -> None:  # fmt: skip
        offsets = {f"offset|{n}": t.new_zeros(len(t), families, *t.shape[1:]) for n, t in start.items()}
        super().__init__(start, more=offsets, **settings)
        self.families, self.strength, self.penalty, self.temperature = families, strength, penalty, temperature
        like = next(iter(start.values()))
        self.kept = {"count": like.new_zeros(len(like), families)}

    def family_starts(self) -> dict[str, Tensor]:
        """Name → [S, F, …]; gradients reach the global start and the offsets."""
        return family_starts(self.start, self.part("offset"), pooling(self.kept["count"], self.strength))

    def infer(self, tasks: Tasks) -> Tensor:
        """The weights of the families [N, F] from the support of each task alone, after one step."""
        found = []
        every = self.family_starts()
        for family in range(self.families):
            own = {name: t[:, family].detach() for name, t in every.items()}
            parameters = {name: t.requires_grad_(True) for name, t in spread(own, tasks.count).items()}
            rates = spread(self._first_rates(), tasks.count)
            after = inner_step(tasks.support, parameters, rates, clamp=self.inner_clamp)
            with torch.no_grad():
                found.append(tasks.support(after))
        return belonging(torch.stack(found, 1), self.temperature)

    def _first_rates(self) -> Tensors:
        rates = self.rates()
        return {name: t.detach() for name, t in (rates[0] if isinstance(rates, list) else rates).items()}

    def starts_of(self, weights: Tensor) -> dict[str, Tensor]:
        """Name → [N, …]: the starts of N tasks whose families have these weights [N, F]."""
        every = spread(self.family_starts(), len(weights))
        return {name: torch.einsum("nf,nf...->n...", weights.to(tensor), tensor) for name, tensor in every.items()}

    def descend(self, tasks: Tasks) -> dict[str, float]:
        """Down the query loss after the inner steps from each task's own family's start.

        Raises:
            UnderstudyError: a number that is none of a family.
        """
        known = tasks.data.get("family")
        if known is not None and int(known.max()) >= self.families:
            found = f"there is a task of family {int(known.max())}"
            raise UnderstudyError(found, where="hierarchy", mend=f"make it of more than {self.families} families")
        weights = self.infer(tasks) if known is None else torch.nn.functional.one_hot(known, self.families)
        total, trace = outer_loss(
            tasks.support, tasks.query, self.starts_of(weights), self.rates(), tasks.count, self.steps,
            self.second_order, self.weights(), self.inner_clamp,
        )  # fmt: skip
        shrink = sum((offset.square().sum() for offset in self.part("offset").values()), torch.zeros(()))
        (total * self.starts + self.penalty / 2 * shrink).backward()
        loss = float(trace[-1].mean())
        if torch.isfinite(torch.tensor(loss)):
            self.kept["count"] += weights.unflatten(0, (self.starts, -1)).sum(1).to(self.kept["count"])
        return {"loss": loss}

    def adapt(self, tasks: Tasks, steps: int | None = None) -> dict[str, Tensor]:
        """The inner steps from the start of the family that the support tells."""
        own = self.starts_of(self.infer(tasks))
        parameters = {name: t.detach().requires_grad_(True) for name, t in own.items()}
        rates = self.rates()
        for step in range(self.steps if steps is None else steps):
            now = rates[min(step, len(rates) - 1)] if isinstance(rates, list) else rates
            after = inner_step(tasks.support, parameters, spread(now, tasks.count), clamp=self.inner_clamp)
            parameters = {name: t.detach().requires_grad_(True) for name, t in after.items()}
        return {name: t.detach() for name, t in parameters.items()}
