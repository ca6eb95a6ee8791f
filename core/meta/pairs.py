"""Pairs: a task's examples as vectors, and the networks that read them, for algorithms that learn how to learn.

Several networks lie side by side as starts do: the first dimension of every weight is the start (S), and the first
N / S tasks are the first network's. Shapes: x [N, K, …] and y [N, K, …] become a pair (x, y) [N, K, I + O].
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from ..errors import UnderstudyError
from .learner import Tasks, Tensors, check_start


def sizes_of(start: Tensors) -> tuple[int, int]:
    """I and O of a module whose first tensor takes the inputs and whose last gives the outputs, as of an MLP.

    Raises:
        UnderstudyError: the start is none.
    """
    check_start(start)
    tensors = list(start.values())
    return int(tensors[0].shape[-1]), int(tensors[-1].shape[1])


def examples(tasks: Tasks, name: str) -> Tensor:
    """``tasks.data[name]``. Raises UnderstudyError where the tasks do not have it."""
    if name not in tasks.data:
        raise UnderstudyError(f"the tasks have no {name}, which this algorithm reads", mend="make them by module_tasks")
    return tasks.data[name]


def vectors(values: Tensor, width: int, dtype: torch.dtype) -> Tensor:
    """Values [N, K, …] as vectors [N, K, width]: numbers as they are, labels [N, K] of integers one-hot.

    Raises:
        UnderstudyError: they are of another width.
    """
    if not values.is_floating_point():
        return nn.functional.one_hot(values.long(), width).to(dtype)
    flat = values.to(dtype).flatten(2) if values.ndim > 2 else values.to(dtype).unsqueeze(-1)
    if flat.shape[-1] != width:
        what = f"examples of {flat.shape[-1]} numbers were given to a network that reads {width}"
        raise UnderstudyError(what, mend="say their sizes where the learner is made")
    return flat


def networks(make: Callable[[], nn.Module], starts: int, seed: int, dtype: torch.dtype) -> dict[str, Tensor]:
    """Weights of ``starts`` networks, name → [S, …]; that of start s is the one that ``seed`` + s gives alone."""
    made = []
    with torch.random.fork_rng(devices=[]):
        for number in range(starts):
            torch.manual_seed(seed + number)
            made.append(make().to(dtype))
    return {name: tensor.detach() for name, tensor in stack_module_state(made)[0].items()}


def ask(network: nn.Module, weights: Tensors, *values: Tensor) -> Tensor:
    """What the networks of ``weights`` [S, …] give for values [N, …], each for its own N / S tasks: [N, …]."""
    starts = len(next(iter(weights.values())))
    own = [value.unflatten(0, (starts, -1)) for value in values]
    given: Tensor = vmap(lambda one, *some: functional_call(network, one, some))(dict(weights), *own)
    return given.flatten(0, 1)
