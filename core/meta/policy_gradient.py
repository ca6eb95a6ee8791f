"""REINFORCE: learn from scores instead of answers, by the gradient of the log-probability of what was tried.

    ∇ E_{a~π} R(a) = E_{a~π} (R(a) − b) ∇ log π(a)
    b: the mean reward of the other G − 1 samples of the same prompt, or the running mean of earlier steps

Williams 1992 (theorem 1); the others' mean as baseline: Kool, van Hoof, Welling 2019, RLOO for language models Ahmadian
et al. 2024; the group of a prompt as in GRPO (Shao et al. 2024), of whose division by the deviation nothing is
taken, since it is biased. Neither baseline has seen the sample that it is taken from, so the gradient is unbiased.

Shapes: parameters [N, …]; G samples of every task, actions [N, G, …], their rewards and log-probabilities [N, G, …].
A meta-learner of it needs no algorithm of its own: :func:`policy_tasks` are tasks whose losses MAML and its kin go down
on (MAML for reinforcement learning, Finn, Abbeel, Levine 2017, algorithm 3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from ..backbone import Backbone
from ..bank import HeadBank, HeadStack, active
from ..batches import Batch, collate, decision_losses, per_row
from ..demonstrations import render
from ..errors import UnderstudyError
from ..fields import Choice, Earlier, Field, ListOf, Record
from ..heads import Head
from ..prompts import Example, Prompt
from ..reading import read
from ..rows import Call, Row
from ..running import Running
from ..trunk import upper_sites
from .learner import TaskLoss, Tasks, Tensors, gradients_needed
from .start import Start

Reward = Callable[[Prompt, Mapping[str, Any]], float]


class Policy(Protocol):
    """What acts with the parameters of each task."""

    def sample(self, parameters: Tensors, samples: int, source: torch.Generator) -> Tensor:
        """Actions [N, G, …] by the policy's own probabilities."""

    def log_probabilities(self, parameters: Tensors, actions: Tensor) -> Tensor:
        """log π of actions [N, G, …], with a graph to the parameters."""


@dataclass(frozen=True)
class Categorical:
    """One of O actions for each input: ``logits``: parameters [N, …] → [N, K, O]; actions [N, G, K]."""

    logits: Callable[[Tensors], Tensor]

    def sample(self, parameters: Tensors, samples: int, source: torch.Generator) -> Tensor:
        """See :class:`Policy`."""
        with torch.no_grad():
            chances = self.logits(parameters).softmax(-1)
        drawn = torch.multinomial(chances.flatten(0, -2), samples, replacement=True, generator=source)
        given: Tensor = drawn.unflatten(0, chances.shape[:-1]).movedim(-1, 1)
        return given

    def log_probabilities(self, parameters: Tensors, actions: Tensor) -> Tensor:
        """See :class:`Policy`."""
        logs = self.logits(parameters).log_softmax(-1).unsqueeze(1)
        return logs.expand(-1, actions.shape[1], *logs.shape[2:]).gather(-1, actions.unsqueeze(-1)).squeeze(-1)


def leave_one_out(rewards: Tensor) -> Tensor:
    """Advantages [N, G, …]: each reward less the mean of the other G − 1 of its group.

    Raises:
        UnderstudyError: a group of one, which has no others.
    """
    samples = rewards.shape[1]
    if samples < 2:
        raise UnderstudyError("a sample alone has no others to be compared with", mend="draw two or more")
    return (rewards - rewards.mean(1, keepdim=True)) * samples / (samples - 1)


def surrogate(logs: Tensor, advantages: Tensor) -> Tensor:
    """The loss of each task [N] whose gradient is that of −E R, from log-probabilities and advantages [N, G, …]."""
    return -(advantages.detach() * logs).flatten(1).mean(1)


@gradients_needed()
def policy_gradient(
    policy: Policy, reward: Callable[[Tensor], Tensor], parameters: Tensors, samples: int, source: torch.Generator,
    baseline: Tensor | None = None,
) -> tuple[dict[str, Tensor], Tensor]:  # fmt: skip
    """An unbiased estimate of ∇(−E R) of every task, and its mean reward [N].

    Args:
        reward: actions [N, G, …] → [N, G, …].
        parameters: name → [N, …] that require gradients.
        samples: G.
        baseline: b of each task [N, 1, …], which has not seen these samples; None: the mean of the others.
    """
    actions = policy.sample(parameters, samples, source)
    rewards = reward(actions)
    advantages = leave_one_out(rewards) if baseline is None else rewards - baseline
    losses = surrogate(policy.log_probabilities(parameters, actions), advantages)
    names = sorted(parameters)
    gradients = torch.autograd.grad(losses.sum(), [parameters[name] for name in names])
    return dict(zip(names, gradients, strict=True)), rewards.flatten(1).mean(1)


def policy_tasks(
    support: tuple[Policy, Callable[[Tensor], Tensor]], query: tuple[Policy, Callable[[Tensor], Tensor]], count: int,
    samples: int, source: torch.Generator,
) -> Tasks:  # fmt: skip
    """N tasks of policies with their rewards: losses are surrogates, of new samples whenever they are asked for."""

    def of(policy: Policy, reward: Callable[[Tensor], Tensor]) -> TaskLoss:
        def loss(parameters: Tensors) -> Tensor:
            actions = policy.sample(parameters, samples, source)
            return surrogate(policy.log_probabilities(parameters, actions), leave_one_out(reward(actions)))

        return loss

    return Tasks(of(*support), of(*query), count)


class SampledRow(Row):
    """A row whose answers are drawn by the head's own probabilities over what is allowed."""

    source: torch.Generator

    def pick(self, chances: Tensor) -> int:
        """One at random."""
        return int(torch.multinomial(chances, 1, generator=self.source))


def sampled(
    backbone: Backbone, head: Head, prompts: Sequence[Prompt], record: Record, source: torch.Generator
) -> list[dict[str, Any]]:
    """An answer to each prompt, drawn by the head.

    Raises:
        UnderstudyError: a prompt longer than the context, a choice without options.
    """
    bank = HeadBank(backbone.sites, head.rank)
    bank.add(head)
    readings = {prompt: read(prompt, backbone) for prompt in dict.fromkeys(prompts)}
    rows = [SampledRow(Call(one, record, head.name), backbone, head, reading=readings[one]) for one in prompts]
    for row in rows:
        row.source = source
    running = Running(backbone, bank)
    running.join(rows)
    while running.rows:
        running.step()
    for row in rows:
        if row.error is not None:
            raise row.error
    return [row.values or {} for row in rows]


def answer_logs(backbone: Backbone, tensors: Tensors, batch: Batch) -> Tensor:
    """log π [B] of the answers in a batch, by the one head of ``tensors`` (``site|down`` [1, in, R], ``site|up``)."""
    pairs = HeadStack.of_tensors(tensors).gather(torch.zeros(len(batch.ids), dtype=torch.long))
    with active(backbone.context, pairs):
        losses, _ = decision_losses(backbone, batch, backbone.hidden(batch.ids))
    return -per_row(losses, batch)


@dataclass(frozen=True)
class Reinforcement:
    """How to learn from scores: ``steps`` of Adam, each with ``samples`` answers to every prompt.

    ``baseline``: ``group``, the mean of a prompt's other answers, or ``running``, that of earlier steps, of which each
    further one counts ``1 − decay``. ``layers``: as in adaptation.
    """

    steps: int = 40
    samples: int = 8
    rate: float = 1e-2
    baseline: Literal["group", "running"] = "group"
    decay: float = 0.9
    layers: Literal["all", "top"] = "top"
    seed: int = 0


def reinforce(
    backbone: Backbone, prompts: Sequence[Prompt], record: Record, reward: Reward, start: Start,
    recipe: Reinforcement | None = None, name: str = "role", on_step: Callable[[int, float], None] | None = None,
) -> tuple[Head, tuple[float, ...]]:  # fmt: skip
    """Learn a head from the scores of its own answers; the backbone stays as it is.

    Args:
        prompts: what it is asked.
        record: the answer: choices, lists and records of them, whose probabilities are known exactly.
        reward: prompt and values → score, the higher the better; called for every answer that is drawn.
        start: where the head begins.
        on_step: called with the step and its mean reward.

    Returns:
        The head, and the mean reward of the answers of each step.

    Raises:
        UnderstudyError: a field of another kind, a reward that is not finite, no prompts, or nothing to decide.
    """
    recipe = recipe or Reinforcement()
    _require_choices(record)
    if not prompts:
        raise UnderstudyError("there is nothing to be asked", mend="give one prompt or more")
    start = start.on(upper_sites(backbone)) if recipe.layers == "top" else start
    tensors = {key: tensor.detach().clone().requires_grad_(True) for key, tensor in start.tensors.items()}
    optimiser = torch.optim.Adam(list(tensors.values()), lr=recipe.rate)
    about = {"name": backbone.name, "digest": backbone.digest()}
    head = Head.of_stack(name, HeadStack.of_tensors(tensors), backbone=about, invocation=backbone.markers.role)
    source = torch.Generator().manual_seed(recipe.seed)
    every = [prompt for prompt in prompts for _ in range(recipe.samples)]
    means: list[float] = []
    running: float | None = None
    for step in range(recipe.steps):
        answers = sampled(backbone, head, every, record, source)
        rewards = torch.tensor([float(reward(*one)) for one in zip(every, answers, strict=True)])
        if not bool(rewards.isfinite().all()):
            number = int((~rewards.isfinite()).nonzero()[0]) // recipe.samples + 1
            raise UnderstudyError("the reward is not finite", where=f"prompt {number}", mend="give a number as score")
        means.append(float(rewards.mean()))
        if recipe.baseline == "group":
            advantages = leave_one_out(rewards.view(len(prompts), -1)).flatten()
        else:
            advantages = rewards - (running or 0.0)
            running = means[-1] if running is None else recipe.decay * running + (1 - recipe.decay) * means[-1]
        batch, whose = _distinct(backbone, [Example(p, record, v) for p, v in zip(every, answers, strict=True)])
        if not len(batch.row):
            raise UnderstudyError("the record leaves nothing to decide", mend="give its choices two options or more")
        optimiser.zero_grad()
        logs = answer_logs(backbone, tensors, batch)[whose]
        surrogate(logs.unsqueeze(0), advantages.unsqueeze(0)).sum().backward()
        optimiser.step()
        head = replace(head, pairs=Head.of_stack(name, HeadStack.of_tensors(tensors)).pairs)
        if on_step:
            on_step(step, means[-1])
    return head, tuple(means)


def _distinct(backbone: Backbone, examples: Sequence[Example]) -> tuple[Batch, Tensor]:
    """A batch of the examples that differ, since samples often are the same; and which of them each one is."""
    numbers: dict[str, int] = {}
    whose = [numbers.setdefault(repr(example), len(numbers)) for example in examples]
    firsts = [examples[whose.index(number)] for number in range(len(numbers))]
    return collate([render(one, backbone) for one in firsts], backbone.markers.pad), torch.tensor(whose)


def _require_choices(field: Field, path: str = "") -> None:
    if isinstance(field, Record):
        for name, inner in field.fields:
            _require_choices(inner, f"{path}.{name}" if path else name)
    elif isinstance(field, ListOf):
        _require_choices(field.item, path + "[]")
    elif not isinstance(field, Choice | Earlier):
        what = f"field {path!r} is no choice, so its answers have no exact probability"
        raise UnderstudyError(what, mend="take choices, earlier items, lists and records of them")
