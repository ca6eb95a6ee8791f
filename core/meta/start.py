"""Start: the meta-learned beginning of every new head, with its learned inner rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..bank import HeadStack
from ..errors import UnderstudyError
from .learner import MetaLearner
from .maml import MAML


@dataclass(frozen=True)
class Start:
    """Attributes:
    tensors: ``site|down`` [1, in, R] and ``site|up`` [1, R, out].
    rates: the same names → inner learning rate (scalar tensors); None: adapt with plain Adam.
    """

    tensors: Mapping[str, Tensor]
    rates: Mapping[str, Tensor] | None = None

    @classmethod
    def plain(cls, sites: Mapping[str, tuple[int, int]], rank: int = 8, seed: int = 0) -> Start:
        """A random start (A random, B zero) without learned rates: what any new backbone has."""
        return cls(HeadStack.random(sites, 1, rank, seed).tensors())

    @classmethod
    def learned(cls, learner: MetaLearner) -> Start:
        """What a learner of heads has learned, with its inner rates where it has one for each tensor.

        Other rates (of each element, of each step, of some tensors) are left out: heads then learn by Adam.

        Raises:
            UnderstudyError: the learner is not of heads, or holds several starts.
        """
        tensors = {name: tensor.detach().clone() for name, tensor in learner.start.items()}
        if not all("|" in name for name in tensors):
            mend = "give a learner that began with Start.plain(sites).tensors"
            raise UnderstudyError("this learner has no start of heads", mend=mend)
        if (starts := len(next(iter(tensors.values())))) > 1:
            raise UnderstudyError(f"this learner holds {starts} starts", mend="learn one, or take one apart")
        rates = learner.rates() if isinstance(learner, MAML) else None
        if not isinstance(rates, Mapping) or rates.keys() != tensors.keys():
            return cls(tensors)
        if any(rate.numel() != 1 for rate in rates.values()):
            return cls(tensors)
        return cls(tensors, {name: rate.detach().reshape(()) for name, rate in rates.items()})

    def stack(self) -> HeadStack:
        """The start as a stack of one head."""
        return HeadStack.of_tensors(self.tensors)

    def on(self, sites: Iterable[str]) -> Start:
        """The part of the start on these sites. Raises UnderstudyError where it has none of them."""
        wanted = set(sites)

        def part(named: Mapping[str, Tensor]) -> dict[str, Tensor]:
            return {name: tensor for name, tensor in named.items() if name.rsplit("|", 1)[0] in wanted}

        tensors = part(self.tensors)
        if not tensors:
            raise UnderstudyError("the start has none of these sites", mend="give some of the backbone's sites")
        return Start(tensors, None if self.rates is None else part(self.rates))

    def over(self, sites: Mapping[str, tuple[int, int]]) -> Start:
        """The start on these sites and no others; where it has nothing, it begins at random and changes nothing yet.

        Such sites learn with the mean rate of those that it has.

        Raises:
            UnderstudyError: the start has sites that are not among these, or of another size.
        """
        rank = next(int(tensor.shape[-1]) for name, tensor in self.tensors.items() if name.endswith("|down"))
        tensors = Start.plain(sites, rank).tensors
        if any(name not in tensors or tensors[name].shape != tensor.shape for name, tensor in self.tensors.items()):
            mend = "make one for this with `understudy train meta`"
            raise UnderstudyError("the start is of another backbone", mend=mend)
        found = {name: self.tensors.get(name, tensor) for name, tensor in tensors.items()}
        if self.rates is None:
            return Start(found)
        mean = {
            kind: torch.stack([rate for name, rate in self.rates.items() if name.endswith(kind)]).mean()
            for kind in ("|down", "|up")
        }
        return Start(found, {name: self.rates.get(name, mean[name[name.rindex("|") :]]) for name in found})

    def save(self, file: Path) -> None:
        """Write tensors and rates as bf16 safetensors.

        Raises:
            UnderstudyError: a rate is not one number for its tensor.
        """
        flat = {f"start|{name}": tensor.to(torch.bfloat16).contiguous() for name, tensor in self.tensors.items()}
        for name, value in (self.rates or {}).items():
            if value.numel() != 1:
                mend = "give a rate for each tensor, or none (Start.learned)"
                raise UnderstudyError(f"the rates of {name} are {list(value.shape)}, not one number", mend=mend)
            flat[f"rate|{name}"] = value.detach().float().reshape(1).clone()
        file.parent.mkdir(parents=True, exist_ok=True)
        save_file(flat, file)

    @classmethod
    def load(cls, file: Path) -> Start:
        """Read what :meth:`save` wrote. Raises UnderstudyError where the file is missing, broken or something else."""
        try:
            flat = load_file(file)
        except (OSError, SafetensorError) as error:
            mend = "make it with `understudy train meta`"
            raise UnderstudyError(f"the start cannot be read ({error})", where=str(file), mend=mend) from error
        if not any(name.startswith("start|") for name in flat):
            raise UnderstudyError("this is not a start", where=str(file), mend="make it with `understudy train meta`")
        tensors = {name[len("start|") :]: t.float() for name, t in flat.items() if name.startswith("start|")}
        rates = {name[len("rate|") :]: t[0] for name, t in flat.items() if name.startswith("rate|")}
        return cls(tensors, rates or None)

    @classmethod
    def of_backbone(cls, folder: Path, sites: Mapping[str, tuple[int, int]]) -> Start:
        """The start that lies with a backbone, over all its sites, or a plain one where there is none."""
        file = folder / "start.safetensors"
        return cls.load(file).over(sites) if file.exists() else cls.plain(sites)
