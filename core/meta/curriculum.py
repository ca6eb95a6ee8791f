"""Curriculum: tasks are drawn, and inner steps taken, by measured difficulty.

    p(f) = (1 − φ) s_f^(1/T) / Σ_g s_g^(1/T) + φ / F          s_f: difficulty ℓ_f, or progress |ℓ_f − ℓ'_f|
    ℓ ← ℓ + a (L − ℓ),   ℓ' ← ℓ' + (a / 4) (L − ℓ')           running losses, the second one slower

Learning progress as what to draw by: Graves et al. 2017, Portelas et al. 2019 (absolute, so that what is forgotten is
drawn again); the floor φ keeps every family alive. A task takes inner steps as long as its support loss falls by a
share of what it was. Shapes: p, ℓ and ℓ' [S, F], L [N], parameters [N, …].
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..errors import UnderstudyError
from .learner import TaskLoss, Tasks, Tensors, algorithm, gradients_needed, spread
from .maml import MAML, twice_differentiable


class Curriculum:
    """Which of F families to draw tasks of; S of them side by side, for S starts.

    Attributes:
        state: ``fast`` and ``slow`` running losses and ``count`` of tasks, [S, F] each: all that it knows, changed in
            place, to be saved with the trainer's own state (:meth:`load`).

    Args:
        families: F.
        by: ``difficulty`` or ``progress``.
        temperature: T; large values draw evenly. floor: φ. speed: a, for each task.

    Raises:
        UnderstudyError: an unknown ``by``, or a floor that is not a share.
    """

    def __init__(
        self, families: int, *, by: str = "progress", temperature: float = 1.0, floor: float = 0.2,
        speed: float = 0.1, starts: int = 1,
    ) -> None:  # fmt: skip
        if by not in ("difficulty", "progress"):
            raise UnderstudyError(f"tasks cannot be drawn by '{by}'", mend="use difficulty or progress")
        if not 0 <= floor <= 1 or temperature <= 0:
            found = f"a floor of {floor} and a temperature of {temperature} make no chances"
            mend = "give a share as floor, and a temperature of more than 0"
            raise UnderstudyError(found, where="curriculum", mend=mend)
        self.by, self.temperature, self.floor, self.speed = by, temperature, floor, speed
        self.state = {name: torch.zeros(starts, families, dtype=torch.float64) for name in ("fast", "slow", "count")}

    def chances(self) -> Tensor:
        """p [S, F]; families without a task so far count as much as the one that counts most."""
        fast, slow, count = (self.state[name] for name in ("fast", "slow", "count"))
        score = fast if self.by == "difficulty" else (fast - slow).abs()
        known = count > 0
        most = torch.where(known, score, 0.0).amax(1, keepdim=True)
        score = torch.where(known, score, torch.where(most > 0, most, 1.0))
        tempered = (score / score.amax(1, keepdim=True).clamp(min=1e-300)).pow(1 / self.temperature)
        whole = tempered.sum(1, keepdim=True)
        even = 1 / score.shape[1]
        return (1 - self.floor) * torch.where(whole > 0, tempered / whole, even) + self.floor * even

    def draw(self, tasks: int, generator: torch.Generator) -> Tensor:
        """The families [N] of ``tasks`` tasks, each start's by its own chances."""
        chances = self.chances()
        drawn: Tensor = torch.multinomial(chances, tasks // len(chances), replacement=True, generator=generator)
        return drawn.flatten()

    def note(self, family: Tensor, losses: Tensor) -> None:
        """Take in the losses [N] of tasks of these families [N] (query loss after adapting), one after the other.

        A loss that is not finite is passed over: it would never leave the running losses again.

        Raises:
            UnderstudyError: a number that is none of a family.
        """
        fast, slow, count = (self.state[name] for name in ("fast", "slow", "count"))
        if len(family) and int(family.max()) >= count.shape[1]:
            found = f"there is a task of family {int(family.max())}"
            raise UnderstudyError(found, where="curriculum", mend=f"make it of more than {count.shape[1]} families")
        each = len(family) // len(count)
        for place, (index, loss) in enumerate(zip(family.tolist(), losses.detach().double(), strict=True)):
            if not torch.isfinite(loss):
                continue
            at = (place // each, index)
            first = not bool(count[at])
            fast[at] += (1.0 if first else self.speed) * (loss - fast[at])
            slow[at] += (1.0 if first else self.speed / 4) * (loss - slow[at])
            count[at] += 1

    def load(self, state: Tensors) -> None:
        """Go on from a copy of ``state``. Raises UnderstudyError where it is of other families."""
        if {n: t.shape for n, t in state.items()} != {n: t.shape for n, t in self.state.items()}:
            raise UnderstudyError("this is another curriculum's state", mend="begin anew")
        for name, tensor in self.state.items():
            tensor.copy_(state[name])


@gradients_needed()
def descend_while_it_falls(
    loss: TaskLoss, parameters: Tensors, rates: Tensors, least: int, most: int, fall: float, second_order: bool = False,
    clamp: float = 0.0,
) -> tuple[dict[str, Tensor], Tensor]:  # fmt: skip
    """Inner steps of every task, as many as it needs: parameters [N, …] → parameters [N, …] and steps taken [N].

    After ``least`` steps a task stops where its support loss is not less than (1 − ``fall``) of that a step before; a
    step after which it has risen, or is not finite, is taken back.

    Args:
        loss, parameters, rates, second_order, clamp: as in :func:`.maml.inner_step`.
    """
    now = at = dict(parameters)
    names = sorted(name for name in now if name in rates)
    values = loss(at)
    known = values.detach()
    going = torch.ones(len(known), dtype=torch.bool)
    taken = torch.zeros(len(known), dtype=torch.long)
    for step in range(most):
        gradients = torch.autograd.grad(
            values[going].sum(), [at[n] for n in names], create_graph=second_order, allow_unused=True
        )
        at = dict(now)
        for name, gradient in zip(names, gradients, strict=True):
            if gradient is not None:
                at[name] = now[name] - rates[name] * (gradient.clamp(-clamp, clamp) if clamp else gradient)
        values = loss(at)
        found = values.detach()
        risen = ~(found <= known)  # or not a number
        stays = ~going | risen if step >= least else ~going
        falls = found < (1 - fall) * known if step + 1 >= least else going
        now = {name: torch.where(_over(stays, t), now[name], t) for name, t in at.items()}
        if second_order and bool((going & stays).any()):  # 0 times what is not finite there would be no number
            at, values = now, loss(now)
        known = torch.where(stays, known, found)
        taken += ~stays
        going = ~stays & falls
        if not bool(going.any()):
            break
    return now, taken


def _over(tasks: Tensor, like: Tensor) -> Tensor:
    return tasks.view(-1, *[1] * (like.ndim - 1))


@algorithm("dynamic")
class Dynamic(MAML):
    """MAML whose tasks take as many inner steps as their support loss asks for, and which says what to draw next.

    Where ``tasks.data["family"]`` [N] is known, the curriculum takes note of it; whoever makes the tasks asks
    :meth:`families` for the next ones.

    Args:
        start: name → [S, …].
        least, most: inner steps. fall: the share by which the support loss has to fall for one more.
        families: F, and the curriculum's settings.
        **settings: see :class:`.maml.MAML`.
    """

    def __init__(
        self, start: Tensors, *, least: int = 1, most: int = 3, fall: float = 0.1, families: int = 1,
        curriculum: dict[str, Any] | None = None, **settings: Any,
    ) -> None:  # fmt: skip
        super().__init__(start, steps=most, **settings)
        self.least, self.fall = least, fall
        self.curriculum = Curriculum(families, starts=self.starts, **(curriculum or {}))
        self.kept = self.curriculum.state

    def families(self, tasks: int) -> Tensor:
        """The families [N] of the tasks that are to be made for the next step."""
        return self.curriculum.draw(tasks, self.generator())

    def _taught(self, tasks: Tasks, most: int, outer: bool) -> tuple[dict[str, Tensor], Tensor]:
        rates = self.rates()
        assert not isinstance(rates, list)
        parameters = spread(self.start, tasks.count)
        if not outer:
            parameters = {name: t.detach().requires_grad_(True) for name, t in parameters.items()}
        return descend_while_it_falls(
            tasks.support, parameters, spread(rates, tasks.count), min(self.least, most), most, self.fall,
            outer and self.second_order, self.inner_clamp,
        )  # fmt: skip

    def descend(self, tasks: Tasks) -> dict[str, float]:
        """Down the query loss after each task's own number of steps."""
        with twice_differentiable(self.second_order):
            parameters, taken = self._taught(tasks, self.steps, True)
            losses = tasks.query(parameters)
        (losses.mean() * self.starts).backward()
        if "family" in tasks.data:
            self.curriculum.note(tasks.data["family"], losses)
        return {"loss": float(losses.detach().mean()), "inner steps": float(taken.double().mean())}

    def adapt(self, tasks: Tasks, steps: int | None = None) -> dict[str, Tensor]:
        """Inner steps while the support loss falls; ``steps`` given: at most these."""
        parameters, _ = self._taught(tasks, self.steps if steps is None else steps, False)
        return {name: t.detach() for name, t in parameters.items()}
