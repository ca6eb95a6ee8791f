"""Adaptation: a head from a handful of demonstrations, with an honest report.

The head and its leave-one-out folds adapt in one batch through the bank: fold f learns from all demonstrations but
those left out of it, and its loss on them says when to stop, how often the head will be right, and under which
confidence it should abstain.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from .backbone import Backbone
from .bank import HeadBank, HeadStack, active
from .batches import Batch, collate, decision_losses
from .decoding import Call, Decoder, Reply
from .demonstrations import render
from .errors import UnderstudyError
from .heads import Head
from .intervals import wilson
from .meta.start import Start
from .prompts import Example, Prompt

Wrong = Callable[[Mapping[str, Any], Mapping[str, Any]], bool]


@dataclass(frozen=True)
class Report:
    """What learning measured.

    Attributes:
        accuracy: share of left-out demonstrations answered right as a whole, with ``low`` and ``high``, its 95 %
            Wilson interval.
        demonstrations: how many there were; folds: how many heads were left-one-out.
        steps: inner steps taken; ``losses`` are the left-out losses before and after each step.
        seconds: wall time.
        threshold: confidence under which the role abstains; ``answered`` the share of left-out ones above it.
        disagree: 1-based numbers of the demonstrations that the others contradict with confidence.
    """

    accuracy: float
    low: float
    high: float
    demonstrations: int
    folds: int
    steps: int
    losses: tuple[float, ...]
    seconds: float
    threshold: float
    answered: float
    disagree: tuple[int, ...]

    def document(self) -> dict[str, Any]:
        """The report as JSON-ready values."""
        return asdict(self)


def adapt(
    backbone: Backbone,
    examples: Sequence[Example],
    start: Start,
    name: str = "role",
    steps: int = 12,
    folds: int = 10,
    on_step: Callable[[int, int, float], None] | None = None,
) -> tuple[Head, Report]:
    """Learn a head from demonstrations.

    Args:
        backbone: stays as it is.
        examples: the demonstrations, two at least.
        start: where the head begins, with its learned rates (plain Adam where it has none).
        steps: at most this many inner steps; the left-out loss decides how many are kept.
        folds: at most this many leave-one-out heads; with more demonstrations each leaves several out.
        on_step: called with (step, steps, left-out loss).

    Raises:
        UnderstudyError: fewer than two demonstrations, one that is too long or does not fit its schema, or a loss
            that is not finite; the message names the demonstration.
    """
    began = time.perf_counter()
    if len(examples) < 2:
        raise UnderstudyError(f"{len(examples)} demonstration(s) given", mend="give at least two, better eight or more")
    rendered = []
    for number, example in enumerate(examples, start=1):
        try:
            rendered.append(render(example, backbone))
        except UnderstudyError as error:
            raise UnderstudyError(error.what, where=f"demonstration {number}", mend=error.mend) from error
        if (length := len(rendered[-1].ids)) > backbone.max_tokens:
            what = f"message and answer have {length} tokens, but the backbone reads {backbone.max_tokens}"
            raise UnderstudyError(what, where=f"demonstration {number}", mend="shorten it")
    if not any(one.decisions for one in rendered):
        raise UnderstudyError("the demonstrations leave nothing to decide", mend="give fields with a choice in them")
    count = min(folds, len(examples))
    # Drawn, not counted off: demonstrations are often written in turns, and a fold would leave out one label alone.
    out = torch.randperm(len(examples), generator=torch.Generator().manual_seed(0)) % count
    heads = count + 1  # the last one learns from all
    batch = collate(rendered * heads, backbone.markers.pad)
    head_of = torch.arange(heads).repeat_interleave(len(examples))
    left_out = torch.cat([out == fold for fold in range(count)] + [torch.zeros(len(examples), dtype=torch.bool)])

    stack = start.stack().repeat(heads)
    snapshots, losses = _learn(backbone, batch, head_of, left_out, stack, start, steps, on_step)
    best = min(range(len(losses)), key=losses.__getitem__)
    kept = snapshots[best]

    replies = _left_out_replies(backbone, examples, kept, out)
    right = [_same(r.values, e.values) for r, e in zip(replies, examples, strict=True)]
    confidences = [reply.confidence for reply in replies]
    threshold = abstention_threshold(confidences, right)
    low, high = wilson(sum(right), len(right))
    report = Report(
        accuracy=sum(right) / len(right),
        low=low,
        high=high,
        demonstrations=len(examples),
        folds=count,
        steps=best,
        losses=tuple(losses),
        seconds=time.perf_counter() - began,
        threshold=threshold,
        answered=sum(c >= threshold for c in confidences) / len(confidences),
        disagree=tuple(i for i, (ok, c) in enumerate(zip(right, confidences, strict=True), 1) if not ok and c > 0.9),
    )
    about = {"name": backbone.name, "digest": backbone.digest()}
    head = Head.of_stack(name, kept, count, backbone=about, threshold=threshold, report=report.document())
    return head, report


def _learn(
    backbone: Backbone,
    batch: Batch,
    head_of: Tensor,
    left_out: Tensor,
    stack: HeadStack,
    start: Start,
    steps: int,
    on_step: Callable[[int, int, float], None] | None,
) -> tuple[list[HeadStack], list[float]]:
    """Step all heads together; returns the stack and the mean left-out loss before the first and after each step."""
    heads = len(stack)
    flat = stack.tensors()
    names = sorted(flat)
    adam = None if start.rates else torch.optim.Adam(list(flat.values()), lr=3e-3)
    decision_head = head_of[batch.row]
    decision_out = left_out[batch.row]
    learned = torch.zeros(heads).index_add(0, decision_head, (~decision_out).float()).clamp(min=1)
    snapshots: list[HeadStack] = []
    losses: list[float] = []
    for step in range(steps + 1):
        with torch.autocast("cpu", torch.bfloat16), active(backbone.context, stack.grouped()):
            values, _ = decision_losses(backbone, batch, backbone.hidden(batch.ids))
        held = float(values.detach()[decision_out].mean())
        if not math.isfinite(held):
            row = int(batch.row[decision_out & ~values.isfinite()][0]) % (len(head_of) // heads)
            what = f"the loss of the demonstration is not finite (at step {step})"
            raise UnderstudyError(what, where=f"demonstration {row + 1}", mend="check it, and the start's rates")
        snapshots.append(HeadStack.of_tensors({n: t.detach().clone() for n, t in flat.items()}))
        losses.append(held)
        if on_step:
            on_step(step, steps, held)
        if step == steps or (step >= 4 and min(losses[-4:]) > min(losses[:-4])):
            break
        each = torch.zeros(heads).index_add(0, decision_head, values * ~decision_out) / learned
        gradients = torch.autograd.grad(each.sum(), [flat[n] for n in names])
        with torch.no_grad():
            for name, gradient in zip(names, gradients, strict=True):
                if start.rates:
                    flat[name] -= start.rates[name] * gradient
                else:
                    flat[name].grad = gradient
        if adam:
            adam.step()
    return snapshots, losses


def _left_out_replies(backbone: Backbone, examples: Sequence[Example], stack: HeadStack, out: Tensor) -> list[Reply]:
    """Every demonstration answered by the fold that has not learned from it, all folds in one batch."""
    bank = HeadBank(backbone.sites, rank=next(iter(stack.up.values())).shape[1])
    for fold in range(len(stack) - 1):
        bank.add(Head.of_stack(f"fold {fold}", stack, fold))
    calls = [Call(e.prompt, e.record, f"fold {int(fold)}") for e, fold in zip(examples, out, strict=True)]
    return Decoder(backbone, bank, batch=32).decode(calls)


def _same(values: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Equal field by field; spans count as equal when their text is."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: plain(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [plain(one) for one in value]
        return getattr(value, "text", value)

    return all(plain(values.get(name)) == plain(value) for name, value in wanted.items())


def abstention_threshold(confidences: Sequence[float], right: Sequence[bool], error: float = 0.1) -> float:
    """The least confidence at which at most ``error`` of the answers given would have been wrong.

    Chosen on the left-out demonstrations; 0 when no threshold is needed, and above the highest wrong confidence when
    none keeps the error.
    """
    for threshold in [0.0, *sorted(set(confidences))]:
        answered = [ok for c, ok in zip(confidences, right, strict=True) if c >= threshold]
        if answered and answered.count(False) / len(answered) <= error:
            return threshold
    return min(1.0, max(confidences) + 1e-6)


def empty(prompt: Prompt) -> Prompt:
    """The same prompt with an empty message: what the head would say before it has read anything."""
    return Prompt((), (), tuple((name, "") for name, _ in prompt.message), prompt.role)
