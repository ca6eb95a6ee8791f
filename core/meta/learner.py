"""What every meta-learning algorithm is: a start that gets better from batch to batch of tasks, and adapts to one.

N tasks lie side by side: the first dimension of every tensor of parameters is the task, and a loss gives [N]. A
learner may hold several starts as well (S, as the seeds of an experiment): the first N / S tasks are the first start's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from ..errors import UnderstudyError

Tensors = Mapping[str, Tensor]
TaskLoss = Callable[[Tensors], Tensor]


@dataclass(frozen=True)
class Tasks:
    """N tasks side by side; see :func:`.tasks.module_tasks` and :func:`.tasks.head_tasks`, which make them.

    Attributes:
        support: parameters, name → [N, …] → the loss of each task on its demonstrations, [N].
        query: the same, on what it is then asked. Algorithms that need no gradient only compute both.
        count: N.
        data: what the losses were made of, for algorithms that read examples: ``support_x`` [N, K, …], ``support_y``,
            ``query_x``, ``query_y``; empty where the tasks have none.
        metric: outputs and targets of one task → scalar, that both losses are made of; None where they are not.
        support_outputs: parameters → what they give for ``support_x``, [N, K, …]; None where the tasks cannot say.
    """

    support: TaskLoss
    query: TaskLoss
    count: int
    data: Tensors = field(default_factory=dict)
    metric: Callable[[Tensor, Tensor], Tensor] | None = None
    support_outputs: TaskLoss | None = None


class MetaLearner(Protocol):
    """An algorithm of meta-learning, at work: made of a start and its settings, then given batches of tasks."""

    @property
    def start(self) -> Tensors:
        """Where every task begins: name → [S, …]; S is 1 but where several are learned side by side."""

    def outer_step(self, tasks: Tasks) -> dict[str, float]:
        """Learn from N tasks. Gives at least ``loss``, the mean query loss after adapting (after the last step)."""

    def adapt(self, tasks: Tasks, steps: int | None = None) -> dict[str, Tensor]:
        """Parameters [N, …] for N new tasks from their support alone, in ``steps`` inner steps instead of its own."""

    def save(self, file: Path) -> None:
        """Write everything that decides how the run goes on, as safetensors."""

    def resume(self, file: Path) -> None:
        """Go on, bit by bit, from what :meth:`save` wrote. Raises UnderstudyError for what is of another run."""


def spread(start: Tensors, tasks: int) -> dict[str, Tensor]:
    """Name → [S, …] for N tasks: name → [N, …], through which gradients reach the start; scalars stay.

    Raises:
        UnderstudyError: the tasks cannot be shared out among the starts.
    """
    for tensor in start.values():
        if tensor.ndim and tasks % len(tensor):
            mend = f"give each start as many: {len(tensor)}, {2 * len(tensor)}, …"
            raise UnderstudyError(f"{tasks} tasks cannot be shared out among {len(tensor)} starts", mend=mend)
    return {name: t.repeat_interleave(tasks // len(t), 0) if t.ndim else t for name, t in start.items()}


def check_start(start: Any) -> None:
    """Raise UnderstudyError for what is no start: tensors by name, with the same first dimension."""
    mend = "make it of a module with start_of(module), or of heads with Start.plain(sites).tensors"
    if not isinstance(start, Mapping) or not all(isinstance(one, Tensor) for one in start.values()):
        raise UnderstudyError(f"the start is a {type(start).__name__}, not tensors by name", mend=mend)
    if not start:
        raise UnderstudyError("the start is empty: there is nothing to learn", mend=mend)
    sizes = {name: tuple(tensor.shape) for name, tensor in start.items()}
    if len({shape[:1] for shape in sizes.values()}) > 1 or () in sizes.values():
        shown = ", ".join(f"{name} {list(shape)}" for name, shape in sizes.items())
        what = f"the tensors of the start differ in their first dimension, the number of starts ({shown})"
        raise UnderstudyError(what, mend=mend)


@contextmanager
def gradients_needed() -> Iterator[None]:
    """Gradients are kept inside, also for who adapts within ``torch.no_grad()``.

    Raises:
        UnderstudyError: within ``torch.inference_mode()``, in which nothing can have a gradient.
    """
    if torch.is_inference_mode_enabled():
        mend = "leave torch.inference_mode(); torch.no_grad() does no harm"
        raise UnderstudyError("inner steps need gradients", mend=mend)
    with torch.enable_grad():
        yield


Algorithm = Callable[[Tensors], MetaLearner]
"""A start → a learner with the settings that the tables use; a class whose settings all have defaults is one."""

ALGORITHMS: dict[str, Algorithm] = {}
_Made = TypeVar("_Made", bound=Algorithm)


def algorithm(name: str) -> Callable[[_Made], _Made]:
    """Decorator: make an algorithm known by ``name``, so that it appears in the tables.

    Raises:
        UnderstudyError: another algorithm has that name.
    """

    def register(made: _Made) -> _Made:
        if name in ALGORITHMS and ALGORITHMS[name] is not made:
            raise UnderstudyError(f"there is an algorithm '{name}' already", mend="call it otherwise")
        ALGORITHMS[name] = made
        return made

    return register
