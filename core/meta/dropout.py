"""Dropout: every task learns with a thinned copy of its parameters, which is a different one at every outer step.

    θ' = θ ⊙ m / (1 − p),   m ~ Bernoulli(1 − p)

Single elements of any tensor: DropConnect (Wan et al. 2013). Of heads, whole directions of the low rank, m [N, 1, R] on
``site|down``: activations x A of a site, for all tokens of a task alike, as Gal and Ghahramani 2016 do in sequences.
The mask is the same in all inner steps of an outer step, so that a task steps down on one function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from ..errors import UnderstudyError
from .learner import Tasks, Tensors

_Some = TypeVar("_Some", bound=Tasks)


def masks(
    start: Tensors, tasks: int, share: float, generator: torch.Generator, elements: bool = False
) -> dict[str, Tensor]:
    """Name → m / (1 − p) for parameters [N, …], of a start [S, …]; of heads, ``site|up`` has none.

    Args:
        share: p.
        elements: single elements of heads as well, instead of their directions.

    Raises:
        UnderstudyError: ``share`` is not in [0, 1).
    """
    if not 0 <= share < 1:
        raise UnderstudyError(f"a share of {share} cannot be dropped", mend="give one from 0 to less than 1")
    found = {}
    for name in sorted(start):
        shape = tuple(start[name].shape[1:])
        if name.endswith("|up") and not elements:
            continue
        if name.endswith("|down") and not elements:
            shape = (1, shape[-1])
        stays = torch.rand(tasks, *shape, generator=generator) >= share
        found[name] = stays.to(start[name]) / (1 - share)
    return found


def thinned(tasks: _Some, start: Tensors, share: float, seed: int, elements: bool = False) -> _Some:
    """The same tasks, whose losses see thinned parameters; support and query have masks of their own.

    What is thinned are all functions of parameters whose names begin with ``support`` or ``query``.

    ``seed`` decides the masks, whatever the losses are called for and how often.
    """
    if not share:
        return tasks
    sides = {}
    for side in (0, 1):
        generator = torch.Generator().manual_seed(2 * seed + side)
        sides[side] = masks(start, tasks.count, share, generator, elements)
    found: dict[str, Any] = {}
    for name in (one.name for one in fields(tasks) if one.name.startswith(("support", "query"))):
        if callable(getattr(tasks, name)):
            found[name] = _behind(getattr(tasks, name), sides[name.startswith("query")])
    return replace(tasks, **found)


def _behind(loss: Callable[[Tensors], Any], drawn: Tensors) -> Callable[[Tensors], Any]:
    return lambda parameters: loss({n: t * drawn[n] if n in drawn else t for n, t in parameters.items()})
