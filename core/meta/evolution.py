"""ES-MAML: meta-learning by evolution strategies, for losses and rewards that have no gradient; nothing is derived.

    ∇ E_ε L(θ + σε) ≈ 1/(Pσ) Σ_p ½ [L(θ + σε_p) − L(θ − σε_p)] ε_p,   ε ~ N(0, I)                 (antithetic pairs)
    outer: L = L_query ∘ U          inner, U: θ − α times the same estimate of L_support, or hill climbing

Song, Gao, Yang, Choromanski, Pacchiano, Tang 2020, ES-MAML (zero order, and hill climbing); ranks in the place
of losses: Salimans, Ho, Chen, Sidor, Sutskever 2017; the estimate is unbiased for the smoothed loss (Nesterov,
Spokoiny 2017). Shapes: C candidates beside N tasks, parameters [C, N, …]; P pairs, directions [P, n, …] over the n
tasks of a start, the same for every start, so that each learns as it would alone.

One call evaluates all candidates of all tasks, by ``vmap`` over the loss of the tasks; what ``vmap`` cannot run (heads
on a backbone, a reward that is plain Python) is called for one candidate after the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import Tensor
from torch.func import vmap

from ..errors import UnderstudyError
from .learner import TaskLoss, Tasks, Tensors, algorithm, spread
from .outer import Outer

MOST = 2**25
"""Numbers of candidates' parameters that are in memory at a time."""
Shaping = Literal["plain", "rank", "standard"]
Adapter = Literal["gradient", "climb"]


def directions_of(tensors: Tensors, pairs: int, count: int, source: torch.Generator) -> dict[str, Tensor]:
    """Name → [P, count, …], standard normal, for tensors name → [S, …]."""
    return {
        name: torch.randn(pairs, count, *tensor.shape[1:], generator=source, dtype=tensor.dtype)
        for name, tensor in tensors.items()
    }


def evaluated(loss: TaskLoss, candidates: Tensors, together: bool = True) -> Tensor:
    """Parameters [C, N, …] → losses [C, N].

    Raises:
        UnderstudyError: ``together``, and the loss cannot be run by ``vmap``.
    """
    if together:
        try:
            side_by_side: Tensor = vmap(loss, randomness="different")(dict(candidates))
        except RuntimeError as error:
            what = f"the loss cannot be asked for several candidates together ({str(error).splitlines()[0]})"
            raise UnderstudyError(what, mend="give together=False") from error
        return side_by_side
    count = len(next(iter(candidates.values())))
    return torch.stack([loss({name: tensor[one] for name, tensor in candidates.items()}) for one in range(count)])


def around(parameters: Tensors, directions: Tensors, deviation: float) -> dict[str, Tensor]:
    """θ + σε of every candidate: parameters [C, N, …] and directions [P, n, …] → [P·C, N, …]."""
    found = {}
    for name, tensor in parameters.items():
        own = directions[name]
        apart = tensor.unflatten(1, (-1, own.shape[1])) + deviation * own[:, None, None]
        found[name] = apart.flatten(0, 1).flatten(1, 2)
    return found


def both_sides(
    loss: TaskLoss, parameters: Tensors, directions: Tensors, deviation: float, together: bool = True
) -> Tensor:
    """Losses [2, P, C, N] at θ + σε and at θ − σε, of parameters [C, N, …] and directions [P, n, …]."""
    count, tasks = next(iter(parameters.values())).shape[:2]
    pairs = len(next(iter(directions.values())))
    size = max(1, MOST // sum(tensor.numel() for tensor in parameters.values()))
    found = []
    for sign in (1, -1):
        for first in range(0, pairs, size):
            some = {name: tensor[first : first + size] for name, tensor in directions.items()}
            found.append(evaluated(loss, around(parameters, some, sign * deviation), together))
    losses: Tensor = torch.cat(found).view(2, pairs, count, tasks)
    return losses


def shaped(losses: Tensor, shaping: Shaping) -> Tensor:
    """½ (f(L₊) − f(L₋)), [P, …], of losses [2, P, …]; f ranks them within ±½, or standardises them, among all 2P."""
    every = losses.flatten(0, 1)
    if shaping == "rank":
        every = every.argsort(0).argsort(0).to(losses.dtype) / (len(every) - 1) - 0.5
    elif shaping == "standard":
        every = (every - every.mean(0)) / every.std(0).clamp(min=torch.finfo(losses.dtype).tiny)
    plus, minus = every.unflatten(0, losses.shape[:2])
    half: Tensor = (plus - minus) / 2
    return half


def estimate(
    losses: Tensor, directions: Tensors, deviation: float, shaping: Shaping = "plain"
) -> dict[str, Tensor]:
    """The gradient of every task, name → [C, N, …], of :func:`both_sides`'s losses [2, P, C, N]."""
    weights = shaped(losses, shaping) / (deviation * losses.shape[1])
    found = {}
    for name, own in directions.items():
        apart = weights.unflatten(2, (-1, own.shape[1]))
        found[name] = torch.einsum("pcsn,pn...->csn...", apart, own).flatten(1, 2)
    return found


def climbed(parameters: Tensors, before: Tensor, losses: Tensor, directions: Tensors, deviation: float) -> Tensors:
    """The best of θ ± σε for each task, [C, N, …], or θ where none is better than ``before`` [C, N].

    A loss that is no number is worse than all.
    """
    pairs = losses.shape[1]
    before, losses = (some.nan_to_num(math.inf, math.inf, -math.inf) for some in (before, losses))
    least, at = losses.flatten(0, 1).min(0)
    step = torch.where(at < pairs, deviation, -deviation) * (least < before)
    found = {}
    for name, tensor in parameters.items():
        own = directions[name]
        task = torch.arange(at.shape[1], device=at.device) % own.shape[1]
        sizes = step.to(tensor.dtype).view(*at.shape, *[1] * (tensor.ndim - 2))
        found[name] = tensor + sizes * own[at % pairs, task]
    return found


@algorithm("es_maml")
class ESMAML(Outer):
    """Args:
    start: name → [S, …].
    steps: inner steps.
    pairs: of the outer estimate, P; ``deviation`` its σ, ``shaping`` what takes the place of losses.
    adapter: ``climb``, to the best of the candidates where it is better, so that no step harms the support; or
        ``gradient``, steps of ``inner_rate``.
    inner_pairs, inner_deviation: of an inner step.
    together: candidates side by side; left out: where the start is not of heads (names ``site|down``).
    **settings: see :class:`.outer.Outer`.
    """

    def __init__(
        self, start: Tensors, *, steps: int = 1, pairs: int = 16, deviation: float = 0.05, shaping: Shaping = "rank",
        adapter: Adapter = "climb", inner_rate: float = 0.01, inner_pairs: int = 8, inner_deviation: float = 0.1,
        together: bool | None = None, rate: float = 0.01, **settings: Any,
    ) -> None:  # fmt: skip
        super().__init__(start, rate=rate, **settings)
        self.steps, self.pairs, self.deviation = steps, pairs, deviation
        self.shaping, self.adapter = shaping, adapter
        self.inner_rate, self.inner_pairs, self.inner_deviation = inner_rate, inner_pairs, inner_deviation
        self.together = not any("|" in name for name in start) if together is None else together

    @torch.no_grad()
    def descend(self, tasks: Tasks) -> dict[str, float]:
        """``loss`` is that of the start itself; ``spread`` the deviation among candidates, what is learned from."""
        source = self.generator()
        directions = directions_of(self.start, self.pairs, 1, source)
        start = {name: tensor.detach().unsqueeze(0) for name, tensor in self.start.items()}
        sides = [around(start, directions, sign * self.deviation) for sign in (1, -1)]
        candidates = {name: torch.cat([*(side[name] for side in sides), start[name]]) for name in start}
        each = tasks.count // self.starts
        candidates = {name: tensor.repeat_interleave(each, 1) for name, tensor in candidates.items()}
        adapted = self._adapted(tasks, candidates, self._draws(tasks, self.steps, source))
        losses = evaluated(tasks.query, adapted, self.together)
        sided = losses[:-1].view(2, self.pairs, 1, self.starts, each).mean(-1)
        for name, gradient in estimate(sided, directions, self.deviation, self.shaping).items():
            self.start[name].grad = gradient[0]
        return {"loss": float(losses[-1].mean()), "spread": float(losses[:-1].std(0).mean())}

    @torch.no_grad()
    def adapt(self, tasks: Tasks, steps: int | None = None) -> dict[str, Tensor]:
        """The inner steps, from the support's losses alone; the same directions until the next outer step."""
        parameters = {name: t.detach().unsqueeze(0) for name, t in spread(self.start, tasks.count).items()}
        draws = self._draws(tasks, self.steps if steps is None else steps, self.generator())
        return {name: tensor[0].clone() for name, tensor in self._adapted(tasks, parameters, draws).items()}

    def _draws(self, tasks: Tasks, steps: int, source: torch.Generator) -> Iterator[dict[str, Tensor]]:
        """The directions of each inner step, the same for all candidates (common random numbers)."""
        count = tasks.count // self.starts
        return (directions_of(self.start, self.inner_pairs, count, source) for _ in range(steps))

    def _adapted(self, tasks: Tasks, parameters: Tensors, draws: Iterator[Tensors]) -> Tensors:
        """U: parameters [C, N, …] → [C, N, …]."""
        for directions in draws:
            losses = both_sides(tasks.support, parameters, directions, self.inner_deviation, self.together)
            if self.adapter == "climb":
                before = evaluated(tasks.support, parameters, self.together)
                parameters = climbed(parameters, before, losses, directions, self.inner_deviation)
            else:
                gradients = estimate(losses, directions, self.inner_deviation)
                parameters = {name: t - self.inner_rate * gradients[name] for name, t in parameters.items()}
        return parameters
