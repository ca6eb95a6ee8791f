"""Outer: the part of an algorithm that is the same in all: what is learned, its optimiser, saving and going on."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..errors import UnderstudyError
from .dropout import thinned
from .learner import Tasks, Tensors
from .schedules import Schedule, constant


class Outer(ABC):
    """Base of the algorithms: subclasses say what one outer step goes down on, and how a task is adapted.

    Attributes:
        learned: name → tensor that the outer optimiser moves: the start's tensors under ``start|name``, [S, …], others
            (rates, log-variances, …) under names of their own.
        kept: name → what no optimiser moves, but the run goes on from (running means, counts); saved with the rest.
        number: outer steps made; what is random in a step depends on it and the seed alone (:meth:`generator`).

    Args:
        start: name → [S, …]; copied.
        more: what else is learned.
        rate: of Adam over all that is learned; ``rates`` by name's first part, as ``{"rate": 0.01}``, overrides it.
        clip: gradients of the start, of all S together, are clipped to this norm; 0 leaves them.
        clamp: each element of all gradients is kept within ± this; 0 leaves them. Unlike ``clip`` it does not depend on
            what is learned side by side.
        seed: of what is random.
        schedule: step → the factor of all rates (:mod:`.schedules`), as ``cosine(70_000, warm_up=500)``.
        dropout: share of the parameters, or of the heads' directions, that are out in a step (:mod:`.dropout`).
    """

    def __init__(
        self, start: Tensors, more: Tensors | None = None, *, rate: float = 1e-3,
        rates: Mapping[str, float] | None = None, clip: float = 0.0, clamp: float = 0.0, seed: int = 0,
        schedule: Schedule = constant, dropout: float = 0.0,
    ) -> None:  # fmt: skip
        named = {**{f"start|{name}": tensor for name, tensor in start.items()}, **(more or {})}
        self.learned = {name: t.detach().clone().requires_grad_(True) for name, t in named.items()}
        self.kept: dict[str, Tensor] = {}
        self.clip, self.clamp, self.seed, self.number = clip, clamp, seed, 0
        self.schedule, self.dropout = schedule, dropout
        groups: dict[str, list[Tensor]] = {}
        for name, tensor in self.learned.items():
            groups.setdefault(name.partition("|")[0], []).append(tensor)
        self.optimiser: torch.optim.Optimizer = torch.optim.Adam(
            [{"params": some, "lr": (rates or {}).get(kind, rate)} for kind, some in groups.items()]
        )

    @property
    def start(self) -> dict[str, Tensor]:
        """Name → [S, …]; the tensors themselves, which the optimiser moves."""
        return self.part("start")

    def part(self, kind: str) -> dict[str, Tensor]:
        """What is learned under ``kind|name``, by name."""
        return {name[len(kind) + 1 :]: t for name, t in self.learned.items() if name.startswith(kind + "|")}

    def outer_step(self, tasks: Tasks) -> dict[str, float]:
        """Learn from N tasks.

        Raises:
            UnderstudyError: the loss or its gradient is not finite; the run is then as it was.
        """
        self.optimiser.zero_grad()
        kept = {name: tensor.clone() for name, tensor in self.kept.items()}
        metrics = self.descend(thinned(tasks, self.thin(), self.dropout, self.generator().initial_seed()))
        if broken := self._broken(metrics):
            for name, tensor in kept.items():
                self.kept[name].copy_(tensor)
            where = f"{type(self).__name__}, step {self.number}"
            raise UnderstudyError(f"the {broken} is not finite", where=where, mend="lower the rates")
        if self.clamp:
            torch.nn.utils.clip_grad_value_(list(self.learned.values()), self.clamp)
        if self.clip:
            torch.nn.utils.clip_grad_norm_(list(self.start.values()), self.clip)
        if self.schedule is not constant:
            for group in self.optimiser.param_groups:
                group["lr"] = group.setdefault("initial_lr", group["lr"]) * self.schedule(self.number)
        self.optimiser.step()
        self.number += 1
        return metrics

    def _broken(self, metrics: Mapping[str, float]) -> str:
        """What of this step is not finite; empty where all is."""
        if not all(math.isfinite(value) for value in metrics.values()):
            return "outer loss"
        gradients = [tensor.grad for tensor in self.learned.values() if tensor.grad is not None]
        return "" if all(bool(gradient.isfinite().all()) for gradient in gradients) else "outer gradient"

    def thin(self) -> Tensors:
        """Name → [S, …] of what dropout may leave out."""
        return self.start

    @abstractmethod
    def descend(self, tasks: Tasks) -> dict[str, float]:
        """Leave in ``.grad`` of what is learned where the optimiser is to go down; give the metrics."""

    @abstractmethod
    def adapt(self, tasks: Tasks, steps: int | None = None) -> dict[str, Tensor]:
        """See :class:`.learner.MetaLearner`; nothing is learned by it."""

    @property
    def starts(self) -> int:
        """S, by which the mean over all tasks is multiplied where it is gone down on: so each learns as if alone."""
        return len(next(iter(self.start.values())))

    def generator(self) -> torch.Generator:
        """The source of what is random in this step, the same in a run that was resumed."""
        return torch.Generator().manual_seed(self.seed * 1_000_003 + self.number)

    def _order(self) -> list[str]:
        """The names of what is learned in the order in which the optimiser counts it."""
        names = {id(tensor): name for name, tensor in self.learned.items()}
        return [names[id(tensor)] for group in self.optimiser.param_groups for tensor in group["params"]]

    def save(self, file: Path) -> None:
        """Write what is learned, the optimiser's state and the number of the step."""
        flat = {f"learned|{name}": tensor for name, tensor in self.learned.items()}
        names = self._order()
        for index, state in self.optimiser.state_dict()["state"].items():
            flat.update({f"optimiser|{names[index]}|{key}": torch.as_tensor(value) for key, value in state.items()})
        flat.update({f"kept|{name}": tensor for name, tensor in self.kept.items()})
        flat["number"] = torch.tensor(self.number)
        save_file({name: tensor.detach().cpu().clone().contiguous() for name, tensor in flat.items()}, file)

    def resume(self, file: Path) -> None:
        """Go on from what :meth:`save` wrote. Raises UnderstudyError where it is missing, broken or of another run."""
        try:
            flat = load_file(file)
        except (OSError, SafetensorError) as error:
            raise UnderstudyError(f"the run cannot be read ({error})", where=str(file), mend="begin anew") from error
        named = {f"learned|{name}": tensor for name, tensor in self.learned.items()}
        named |= {f"kept|{name}": tensor for name, tensor in self.kept.items()}
        there = {name: tensor.shape for name, tensor in flat.items() if name.startswith(("learned|", "kept|"))}
        if there != {name: tensor.shape for name, tensor in named.items()}:
            raise UnderstudyError("this is of another run", where=str(file), mend="begin anew, or name its own file")
        with torch.no_grad():
            for name, tensor in named.items():
                tensor.copy_(flat[name])
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in flat.items():
            if name.startswith("optimiser|"):
                place, _, key = name.removeprefix("optimiser|").rpartition("|")
                index = int(place) if place.isdecimal() else self._order().index(place)  # earlier files have numbers
                state.setdefault(index, {})[key] = tensor
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": state})
        self.number = int(flat["number"])
