"""Tasks of any module, and of heads on a backbone: both are N tasks side by side, in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.func import functional_call, vmap
from torch.nn.functional import mse_loss

from ..backbone import Backbone
from .learner import TaskLoss, Tasks, Tensors
from .training import Episode, stack_episodes, stacked_loss
from .written_out import written_out

Pair = tuple[Tensor, Tensor]


def start_of(module: torch.nn.Module) -> dict[str, Tensor]:
    """The module's parameters as a start: name → [1, …], copied."""
    return {name: p.detach().clone().unsqueeze(0) for name, p in module.named_parameters()}


def module_tasks(
    module: torch.nn.Module, support: Pair, query: Pair, loss: Callable[[Tensor, Tensor], Tensor]
) -> Tasks:
    """N tasks of a module, whose own parameters are not used; its buffers are, and stay.

    Args:
        support, query: inputs [N, K, …] and targets [N, K, …].
        loss: outputs and targets of one task → scalar, as ``torch.nn.functional.mse_loss``.
    """

    chain = written_out(module)

    def of(inputs: Tensor, targets: Tensor) -> TaskLoss:
        def one(parameters: Tensors, x: Tensor, y: Tensor) -> Tensor:
            return loss(functional_call(module, dict(parameters), (x,)), y)

        def of_all(parameters: Tensors) -> Tensor:
            if chain is None or inputs.ndim < 3 or not names <= parameters.keys():
                return vmap(one, randomness="different")(dict(parameters), inputs, targets)
            given = chain(parameters, inputs)
            if loss is mse_loss and given.shape == targets.shape:
                return (given - targets).square().flatten(1).mean(1)
            return vmap(loss)(given, targets)

        return of_all

    names = {name for name, _ in module.named_parameters()}
    data = {"support_x": support[0], "support_y": support[1], "query_x": query[0], "query_y": query[1]}
    shown = partial(outputs, module, inputs=support[0])
    return Tasks(of(*support), of(*query), len(support[0]), data, loss, shown)


def outputs(module: torch.nn.Module, parameters: Tensors, inputs: Tensor) -> Tensor:
    """What the module gives for each task's inputs [N, K, …] with that task's parameters [N, …]."""
    given: Tensor = vmap(lambda own, x: functional_call(module, own, (x,)))(dict(parameters), inputs)
    return given


def head_tasks(backbone: Backbone, episodes: Sequence[Episode], sites: Iterable[str] = (), rows: int = 0) -> Tasks:
    """N tasks of heads through the bank: each has (support, query) examples; see :func:`.training.stacked_loss`."""

    def of(side: int) -> TaskLoss:
        batch, task = stack_episodes(backbone, [episode[side] for episode in episodes])
        return stacked_loss(backbone, batch, task, len(episodes), sites, rows)

    return Tasks(of(0), of(1), len(episodes))
