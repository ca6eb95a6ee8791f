"""Adaptation: heads from handfuls of demonstrations, with an honest report.

The heads of all roles and their leave-one-out folds adapt in one batch through the bank: fold f learns from all
demonstrations but those left out of it, and its loss on them says when to stop, how much the readout counts, how often
the head will be right, and under which confidence it should abstain.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from .abstention import calibrated_threshold
from .backbone import Backbone
from .bank import HeadBank
from .decoding import Call, Decoder, Reply
from .folds import Cohort
from .heads import Head
from .intervals import wilson
from .meta.start import Start
from .prompts import Example
from .reading_out import reads_out, with_readouts
from .teaching import teach
from .trunk import upper_sites

Activation = Literal["row", "marker"]
Layers = Literal["all", "top"]
STEPS = 12
FEW = 4
"""Inner steps, and those of roles whose fields can all be read out: these the language model hardly ever answers. With
heads of three starts, 12 steps each, all tasks of docs/few-shot.md were answered alike, and nine with 4 and with 12."""


@dataclass(frozen=True)
class Report:
    """What learning measured.

    Attributes:
        accuracy: share of left-out demonstrations answered right as a whole, with ``low`` and ``high``, its 95 %
            Wilson interval.
        demonstrations: how many there were; folds: how many heads were left-one-out.
        steps: inner steps taken; ``losses`` are the left-out losses before and after each step.
        seconds: wall time (of all roles that were learned together).
        threshold: confidence under which the role abstains, chosen on the same left-out answers so that a fifth of what
            it answers is expected to be wrong at most; ``answered`` the share of them above it.
        disagree: 1-based numbers of the demonstrations that the others contradict with confidence.
        mix: field → weights of the language model, of the readout, and of the language model's prior.
        left_out: of each demonstration, the confidence with which it was answered when it was left out, and whether
            that was right.
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
    mix: Mapping[str, tuple[float, float, float]]
    left_out: tuple[tuple[float, bool], ...] = ()

    def document(self) -> dict[str, Any]:
        """The report as JSON-ready values, None for what is not known."""
        plain = {name: None if value != value else value for name, value in asdict(self).items()}
        return plain | {"losses": [None if loss != loss else loss for loss in self.losses]}


def adapt(
    backbone: Backbone, examples: Sequence[Example], start: Start, name: str = "role", **options: Any
) -> tuple[Head, Report]:
    """Learn a head from demonstrations: :func:`adapt_many` for one role."""
    return adapt_many(backbone, {name: examples}, start, **options)[name]


def adapt_many(
    backbone: Backbone,
    roles: Mapping[str, Sequence[Example]],
    start: Start,
    *,
    steps: int | None = None,
    folds: int = 10,
    layers: Layers = "top",
    activation: Activation = "row",
    readout: bool = True,
    on_step: Callable[[int, int, float], None] | None = None,
) -> dict[str, tuple[Head, Report]]:
    """Learn the heads of many roles in one batch.

    Args:
        backbone: stays as it is.
        roles: name → demonstrations, two of each at least.
        start: where the heads begin, with its learned rates (plain Adam where it has none).
        steps: at most this many inner steps; each role's left-out loss decides how many are kept. ``STEPS`` where none
            are given, ``FEW`` where readouts and pointers can answer every field of every role.
        folds: at most this many leave-one-out heads; with more demonstrations each leaves several out. With 0 nothing
            is left out: all steps are taken, the readout counts as it does on the whole, and nothing is known of how
            often the head is right (NaN) or under which confidence it should abstain (0).
        layers: ``top``, the upper third alone, for which what lies below is computed once, or ``all``.
        activation: ``row``, active everywhere, or ``marker``, from the role marker on, so that roles can share the
            cache of what comes before.
        readout: let a classifier on vector and tokens take part in choices, and a pointer find spans of the message,
            where left-out demonstrations do not say plainly otherwise.
        on_step: called with (step, steps, left-out loss).

    Raises:
        UnderstudyError: fewer than two demonstrations, one that is too long or does not fit its schema, or a loss
            that is not finite; the message names the demonstration, and the role where there are several.
    """
    began = time.perf_counter()
    if not roles:
        return {}
    several = len(roles) > 1
    cohorts = [
        Cohort.of(name, examples, backbone, folds, name if several else "") for name, examples in roles.items()
    ]
    if layers == "top":
        start = start.on(upper_sites(backbone))
    if steps is None:
        steps = FEW if readout and all(reads_out(backbone, cohort) for cohort in cohorts) else STEPS
    taught = teach(backbone, cohorts, start, steps, activation=activation, on_step=on_step)
    about = {"name": backbone.name, "digest": backbone.digest()}
    learned: dict[str, list[Head]] = {}
    more: dict[str, Any] = {"backbone": about, "activation": activation, "invocation": backbone.markers.role}
    for cohort, stack in zip(cohorts, taught.heads, strict=True):
        learned[cohort.name] = [
            Head.of_stack(f"{cohort.name}/{fold}", stack, fold, **more) for fold in range(cohort.heads)
        ]
    replies = _left_out(backbone, cohorts, learned) if folds else {cohort.name: [] for cohort in cohorts}
    mixes: dict[str, dict[str, tuple[float, float, float]]] = {cohort.name: {} for cohort in cohorts}
    if readout:
        mixed = with_readouts(backbone, cohorts, learned, replies)
        mixes = {name: mix for name, (_, mix) in mixed.items()}
        changed = [c for c in cohorts if any(h.readouts or h.prior or h.pointers for h in mixed[c.name][0])]
        for cohort in changed:
            learned[cohort.name] = mixed[cohort.name][0]
        replies |= _left_out(backbone, changed, learned) if folds else {}
    seconds = time.perf_counter() - began
    found = {}
    for number, cohort in enumerate(cohorts):
        report = _report(cohort, replies[cohort.name], taught.losses[number], taught.best[number], seconds,
                         mixes[cohort.name])  # fmt: skip
        head = learned[cohort.name][-1]
        head = replace(head, name=cohort.name, threshold=report.threshold, report=report.document())
        found[cohort.name] = head, report
    return found


def _report(
    cohort: Cohort, replies: Sequence[Reply], losses: tuple[float, ...], best: int, seconds: float,
    mix: Mapping[str, tuple[float, float, float]],
) -> Report:  # fmt: skip
    if not cohort.folds:
        nan, count = math.nan, len(cohort.examples)
        return Report(nan, nan, nan, count, 0, best, losses, seconds, 0.0, 1.0, (), mix)
    right = [_same(reply.values, example.values) for reply, example in zip(replies, cohort.examples, strict=True)]
    confidences = [reply.confidence for reply in replies]
    threshold = calibrated_threshold(confidences, right)
    low, high = wilson(sum(right), len(right))
    return Report(
        accuracy=sum(right) / len(right),
        low=low,
        high=high,
        demonstrations=len(right),
        folds=cohort.folds,
        steps=best,
        losses=losses,
        seconds=seconds,
        threshold=threshold,
        answered=sum(c >= threshold for c in confidences) / len(confidences),
        disagree=tuple(i for i, (ok, c) in enumerate(zip(right, confidences, strict=True), 1) if not ok and c > 0.9),
        mix=mix,
        left_out=tuple(zip(confidences, right, strict=True)),
    )


def _left_out(
    backbone: Backbone, cohorts: Sequence[Cohort], learned: Mapping[str, Sequence[Head]]
) -> dict[str, list[Reply]]:
    """Every demonstration answered by the fold that has not learned from it, the folds of all roles in one batch."""
    bank = HeadBank(backbone.sites, rank=max((head.rank for heads in learned.values() for head in heads), default=1))
    calls: list[Call] = []
    for cohort in cohorts:
        for head in learned[cohort.name][:-1]:
            bank.add(head)
        for example, fold in zip(cohort.examples, cohort.out.tolist(), strict=True):
            calls.append(Call(example.prompt, example.record, f"{cohort.name}/{fold}"))
    replies = iter(Decoder(backbone, bank, batch=32).decode(calls))
    return {cohort.name: [next(replies) for _ in cohort.examples] for cohort in cohorts}


def _same(values: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Equal field by field; spans count as equal when their text is."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: plain(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [plain(one) for one in value]
        return getattr(value, "text", value)

    return all(plain(values.get(name)) == plain(value) for name, value in wanted.items())
