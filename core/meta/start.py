"""Start: the meta-learned beginning of every new head, with its learned inner rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..bank import HeadStack


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

    def save(self, file: Path) -> None:
        """Write tensors and rates as bf16 safetensors."""
        flat = {f"start|{name}": tensor.to(torch.bfloat16).contiguous() for name, tensor in self.tensors.items()}
        for name, value in (self.rates or {}).items():
            flat[f"rate|{name}"] = value.detach().float().reshape(1).clone()
        save_file(flat, file)

    @classmethod
    def load(cls, file: Path) -> Start:
        """Read what :meth:`save` wrote."""
        flat = load_file(file)
        tensors = {name[len("start|") :]: t.float() for name, t in flat.items() if name.startswith("start|")}
        rates = {name[len("rate|") :]: t[0] for name, t in flat.items() if name.startswith("rate|")}
        return cls(tensors, rates or None)

    @classmethod
    def of_backbone(cls, folder: Path, sites: Mapping[str, tuple[int, int]]) -> Start:
        """The start that ships with a backbone, or a plain one where there is none."""
        file = folder / "start.safetensors"
        return cls.load(file) if file.exists() else cls.plain(sites)
