"""Examples of a module's tasks, checked before anything is learned from them: shapes, kinds, and what a module holds.

What a task is made of is inputs [N, K, …] and targets [N, K, …], N tasks of K examples each. A tensor that lacks the
task's dimension, or targets that broadcast, would run as well, and mean something else.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from ..errors import UnderstudyError
from .learner import Tensors

IGNORED = -100
"""The class that cross_entropy leaves out."""
SHAPE = "[N, K, …]: N tasks, of K examples each"


def check_module(module: nn.Module) -> None:
    """Raise UnderstudyError where a module is random, or changes by being asked: each task would be another's noise."""
    for name, part in module.named_modules():
        where = f"{name or 'the module'} ({type(part).__name__})"
        if part.training and _random(part):
            mend = "call module.eval(), and give the learner dropout=… instead, which a run that goes on repeats"
            raise UnderstudyError("the module is random in training", where=where, mend=mend)
        if isinstance(part, nn.modules.batchnorm._NormBase) and part.training and part.track_running_stats:
            mend = "make it with track_running_stats=False, so that each task has its own statistics, or call .eval()"
            raise UnderstudyError("running statistics cannot be kept for N tasks", where=where, mend=mend)


def _random(part: nn.Module) -> bool:
    """Whether this part by itself draws at random in training."""
    if isinstance(part, nn.RReLU):
        return True
    if isinstance(part, nn.modules.dropout._DropoutNd):
        return part.p > 0
    dropped = getattr(part, "dropout", 0.0)  # of recurrent layers, between them, and of attention
    return isinstance(dropped, float) and dropped > 0 and getattr(part, "num_layers", 2) > 1


def check_examples(module: nn.Module, support: Any, query: Any, chain: bool, loss: Any) -> None:
    """Raise UnderstudyError where the four tensors cannot be N tasks.

    Args:
        support, query: inputs and targets, as they were given.
        chain: the module is a plain chain of linear layers.
        loss: where it is one of torch's own, each example has a target; another may take one for a whole task.
    """
    sides = {"support": support, "query": query}
    for name, side in sides.items():
        if not isinstance(side, tuple | list) or len(side) != 2:
            raise UnderstudyError(f"the {name} is not a pair", mend="give (inputs, targets)")
        for kind, tensor in zip(("inputs", "targets"), side, strict=True):
            if not isinstance(tensor, Tensor):
                mend = "stack tasks with as many examples by torch.stack; others go into a batch of their own"
                raise UnderstudyError(f"the {name}'s {kind} are no tensor but {type(tensor).__name__}", mend=mend)
        shapes = " and ".join(str(list(tensor.shape)) for tensor in side)
        depth = 2 if loss in (mse_loss, cross_entropy) else 1
        if side[0].ndim < 2 or side[1].ndim < depth or side[0].shape[:depth] != side[1].shape[:depth]:
            mend = f"both are {SHAPE}"
            raise UnderstudyError(f"the {name}'s inputs and targets do not fit ({shapes})", mend=mend)
        if not side[0].shape[0] or not side[0].shape[1]:
            raise UnderstudyError(f"the {name} has no examples ({shapes})", mend=f"give some; both are {SHAPE}")
        first = next((part for part in module.modules() if isinstance(part, nn.Linear)), None)
        if chain and first is not None and (side[0].ndim < 3 or side[0].shape[-1] != first.in_features):
            what = f"the {name}'s inputs are {list(side[0].shape)}"
            raise UnderstudyError(what, mend=f"give [N, K, {first.in_features}]: N tasks, of K examples each")
    if len(support[0]) != len(query[0]):
        mend = "both have the same tasks, in the same order"
        raise UnderstudyError(f"{len(support[0])} tasks are shown and {len(query[0])} asked", mend=mend)


def check_outputs(loss: Any, outputs: Tensor, targets: Tensor) -> None:
    """Raise UnderstudyError where torch's own losses would broadcast the targets [N, K, …], or cannot take them."""
    shapes = f"outputs {list(outputs.shape)}, targets {list(targets.shape)}"
    if loss is mse_loss and outputs.shape != targets.shape:
        raise UnderstudyError(f"mse_loss would compare what does not belong together ({shapes})",
                              mend="give targets of the outputs' shape")  # fmt: skip
    if loss is not cross_entropy or outputs.ndim != 3 or targets.shape == outputs.shape:
        return
    if targets.dtype is not torch.long or targets.ndim != 2:
        what = f"cross_entropy cannot take these targets ({shapes}, {targets.dtype})"
        raise UnderstudyError(what, mend="give classes [N, K] as torch.long")
    classes, counted = outputs.shape[2], targets[targets != IGNORED]
    if strange := counted[(counted < 0) | (counted >= classes)].tolist():
        what = f"class {strange[0]} is asked of a module with {classes} outputs"
        raise UnderstudyError(what, mend=f"number classes from 0 to {classes - 1}")


def check_parameters(module: nn.Module, parameters: Tensors, inputs: Tensor, chain: bool) -> None:
    """Raise UnderstudyError where parameters are not those of the module, or of another kind of number than inputs.

    What is frozen in the module may be left out.
    """
    known = {name: parameter.requires_grad for name, parameter in module.named_parameters()}
    if strange := sorted(set(parameters) - set(known)):
        raise UnderstudyError(f"the module has no parameter {strange[0]!r}", mend="begin with start_of(module)")
    if missing := sorted(name for name, learns in known.items() if learns and name not in parameters):
        mend = "begin with start_of(module); what is not to learn has requires_grad False"
        raise UnderstudyError(f"the parameters lack {missing[0]!r}, which the module has", mend=mend)
    if strange := sorted(name for name, tensor in parameters.items() if tensor.ndim and len(tensor) != len(inputs)):
        what = f"{strange[0]!r} is of {len(parameters[strange[0]])} tasks, the inputs of {len(inputs)}"
        raise UnderstudyError(what, mend="give each task its own (learner.spread)")
    kinds = {tensor.dtype for tensor in parameters.values() if tensor.is_floating_point()}
    if chain and len(kinds) == 1 and inputs.dtype not in kinds and not torch.is_autocast_enabled("cpu"):
        kind = next(iter(kinds))
        raise UnderstudyError(f"the inputs are {inputs.dtype}, the parameters {kind}", mend=f"give inputs.to({kind})")


def check_losses(losses: Tensor, tasks: int) -> None:
    """Raise UnderstudyError where there is not one loss for each task."""
    if losses.shape != (tasks,):
        what = f"the loss gives {list(losses.shape[1:])} for a task, not one number"
        raise UnderstudyError(what, mend="give one that takes the mean, as torch.nn.functional.mse_loss")
