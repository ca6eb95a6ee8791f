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


def alike(given: Tensor, expected: Tensor) -> bool:
    """Whether both [N, K, C] are the same but for rounding, which is told from the largest value of each task."""
    if given.shape != expected.shape:
        return False
    size = expected.abs().amax((1, 2), keepdim=True)
    return bool(((given - expected).abs() <= max(0.01, 4 * torch.finfo(given.dtype).eps) * size).all())


@algorithm("prototype")
class Prototype(Outer):
    """Of a module whose last part is a linear layer with a bias, over classes; the start's own last layer is not used.

    That layer is the last one declared, and the last thing that the module does: on the first tasks it is looked
    whether a last layer at random gives what it should.

    Args:
        start: name → [S, …], in the module's order.
        **settings: see :class:`.outer.Outer`.

    Raises:
        UnderstudyError: the last part is something else; given tasks: something comes after that layer (a softmax, a
            scale, another layer), or they do not show their outputs and classes.
    """

    changing = Outer.changing | {"checked"}

    def __init__(self, start: Tensors, **settings: Any) -> None:
        super().__init__(start, **settings)
        self.checked = False
        dimensions = {start[name].ndim: name for name in last_module(start)}
        if set(dimensions) != {2, 3}:
            mend = "end the module with torch.nn.Linear"
            raise UnderstudyError("prototypes need a linear layer with a bias at the end", mend=mend)
        self.weight, self.bias = dimensions[3], dimensions[2]

    def features(self, tasks: Tasks, parameters: Tensors) -> Tensor:
        """What the last layer is given for the support, [N, K, D]: its outputs when it changes nothing."""
        width = parameters[self.weight].shape[2]
        same = torch.eye(width, dtype=parameters[self.weight].dtype).expand(tasks.count, width, width)
        return self._given(tasks, parameters, same, same.new_zeros(tasks.count, width))

    def _given(self, tasks: Tasks, parameters: Tensors, weight: Tensor, bias: Tensor) -> Tensor:
        """The outputs on the support with this last layer, [N, C, D] and [N, C]."""
        if tasks.support_outputs is None:
            mend = "make the tasks with module_tasks"
            raise UnderstudyError("the tasks do not show the outputs on their support", mend=mend)
        return tasks.support_outputs({**parameters, self.weight: weight, self.bias: bias})

    @torch.no_grad()
    def check(self, tasks: Tasks, parameters: Tensors) -> None:
        """That the last layer is the last thing that happens: f(x; W, b) = features · Wᵀ + b for W, b at random.

        First with W = 0, which is b whatever the features, and needs no layer of another shape. Tasks whose outputs are
        not finite tell nothing; the next ones are then looked at. Nobody else's random numbers are drawn, and a body
        that draws some draws the same each time.

        Raises:
            UnderstudyError: something comes after it.
        """
        source = torch.Generator().manual_seed(0)
        shapes = [parameters[name].shape for name in (self.weight, self.bias)]
        weight, bias = (torch.randn(shape, generator=source).to(parameters[self.weight]) for shape in shapes)
        with torch.random.fork_rng(devices=[]):
            alone = self._given(tasks, parameters, torch.zeros_like(weight), bias)
        if not bool(alone.isfinite().all()):
            return
        mend = "end the module with that layer, declared and run last, and put a softmax or a scale into the loss"
        after = UnderstudyError(f"the module does something after its last linear layer, {self.weight}", mend=mend)
        if not alike(alone, bias.unsqueeze(1).expand(-1, alone.shape[1], -1)):
            raise after
        try:
            with torch.random.fork_rng(devices=[]):
                features = self.features(tasks, parameters)
        except RuntimeError as error:  # what comes after takes no other number of outputs
            raise after from error
        if features.shape != (*alone.shape[:2], weight.shape[2]):
            raise after
        largest = features.abs().amax((1, 2), keepdim=True).clamp(min=torch.finfo(features.dtype).eps)
        weight = weight / largest  # features · Wᵀ is then about as large as b
        with torch.random.fork_rng(devices=[]):
            given = self._given(tasks, parameters, weight, bias)
        if not alike(given, features @ weight.mT + bias.unsqueeze(1)):
            raise after
        self.checked = True

    def headed(self, tasks: Tasks) -> dict[str, Tensor]:
        """The start for each task [N, …], with the last layer that its prototypes make; gradients reach the start."""
        parameters = spread(self.start, tasks.count)
        classes = tasks.data.get("support_y")
        if classes is None or classes.is_floating_point():
            raise UnderstudyError("prototypes need classes", mend="give the support's targets as integers from 0 on")
        if not self.checked:
            self.check(tasks, parameters)
        centres = prototypes(self.features(tasks, parameters), classes, parameters[self.bias].shape[1])
        weight, bias = nearest(centres)
        return {**parameters, self.weight: weight, self.bias: bias}

    def thin(self) -> Tensors:
        """All but the last layer, in whose place the prototypes are."""
        return {name: tensor for name, tensor in self.start.items() if name not in (self.weight, self.bias)}

    def descend(self, tasks: Tasks) -> dict[str, float]:
        """Down the query loss of the nearest prototype. Raises UnderstudyError where no other layer learns."""
        if not self.thin():
            mend = "let some layer before it learn; to adapt needs no learning"
            raise UnderstudyError("nothing but the last layer learns, which prototypes do without", mend=mend)
        loss = tasks.query(self.headed(tasks)).mean()
        (loss * self.starts).backward()
        return {"loss": float(loss.detach())}

    @torch.no_grad()
    def adapt(self, tasks: Tasks, steps: int | None = None) -> dict[str, Tensor]:
        """The prototypes of the support; there are no steps to choose."""
        return self.headed(tasks)
