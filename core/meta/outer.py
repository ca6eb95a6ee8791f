"""Outer: the part of an algorithm that is the same in all: what is learned, its optimiser, saving and going on."""

from __future__ import annotations

import inspect
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..errors import UnderstudyError, hint
from .dropout import thinned
from .learner import Tasks, Tensors, check_start
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

    Raises:
        UnderstudyError: a setting that there is not, or that cannot be; a start whose tensors have no first dimension
            in common, as :func:`.tasks.start_of` makes it.
    """

    changing: frozenset[str] = frozenset({"number"})
    """Names of attributes (numbers, words, truths, names) that are no settings, as they change in a run."""

    def __init__(
        self, start: Tensors, more: Tensors | None = None, *, rate: float = 1e-3,
        rates: Mapping[str, float] | None = None, clip: float = 0.0, clamp: float = 0.0, seed: int = 0,
        schedule: Schedule = constant, dropout: float = 0.0, **unknown: Any,
    ) -> None:  # fmt: skip
        self._refuse(unknown)
        check_start(start)
        numbers: dict[str, Any] = {f"rates[{kind!r}]": one for kind, one in (rates or {}).items()}
        at_least(0.0, rate=rate, clip=clip, clamp=clamp, **numbers)
        named = {**{f"start|{name}": tensor for name, tensor in start.items()}, **(more or {})}
        self.learned = {name: t.detach().clone().requires_grad_(True) for name, t in named.items()}
        self.kept: dict[str, Tensor] = {}
        self.clip, self.clamp, self.seed, self.number = clip, clamp, seed, 0
        self.schedule, self.dropout = schedule, dropout
        groups: dict[str, list[Tensor]] = {}
        for name, tensor in self.learned.items():
            groups.setdefault(name.partition("|")[0], []).append(tensor)
        if strange := set(rates or {}) - set(groups):
            mend = f"give rates for: {', '.join(groups)}"
            raise UnderstudyError(f"nothing that is learned is called {min(strange)!r}", mend=mend)
        self.optimiser: torch.optim.Optimizer = torch.optim.Adam(
            [{"params": some, "lr": (rates or {}).get(kind, rate)} for kind, some in groups.items()]
        )

    def _refuse(self, unknown: Mapping[str, Any]) -> None:
        """Raise UnderstudyError for a setting that there is not."""
        for name in unknown:
            inits = [one.__dict__["__init__"] for one in type(self).__mro__ if "__init__" in one.__dict__]
            every = {key: one for init in inits for key, one in inspect.signature(init).parameters.items()}
            known = sorted(key for key, one in every.items() if one.kind is one.KEYWORD_ONLY and key != "more")
            raise UnderstudyError(f"{type(self).__name__} has no setting {name!r}", mend=hint(name, known))

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
            UnderstudyError: the loss or its gradient is not finite; the run is then as it was. Or the algorithm gave no
                loss, or left no gradient.
        """
        self.optimiser.zero_grad()
        kept = {name: tensor.clone() for name, tensor in self.kept.items()}
        with torch.enable_grad():
            metrics = self.descend(thinned(tasks, self.thin(), self.dropout, self.generator().initial_seed()))
        where = f"{type(self).__name__}, step {self.number}"
        if broken := self._broken(metrics):
            for name, tensor in kept.items():
                self.kept[name].copy_(tensor)
            mend = _not_finite(tasks) or "lower the rates"
            raise UnderstudyError(f"the {broken} is not finite", where=where, mend=mend)
        if "loss" not in metrics:
            raise UnderstudyError("descend gave no loss", where=where, mend='give {"loss": …} and what else is of use')
        if all(tensor.grad is None for tensor in self.learned.values()):
            mend = "call .backward() on the outer loss in descend, or set .grad of what is learned"
            raise UnderstudyError("descend left no gradient", where=where, mend=mend)
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

    def settings(self) -> dict[str, Any]:
        """What was given when it was made and decides how the run goes on: numbers, words, truths, names.

        A schedule, which is a function, is none of them.
        """
        named: dict[str, Any] = {n: v for n, v in vars(self).items() if isinstance(v, bool | int | float | str)}
        for name, value in vars(self).items():
            if isinstance(value, set | frozenset | tuple) and all(isinstance(one, str) for one in value):
                named[name] = sorted(value)
        rates = {
            f"rate of {next(name for name, t in self.learned.items() if t is group['params'][0]).partition('|')[0]}":
            group.get("initial_lr", group["lr"]) for group in self.optimiser.param_groups
        }  # fmt: skip
        return {name: value for name, value in named.items() if name not in self.changing} | rates

    def save(self, file: Path) -> None:
        """Write what is learned, the optimiser's state, the number of the step, and of which algorithm they are."""
        flat = {f"learned|{name}": tensor for name, tensor in self.learned.items()}
        names = self._order()
        for index, state in self.optimiser.state_dict()["state"].items():
            flat.update({f"optimiser|{names[index]}|{key}": torch.as_tensor(value) for key, value in state.items()})
        flat.update({f"kept|{name}": tensor for name, tensor in self.kept.items()})
        flat["number"] = torch.tensor(self.number)
        written = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in flat.items()}
        file.parent.mkdir(parents=True, exist_ok=True)
        save_file(written, file, {"algorithm": type(self).__name__, "settings": json.dumps(self.settings())})

    def resume(self, file: Path) -> None:
        """Go on from what :meth:`save` wrote.

        Raises:
            UnderstudyError: it is missing, broken or of another run: of another algorithm, of other settings (but for a
                schedule), of tensors of other names or shapes.
        """
        try:
            flat = load_file(file)
            with safe_open(file, framework="pt") as opened:
                about = opened.metadata() or {}
        except (OSError, SafetensorError) as error:
            raise UnderstudyError(f"the run cannot be read ({error})", where=str(file), mend="begin anew") from error
        self._compare(about, file)
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

    def _compare(self, about: Mapping[str, str], file: Path) -> None:
        """Raise UnderstudyError where a run was of another algorithm, or had other settings.

        Old files tell neither, or lack settings that came later.
        """
        own, there = type(self).__name__, about.get("algorithm", type(self).__name__)
        if there != own:
            mend = f"resume it with {there}, or begin anew"
            raise UnderstudyError(f"this is a run of {there}, not of {own}", where=str(file), mend=mend)
        mine = self.settings()
        theirs = json.loads(about["settings"]) if "settings" in about else mine
        unlike = [
            f"{name} {theirs[name]} there, {mine[name]} here" for name in sorted(mine.keys() & theirs.keys())
            if theirs[name] != mine[name] and theirs[name] == theirs[name]  # which a nan is not
        ]  # fmt: skip
        if unlike:
            mend = "give the same settings; to go on with others, make a new learner of the start of the old one"
            raise UnderstudyError(f"the run had other settings ({'; '.join(unlike)})", where=str(file), mend=mend)


def at_least(least: float, *, whole: bool = False, **settings: Any) -> None:
    """Raise UnderstudyError for a setting that is not a (``whole``) number of ``least`` or more."""
    for name, value in settings.items():
        if not isinstance(value, Integral if whole else Real) or not float(value) >= least:
            mend = f"give a {'whole ' if whole else ''}number, {least:g} or more"
            raise UnderstudyError(f"{name} is {value!r}", mend=mend)


def _not_finite(tasks: Tasks) -> str:
    """How to mend tasks whose examples are not finite; empty where all are."""
    for name, tensor in tasks.data.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            task = int((~tensor.isfinite()).nonzero()[0, 0])
            return f"mend the data: {name} of task {task} is not finite"
    return ""
