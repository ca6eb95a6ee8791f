"""Adversarial perturbation of embeddings: the loss also where the embeddings are moved to what hurts it most.

    g = ∇_e L(e),   r = ε g / |g|_2 (of each row),   L' = (1 − a) L(e) + a L(e + r)

The fast gradient method on embeddings: Miyato, Dai, Goodfellow 2017, with embeddings as they are and the norm taken
over all tokens of a row that matter; ε counts in shares of the norm of their embeddings, so that it means the same on
any backbone. It takes one more pass. r counts as a constant. Shapes: embeddings, g and r [B, T, D], losses [N].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UnderstudyError
from .learner import TaskLoss, Tasks, Tensors


def perturbation(gradient: Tensor, inputs: Tensor, size: float) -> Tensor:
    """r [B, …, D]: each row of the gradient, as long as ``size`` times that row of the inputs; 0 where it is 0.

    Of a row those vectors [D] count that the loss depends on: what fills it up to the length of others does not.
    """
    flat = gradient.flatten(1)
    counted = inputs * (gradient != 0).any(-1, keepdim=True)
    length = size * counted.flatten(1).norm(dim=1, keepdim=True)
    moved: Tensor = flat / flat.norm(dim=1, keepdim=True).clamp(min=1e-12) * length
    return moved.view_as(gradient)


class _Shift:
    """The hook on the embedding: adds what is to be added, and notes what came."""

    def __init__(self) -> None:
        self.added: Tensor | None = None
        self.came: Tensor | None = None
        self.clean = True

    def __call__(self, module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        if self.clean:
            if self.came is not None:
                raise UnderstudyError("the embeddings are computed in pieces", mend="give head_tasks no `rows`")
            self.came = output.detach()
            self.added = torch.zeros_like(output, requires_grad=True)
        return output if self.added is None else output + self.added


@contextmanager
def _shifted(embedding: nn.Module) -> Iterator[_Shift]:
    shift = _Shift()
    handle = embedding.register_forward_hook(shift)
    try:
        yield shift
    finally:
        handle.remove()


def attacked(loss: TaskLoss, embedding: nn.Module, size: float, share: float = 0.5) -> TaskLoss:
    """The loss whose ``share`` a is that under attack.

    Args:
        loss: parameters → [N]; its pass runs ``embedding`` once: no trunk below the heads (give
            :func:`.tasks.head_tasks` no ``sites``), and all rows at a time.
        embedding: gives the embeddings [B, T, D] of the rows, as ``backbone.model.get_input_embeddings()``.
        size: ε, as a share of the norm of a row's embeddings (:func:`perturbation`).
    """

    def both(parameters: Tensors) -> Tensor:
        with _shifted(embedding) as shift:
            with torch.enable_grad():
                clean = loss(parameters)
                if shift.added is None or shift.came is None:
                    mend = "give head_tasks no `sites`, so that nothing below the heads is kept"
                    raise UnderstudyError("the pass does not run the embedding", mend=mend)
                (gradient,) = torch.autograd.grad(clean.sum(), [shift.added], retain_graph=True)
            shift.clean = False
            shift.added = perturbation(gradient, shift.came, size)
            hurt = loss(parameters)
        return (1 - share) * clean + share * hurt

    return both


def attacked_tasks(tasks: Tasks, embedding: nn.Module, size: float, share: float = 0.5) -> Tasks:
    """The same tasks, whose query loss is partly that under attack: what is learned are starts that bear it."""
    return replace(tasks, query=attacked(tasks.query, embedding, size, share))


def attacked_inputs(loss: Callable[[Tensor], Tensor], inputs: Tensor, size: float) -> Tensor:
    """Inputs [B, …] moved to what hurts most, for modules whose inputs are vectors; ``loss``: inputs → a number."""
    with torch.enable_grad():
        leaf = inputs.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(loss(leaf), [leaf])
    return inputs + perturbation(gradient, inputs, size)
