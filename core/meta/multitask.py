"""Multi-task: one start, trained on all tasks' losses together, each part of the loss with its λ.

    fixed        Σ_i λ_i L_i
    uncertainty  Σ_i c_i exp(−s_i) L_i + s_i / 2,   s_i = log σ_i² learned; c = 1/2 for squared errors, else 1
    progress     Σ_i λ_i L_i,   λ_i = I exp(r_i / T) / Σ_k exp(r_k / T),   r_i = L_i(t − 1) / L_i(t − 2)

Kendall, Gal, Cipolla 2018; Dynamic Weight Average: Liu, Johns, Davison 2019. I parts: kinds of
decisions (:mod:`.kinds`: classification, numbers, generation, spans), families of tasks, or whatever a loss is made of.
A part counts in the tasks that have it: L_i is the mean over them. Each of S starts has weights of its own, [S, I].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..errors import UnderstudyError
from .learner import Tasks, Tensors, algorithm, spread
from .maml import inner_step
from .outer import Outer

PartLoss = Callable[[Tensors], Tensor]
"""Parameters [N, …] → the loss of each part of each task, [N, I]; 0 where the task has no such part."""


@dataclass(frozen=True, kw_only=True)
class PartedTasks(Tasks):
    """Tasks whose losses have parts; ``support`` and ``query`` are the sums of the parts.

    Attributes:
        names: of the I parts.
        support_parts, query_parts: parameters → [N, I].
        there: [N, I] True where the task has the part.
    """

    names: tuple[str, ...]
    support_parts: PartLoss
    query_parts: PartLoss
    there: Tensor

    @classmethod
    def of(
        cls, names: Sequence[str], support: PartLoss, query: PartLoss, there: Tensor, data: Tensors | None = None
    ) -> PartedTasks:
        """Tasks of the losses of their parts."""
        return cls(
            lambda p: support(p).sum(1), lambda p: query(p).sum(1), len(there), data or {},
            names=tuple(names), support_parts=support, query_parts=query, there=there,
        )  # fmt: skip


def family_parts(tasks: Tasks, names: Sequence[str]) -> PartedTasks:
    """Each family of tasks as a part of its own: ``tasks.data["family"]`` [N] counts in ``names``."""
    there = torch.nn.functional.one_hot(tasks.data["family"], len(names)).bool()

    def apart(loss: PartLoss) -> PartLoss:
        return lambda parameters: loss(parameters).unsqueeze(1) * there

    return PartedTasks.of(names, apart(tasks.support), apart(tasks.query), there, tasks.data)


def part_means(losses: Tensor, there: Tensor, starts: int = 1) -> Tensor:
    """[N, I] → [S, I], the mean of each part over those of a start's tasks that have it; 0 where none has."""
    summed = (losses * there).unflatten(0, (starts, -1)).sum(1)
    means: Tensor = summed / there.unflatten(0, (starts, -1)).sum(1).clamp(min=1)
    return means


def by_uncertainty(means: Tensor, log_variances: Tensor, squared: Tensor, present: Tensor) -> Tensor:
    """Σ_i c_i exp(−s_i) L_i + s_i / 2 over the parts that are ``present``: [S, I] each → [S].

    Args:
        squared: [I] True for parts that are squared errors (regression): c = 1/2; for likelihoods c = 1.
    """
    scale = torch.where(squared, 0.5, 1.0).to(means)
    return ((scale * (-log_variances).exp() * means + log_variances / 2) * present).sum(1)


def by_progress(last: Tensor, before: Tensor, temperature: float = 2.0) -> Tensor:
    """λ [S, I] of the mean losses of the last epoch and of the one before it [S, I]; parts without both count 1."""
    known = (last > 0) & (before > 0)
    ratio = torch.where(known, last / before.clamp(min=1e-12), 1.0)
    return ratio.shape[1] * torch.softmax(ratio / temperature, 1)


@algorithm("multitask")
class MultiTask(Outer):
    """Joint training of one start; a new task takes gradient steps from it, on its parts with their λ.

    Args:
        start: name → [S, …].
        parts: the names of the parts; tasks without parts count as one.
        weighting: ``fixed``, ``uncertainty`` or ``progress``.
        weights: name of a part → its fixed λ, 1 where it has none; the other weightings are multiplied by it.
        squared: the parts that are squared errors, for ``uncertainty``.
        every: outer steps in an epoch, for ``progress``; temperature: T there.
        steps, inner_rate: of adapting.
        **settings: see :class:`.outer.Outer`; the log-variances' rate is ``rates={"log_variance": …}``.

    Raises:
        UnderstudyError: an unknown weighting, or a weight of a part that there is not.
    """

    def __init__(
        self, start: Tensors, *, parts: Sequence[str] = ("loss",), weighting: str = "fixed",
        weights: Mapping[str, float] | None = None, squared: Sequence[str] = (), every: int = 100,
        temperature: float = 2.0, steps: int = 1, inner_rate: float = 0.01, **settings: Any,
    ) -> None:  # fmt: skip
        if weighting not in ("fixed", "uncertainty", "progress"):
            mend = "use fixed, uncertainty or progress"
            raise UnderstudyError(f"there is no weighting '{weighting}'", mend=mend)
        if unknown := {*(weights or {}), *squared} - set(parts):
            raise UnderstudyError(f"there is no part '{min(unknown)}'", mend=f"the parts are {', '.join(parts)}")
        like = next(iter(start.values()))
        table = like.new_zeros(len(like), len(parts))
        super().__init__(start, {"log_variance|": table} if weighting == "uncertainty" else None, **settings)
        self.parts, self.weighting, self.every, self.temperature = tuple(parts), weighting, every, temperature
        self.steps, self.inner_rate = steps, inner_rate
        self.fixed = torch.tensor([(weights or {}).get(name, 1.0) for name in parts], dtype=table.dtype)
        self.squared = torch.tensor([name in squared for name in parts])
        if weighting == "progress":
            self.kept = {name: table.clone() for name in ("summed", "count", "last", "before")}

    def weights(self) -> Tensor:
        """λ [S, I], by which the parts' losses are multiplied now."""
        if self.weighting == "progress":
            return self.fixed * by_progress(self.kept["last"], self.kept["before"], self.temperature)
        if self.weighting == "uncertainty":
            scale = torch.where(self.squared, 0.5, 1.0).to(self.fixed)
            return self.fixed * scale * (-self.learned["log_variance|"].detach()).exp()
        return self.fixed.expand(self.starts, -1)

    def parted(self, tasks: Tasks) -> PartedTasks:
        """The tasks with these parts. Raises UnderstudyError where they have others."""
        if not isinstance(tasks, PartedTasks):
            there = torch.ones(tasks.count, 1, dtype=torch.bool)
            support, query = tasks.support, tasks.query
            tasks = PartedTasks.of(
                ("loss",), lambda p: support(p).unsqueeze(1), lambda p: query(p).unsqueeze(1), there, tasks.data
            )
        if tasks.names != self.parts:
            found = f"the tasks have the parts {', '.join(tasks.names)}"
            raise UnderstudyError(found, where=type(self).__name__, mend=f"this was made for {', '.join(self.parts)}")
        return tasks

    def descend(self, tasks: Tasks) -> dict[str, float]:
        """Down all losses of the start itself, support's and query's alike; the metric is that after adapting."""
        own = self.parted(tasks)
        parameters = spread(self.start, own.count)
        losses = (own.support_parts(parameters) + own.query_parts(parameters)) / 2
        means = part_means(losses, own.there, self.starts)
        if self.weighting == "uncertainty":
            present = own.there.unflatten(0, (self.starts, -1)).any(1)
            total = by_uncertainty(self.fixed * means, self.learned["log_variance|"], self.squared, present)
        else:
            total = (self.weights() * means).sum(1)
        total.sum().backward()
        after = self.adapt(own)
        with torch.no_grad():
            metrics = {"loss": float(own.query(after).mean())}
        if bool(torch.isfinite(means).all()) and math.isfinite(metrics["loss"]):
            self._note(means.detach(), own.there)
        apart = means.detach().mean(0).tolist() if len(self.parts) > 1 else ()
        return metrics | {f"loss of {name}": value for name, value in zip(self.parts, apart, strict=False)}

    def _note(self, means: Tensor, there: Tensor) -> None:
        if self.weighting != "progress":
            return
        present = there.unflatten(0, (self.starts, -1)).any(1)
        self.kept["summed"] += means * present
        self.kept["count"] += present
        if (self.number + 1) % self.every == 0:
            seen = self.kept["count"] > 0
            mean = self.kept["summed"] / self.kept["count"].clamp(min=1)
            self.kept["before"].copy_(torch.where(seen, self.kept["last"], self.kept["before"]))
            self.kept["last"].copy_(torch.where(seen, mean, self.kept["last"]))
            self.kept["summed"].zero_()
            self.kept["count"].zero_()

    def adapt(self, tasks: Tasks, steps: int | None = None) -> dict[str, Tensor]:
        """Gradient steps on the support's parts, weighted."""
        own = self.parted(tasks)
        weights = self.weights().repeat_interleave(own.count // self.starts, 0)
        rates = {name: torch.tensor(self.inner_rate, dtype=t.dtype) for name, t in self.start.items()}
        parameters = {name: t.detach().requires_grad_(True) for name, t in spread(self.start, own.count).items()}
        for _ in range(self.steps if steps is None else steps):
            after = inner_step(lambda p: (weights * own.support_parts(p)).sum(1), parameters, rates)
            parameters = {name: t.detach().requires_grad_(True) for name, t in after.items()}
        return {name: t.detach() for name, t in parameters.items()}
