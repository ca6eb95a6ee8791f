"""Tasks of any module, and of heads on a backbone: both are N tasks side by side, in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from weakref import WeakSet

import torch
from torch import Tensor
from torch.func import functional_call, vmap
from torch.nn.functional import mse_loss

from ..backbone import Backbone
from ..errors import UnderstudyError
from ..prompts import Example
from .examples import check_examples, check_losses, check_module, check_outputs, check_parameters
from .learner import TaskLoss, Tasks, Tensors
from .training import Episode, stack_episodes, stacked_loss
from .written_out import written_out

Pair = tuple[Tensor, Tensor]


def start_of(module: torch.nn.Module) -> dict[str, Tensor]:
    """The module's parameters as a start: name → [1, …], copied; those that need no gradient stay the module's own.

    Raises:
        UnderstudyError: no parameter needs a gradient.
    """
    found = {name: p.detach().clone().unsqueeze(0) for name, p in module.named_parameters() if p.requires_grad}
    if not found:
        mend = "call module.requires_grad_(True), or freeze fewer"
        raise UnderstudyError("no parameter of the module learns", where=type(module).__name__, mend=mend)
    return found


def module_tasks(
    module: torch.nn.Module, support: Pair, query: Pair, loss: Callable[[Tensor, Tensor], Tensor]
) -> Tasks:
    """N tasks of a module: its parameters are those that a learner gives, its buffers and frozen parameters its own.

    What ``vmap`` cannot run side by side (an LSTM, a module whose way depends on its data) is run task after task.

    Args:
        support, query: inputs [N, K, …] and targets [N, K, …]: what N tasks show, K examples each, and what they ask.
        loss: outputs and targets of one task → scalar, as ``torch.nn.functional.mse_loss``.

    Raises:
        UnderstudyError: the tensors are not N tasks, or the module is random or keeps running statistics.
    """
    chain = written_out(module)
    check_module(module)
    check_examples(module, support, query, chain is not None, loss)

    def of(inputs: Tensor, targets: Tensor) -> TaskLoss:
        asked: list[None] = []

        def of_all(parameters: Tensors) -> Tensor:
            if not asked:
                check_parameters(module, parameters, inputs, chain is not None)
            if chain is None or not names <= parameters.keys():
                given = outputs(module, parameters, inputs)
            else:
                given = chain(parameters, inputs)
            if not asked:
                check_outputs(loss, given, targets)
                asked.append(None)
            if loss is mse_loss:
                return (given - targets).square().flatten(1).mean(1)
            losses = _losses(loss, given, targets)
            check_losses(losses, len(given))
            return losses

        return of_all

    names = {name for name, _ in module.named_parameters()}
    data = {"support_x": support[0], "support_y": support[1], "query_x": query[0], "query_y": query[1]}
    shown = partial(outputs, module, inputs=support[0])
    return Tasks(of(*support), of(*query), len(support[0]), data, loss, shown)


def _losses(loss: Callable[[Tensor, Tensor], Tensor], given: Tensor, targets: Tensor) -> Tensor:
    """The loss of each task; one that ``vmap`` cannot run (it looks at its data) is asked for one after the other."""
    try:
        side_by_side: Tensor = vmap(loss)(given, targets)
        return side_by_side
    except (RuntimeError, ValueError) as error:
        if not _for_vmap(error):
            raise
    return torch.stack([loss(one, target) for one, target in zip(given, targets, strict=True)])


def _for_vmap(error: Exception) -> bool:
    return any(word in str(error) for word in ("vmap", "Batching rule"))


_IN_TURN: WeakSet[torch.nn.Module] = WeakSet()
"""Modules that ``vmap`` cannot run."""


def outputs(module: torch.nn.Module, parameters: Tensors, inputs: Tensor) -> Tensor:
    """What the module gives for each task's inputs [N, K, …] with that task's parameters [N, …].

    Raises:
        UnderstudyError: ``vmap`` cannot run the module, and it changes by being asked, so that no task is alone.
    """

    def one(own: dict[str, Tensor], x: Tensor) -> Tensor:
        given: Tensor = functional_call(module, own, (x,))
        return given

    if module not in _IN_TURN:
        try:
            side_by_side: Tensor = vmap(one, randomness="different")(dict(parameters), inputs)
            return side_by_side
        except (RuntimeError, ValueError) as error:
            if not _for_vmap(error):
                raise
    before = {name: buffer._version for name, buffer in module.named_buffers()}
    tasks = [{name: tensor[number] for name, tensor in parameters.items()} for number in range(len(inputs))]
    given = torch.stack([one(own, x) for own, x in zip(tasks, inputs, strict=True)])
    for name, buffer in module.named_buffers():
        if buffer._version != before[name]:
            what = f"the module changes its buffer {name!r} by being asked"
            mend = "make one that keeps no account, or call .eval()"
            raise UnderstudyError(what, where=type(module).__name__, mend=mend)
    _IN_TURN.add(module)
    return given


def head_tasks(backbone: Backbone, episodes: Sequence[Episode], sites: Iterable[str] = (), rows: int = 0) -> Tasks:
    """N tasks of heads through the bank: each has (support, query) examples; see :func:`.training.stacked_loss`.

    Args:
        episodes: of each task the examples that are shown and those that are asked, as ``Role.examples()`` gives them;
            as many as there are, which may be others in each.
        sites: those of the heads, as :func:`..trunk.upper_sites` gives them: what lies below them is run once.
        rows: of an inner step, how many are in memory at a time; 0 for all.

    Raises:
        UnderstudyError: a task shows or asks nothing, or there is no such site; asked for its loss, for heads that have
            sites beside ``sites``.
    """
    wanted = tuple(sites)
    if strange := [site for site in wanted if site not in backbone.sites]:
        mend = "give upper_sites(backbone), or no sites"
        raise UnderstudyError(f"{backbone.name} has no site {strange[0]!r}", mend=mend)
    if not episodes:
        raise UnderstudyError("there are no tasks", mend="give (support, query) examples of each")
    for number, episode in enumerate(episodes):
        for name, side in zip(("shows", "asks"), episode, strict=True):
            if not side:
                raise UnderstudyError(f"task {number} {name} nothing", mend="give (support, query) examples of each")
            if not all(isinstance(one, Example) for one in side):
                mend = "give Role.examples(), which are demonstrations as the backbone reads them"
                raise UnderstudyError(f"task {number} {name} what is no Example", mend=mend)

    def of(side: int) -> TaskLoss:
        batch, task = stack_episodes(backbone, [episode[side] for episode in episodes])
        return stacked_loss(backbone, batch, task, len(episodes), wanted, rows)

    return Tasks(of(0), of(1), len(episodes))
