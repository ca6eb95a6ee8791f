"""Prototypes: a class is the mean of its demonstrations' features, and the nearest class is the answer.

    c_k = mean of f(x) over the support of class k          p(k | x) ∝ exp(−|f(x) − c_k|²) ∝ exp(2 c_k·f(x) − |c_k|²)

Snell, Swersky, Zemel 2017, Prototypical Networks: the squared distance makes it a linear layer of weight 2c, bias
−|c|². So what is adapted is the module's last layer, in closed form; what lies before it is learned through the query
loss, and dropout thins that alone.
Shapes: features [N, K, D], classes [N, K] as integers, prototypes [N, C, D].
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ..errors import UnderstudyError
from .anil import last_module
from .learner import Tasks, Tensors, algorithm, spread
from .outer import Outer


def prototypes(features: Tensor, classes: Tensor, count: int) -> Tensor:
    """The mean feature of each class, [N, C, D]. Raises UnderstudyError where a class has no example."""
    members = one_hot(classes, count).to(features)
    sizes = members.sum(1)
    if not bool(sizes.all()):
        task, missing = (int(index) for index in (sizes == 0).nonzero()[0])
        mend = "show at least one of each"
        raise UnderstudyError(f"class {missing} has no demonstration", where=f"task {task}", mend=mend)
    return torch.einsum("nkc,nkd->ncd", members, features) / sizes.unsqueeze(2)


def nearest(centres: Tensor) -> tuple[Tensor, Tensor]:
    """The linear layer that tells the nearest centre: [N, C, D] → weight [N, C, D] and bias [N, C]."""
    return 2 * centres, -centres.square().sum(2)


@algorithm("prototype")
class Prototype(Outer):
    """Of a module whose last part is a linear layer with a bias, over classes; the start's own last layer is not used.

    Args:
        start: name → [S, …], in the module's order.
        **settings: see :class:`.outer.Outer`.

    Raises:
        UnderstudyError: the last part is something else, or the tasks do not show their outputs and classes.
    """

    def __init__(self, start: Tensors, **settings: Any) -> None:
        super().__init__(start, **settings)
        dimensions = {start[name].ndim: name for name in last_module(start)}
        if set(dimensions) != {2, 3}:
            mend = "end the module with torch.nn.Linear"
            raise UnderstudyError("prototypes need a linear layer with a bias at the end", mend=mend)
        self.weight, self.bias = dimensions[3], dimensions[2]

    def features(self, tasks: Tasks, parameters: Tensors) -> Tensor:
        """What the last layer is given for the support, [N, K, D]: its outputs when it changes nothing."""
        if tasks.support_outputs is None:
            mend = "make the tasks with module_tasks"
            raise UnderstudyError("the tasks do not show the outputs on their support", mend=mend)
        width = parameters[self.weight].shape[2]
        same = torch.eye(width, dtype=parameters[self.weight].dtype).expand(tasks.count, width, width)
        return tasks.support_outputs({**parameters, self.weight: same, self.bias: same.new_zeros(tasks.count, width)})

    def headed(self, tasks: Tasks) -> dict[str, Tensor]:
        """The start for each task [N, …], with the last layer that its prototypes make; gradients reach the start."""
        parameters = spread(self.start, tasks.count)
        classes = tasks.data.get("support_y")
        if classes is None or classes.is_floating_point():
            raise UnderstudyError("prototypes need classes", mend="give the support's targets as integers from 0 on")
        centres = prototypes(self.features(tasks, parameters), classes, parameters[self.bias].shape[1])
        weight, bias = nearest(centres)
        return {**parameters, self.weight: weight, self.bias: bias}

    def thin(self) -> Tensors:
        """All but the last layer, in whose place the prototypes are."""
        return {name: tensor for name, tensor in self.start.items() if name not in (self.weight, self.bias)}

    def descend(self, tasks: Tasks) -> dict[str, float]:
        """Down the query loss of the nearest prototype."""
        loss = tasks.query(self.headed(tasks)).mean()
        (loss * self.starts).backward()
        return {"loss": float(loss.detach())}

    @torch.no_grad()
    def adapt(self, tasks: Tasks, steps: int | None = None) -> dict[str, Tensor]:
        """The prototypes of the support; there are no steps to choose."""
        return self.headed(tasks)
