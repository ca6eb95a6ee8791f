"""Masters: fp32 copies of the weights, which the optimisers move, beside those that the passes run on.

Passes may run in bf16, whose steps would lose what is small; so gradients are taken to the masters, moved there by Muon
(matrices, Jordan et al. 2024) and AdamW (all others, and the heads), and the weights are copied back.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from transformers import PreTrainedModel

from .muon import Muon


class Masters:
    """Attributes:
    named: name → the fp32 weight of the model.
    heads: flat name → the tensors of the heads, fp32, which passes use as they are.
    optimisers: Muon over the matrices, AdamW over the rest.

    Args:
        matrix_rate, other_rate, head_rate: learning rates of the matrices, of other weights, of the heads.
    """

    def __init__(
        self, model: PreTrainedModel, heads: Mapping[str, Tensor], matrix_rate: float, other_rate: float,
        head_rate: float,
    ) -> None:  # fmt: skip
        self.model = model
        self.live = dict(model.named_parameters())
        self.named = {name: p.detach().float().clone() for name, p in self.live.items()}
        embedding = model.get_input_embeddings().weight
        matrices = [self.named[n] for n, p in self.live.items() if p.ndim == 2 and p is not embedding]
        others = [self.named[n] for n, p in self.live.items() if p.ndim != 2 or p is embedding]
        self.heads = {name: tensor.requires_grad_(True) for name, tensor in heads.items()}
        self.optimisers: list[torch.optim.Optimizer] = [
            Muon(matrices, lr=matrix_rate, weight_decay=0.01, momentum=0.95),
            torch.optim.AdamW(
                [{"params": others, "lr": other_rate}, {"params": list(self.heads.values()), "lr": head_rate}],
                betas=(0.9, 0.95),
                weight_decay=0.0,
            ),
        ]
        self.frozen = False
        self._base = [[group["lr"] for group in o.param_groups] for o in self.optimisers]

    def freeze(self) -> None:
        """From now on the model is as it ships, in bf16, and the heads alone learn; its gradients are dropped."""
        with torch.no_grad():
            for live in self.live.values():
                live.copy_(live.bfloat16())
        self.model.requires_grad_(False)
        for live in self.live.values():
            live.grad = None
        self.frozen = True

    def step(self, factor: float) -> None:
        """Move everything by the gradients that it has, with all rates times ``factor``, and clear them."""
        for name, live in self.live.items():
            self.named[name].grad = None if live.grad is None else live.grad.float()
            live.grad = None
        for optimiser, rates in zip(self.optimisers, self._base, strict=True):
            for group, base in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = base * factor
            learning = [p for g in optimiser.param_groups for p in g["params"] if p.grad is not None]
            if learning:
                torch.nn.utils.clip_grad_norm_(learning, 1.0)
                optimiser.step()
            optimiser.zero_grad()
        self.put_back()

    @torch.no_grad()
    def put_back(self) -> None:
        """Copy the masters to the model."""
        if self.frozen:
            return
        for name, live in self.live.items():
            live.copy_(self.named[name])

    def tensors(self) -> dict[str, Tensor]:
        """Weights, heads and the optimisers' state under flat names, on the CPU, as a checkpoint keeps them."""
        found = {f"model|{name}": p for name, p in self.named.items()}
        found.update({f"heads|{name}": p for name, p in self.heads.items()})
        for number, optimiser in enumerate(self.optimisers):
            for index, state in optimiser.state_dict()["state"].items():
                found.update({f"optimiser|{number}|{index}|{key}": torch.as_tensor(v) for key, v in state.items()})
        return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in found.items()}

    def load(self, tensors: Mapping[str, Tensor]) -> bool:
        """Take over what :meth:`tensors` gave; False, and nothing is changed, where it is of another model."""
        masters = {f"model|{name}": p for name, p in self.named.items()}
        masters.update({f"heads|{name}": p for name, p in self.heads.items()})
        if any(name not in tensors or tensors[name].shape != p.shape for name, p in masters.items()):
            return False
        with torch.no_grad():
            for name, p in masters.items():
                p.copy_(tensors[name])
        self.put_back()
        for number, optimiser in enumerate(self.optimisers):
            state: dict[int, dict[str, Tensor]] = {}
            for name, tensor in tensors.items():
                kind, *rest = name.split("|")
                if kind == "optimiser" and int(rest[0]) == number:
                    state.setdefault(int(rest[1]), {})[rest[2]] = tensor
            optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
        return True
