"""Written out: a plain network as one function of N parameters, for all tasks at once, without ``vmap``.

``vmap`` runs any module, and pays for it in every operation. A chain of linear layers and elementwise functions, as
small experiments have, is a chain of batched products as well:

    z_i ← z_{i−1} W_iᵀ + b_i          z [N, K, D], W [N, D', D], b [N, D']
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .learner import Tensors

ELEMENTWISE = (
    nn.ReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.ELU, nn.LeakyReLU, nn.Softplus, nn.Identity,
)  # fmt: skip
"""What works on each element by itself, has no parameters and is not random."""


def written_out(module: nn.Module) -> Callable[[Tensors, Tensor], Tensor] | None:
    """Parameters [N, …] and inputs [N, K, …, D] → outputs [N, K, …, D']; None where the module is not such a chain.

    Subclasses, and modules with hooks, are not taken: nobody knows what they do.
    """
    if type(module) is not nn.Sequential or _hooked(module):
        return None
    layers = list(module.named_children())
    if any(type(layer) is not nn.Linear and type(layer) not in ELEMENTWISE or _hooked(layer) for _, layer in layers):
        return None

    def run(parameters: Tensors, inputs: Tensor) -> Tensor:
        states = inputs.flatten(1, -2)
        for name, layer in layers:
            if not isinstance(layer, nn.Linear):
                states = layer(states)
                continue
            weight, bias = parameters[f"{name}.weight"].mT, parameters.get(f"{name}.bias")
            states = torch.bmm(states, weight) if bias is None else torch.baddbmm(bias.unsqueeze(1), states, weight)
        given: Tensor = states.unflatten(1, inputs.shape[1:-1])
        return given

    return run


def _hooked(module: nn.Module) -> bool:
    return any(vars(module)[name] for name in vars(module) if name.endswith("_hooks"))
