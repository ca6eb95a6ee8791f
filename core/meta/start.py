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

    def stack(self) -> HeadStack:
        """The start as a stack of one head."""
        return HeadStack.of_tensors(self.tensors)

    def on(self, sites: Iterable[str]) -> Start:
        """The part of the start on these sites."""
        wanted = set(sites)

        def part(named: Mapping[str, Tensor]) -> dict[str, Tensor]:
            return {name: tensor for name, tensor in named.items() if name.rsplit("|", 1)[0] in wanted}

        return Start(part(self.tensors), None if self.rates is None else part(self.rates))

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
        """Write tensors and rates as bf16 safetensors."""
        flat = {f"start|{name}": tensor.to(torch.bfloat16).contiguous() for name, tensor in self.tensors.items()}
        for name, value in (self.rates or {}).items():
            flat[f"rate|{name}"] = value.detach().float().reshape(1).clone()
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
