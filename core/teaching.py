"""Teaching: the inner steps of many roles' heads and of all their folds at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .backbone import Backbone
from .bank import HeadStack, active
from .batches import decision_losses
from .errors import UnderstudyError
from .folds import Cohort, Layout, parts_of
from .meta.start import Start
from .precision import adapting_precision
from .trunk import Trunk

PATIENCE = 4
PLAIN_RATE = 3e-3


@dataclass(frozen=True)
class Taught:
    """What the steps gave: each cohort's best heads, fold by fold, and its left-out losses, one for each step."""

    heads: tuple[HeadStack, ...]
    losses: tuple[tuple[float, ...], ...]
    best: tuple[int, ...]


class _Part:
    """A layout with the heads that learn in it."""

    def __init__(self, layout: Layout, backbone: Backbone, start: Start, precision: torch.dtype) -> None:
        self.layout, self.backbone, self.start, self.precision = layout, backbone, start, precision
        self.stack = start.stack().repeat(len(layout.heads))
        self.flat = self.stack.tensors()
        self.names = sorted(self.flat)
        self.adam = None if start.rates else torch.optim.Adam(list(self.flat.values()), lr=PLAIN_RATE)
        self.kept = {name: tensor.detach().clone() for name, tensor in self.flat.items()}
        self.trunk = Trunk.of(backbone, layout.ids, self.stack.down, precision)
        heads = len(layout.heads)
        self.each = torch.zeros(heads).index_add(0, layout.group, layout.learns.float()).clamp(min=1)
        self.gradients: Sequence[Tensor] = ()

    def look(self, last: bool) -> Tensor:
        """Forward and backward; each decision's loss [M]."""
        layout = self.layout
        autocast = torch.autocast("cpu", self.precision, enabled=self.precision != torch.float32)
        with torch.set_grad_enabled(not last), autocast:
            with active(self.backbone.context, self.stack.grouped(), layout.mask):
                batch = layout.batch
                if self.trunk:
                    states = self.trunk.decided(layout.source, batch.row, batch.at)
                else:
                    states = self.backbone.hidden(batch.ids)
                values, _ = decision_losses(self.backbone, batch, states)
        if not last:
            total = torch.zeros(len(layout.heads)).index_add(0, layout.group, values * layout.learns) / self.each
            self.gradients = torch.autograd.grad(total.sum(), [self.flat[name] for name in self.names])
        return values.detach()

    def keep(self, heads: Sequence[int]) -> None:
        """Note these heads as the best of their kind so far."""
        if heads:
            mine = torch.tensor(heads)
            for name in self.names:
                self.kept[name][mine] = self.flat[name].detach()[mine]

    def step(self) -> None:
        """One step of every head, with the start's learned rates or by Adam."""
        with torch.no_grad():
            for name, gradient in zip(self.names, self.gradients, strict=True):
                if self.start.rates:
                    self.flat[name] -= self.start.rates[name] * gradient
                else:
                    self.flat[name].grad = gradient
        if self.adam:
            self.adam.step()


class _Course:
    """How one cohort fares: its left-out losses, and the best step of each of its heads.

    A fold's head keeps the step at which the *other* folds' left-out loss was least, so that its answers to what it has
    left out can still be a test; the head that learns from all keeps that of them all.
    """

    def __init__(self, cohort: Cohort) -> None:
        self.cohort = cohort
        self.losses: list[float] = []
        self.best = [0] * cohort.heads
        self._least = [math.inf] * cohort.heads
        self.over = False

    def note(self, step: int, held: Tensor, count: Tensor) -> list[int]:
        """Take in the folds' left-out losses (sums [folds] of ``count`` [folds] decisions); the heads to be kept."""
        if not self.cohort.folds:
            self.losses.append(math.nan)
            self.best = [step]
            return [0]
        total, of = float(held.sum()), float(count.sum())
        self.losses.append(total / max(of, 1.0))
        better = []
        for head in range(self.cohort.heads):
            own, own_of = (float(held[head]), float(count[head])) if head < self.cohort.folds else (0.0, 0.0)
            loss = (total - own) / max(of - own_of, 1.0)
            if not step or loss < self._least[head]:
                self._least[head], self.best[head] = loss, step
                better.append(head)
        self.over = step - self.best[-1] >= PATIENCE
        return better


def teach(
    backbone: Backbone,
    cohorts: Sequence[Cohort],
    start: Start,
    steps: int,
    *,
    activation: str = "row",
    precision: torch.dtype | None = None,
    on_step: Callable[[int, int, float], None] | None = None,
) -> Taught:
    """Step all heads together; each cohort keeps those of the steps at which its left-out loss was least.

    A cohort whose loss has not fallen for ``PATIENCE`` steps is done, whatever the others do.

    Args:
        precision: of the forward pass (autocast); fp32 for comparisons; None: what this machine adapts in.
        on_step: called with (step, steps, mean left-out loss).

    Raises:
        UnderstudyError: a loss is not finite; it names the demonstration, and the role where there are several.
    """
    layouts = parts_of(cohorts, backbone.markers.pad, activation)
    chosen = precision or adapting_precision()
    parts = [_Part(layout, backbone, start, chosen) for layout in layouts]
    courses = [_Course(cohort) for cohort in cohorts]
    for step in range(steps + 1):
        last = step == steps
        held = [torch.zeros(cohort.heads) for cohort in cohorts]
        count = [torch.zeros(cohort.heads) for cohort in cohorts]
        for part in parts:
            if last and all(not cohorts[number].folds for number, _ in part.layout.heads):
                continue  # nothing is left out that the last step could be measured on
            values = part.look(last)
            _check(values, part.layout, step, courses)
            group = part.layout.group
            sums = torch.zeros(len(part.layout.heads)).index_add(0, group, values.nan_to_num() * part.layout.held)
            decisions = torch.zeros(len(part.layout.heads)).index_add(0, group, part.layout.held.float())
            for at, (number, fold) in enumerate(part.layout.heads):
                held[number][fold], count[number][fold] = sums[at], decisions[at]
        better = {
            (number, fold)
            for number, course in enumerate(courses) if not course.over
            for fold in course.note(step, held[number], count[number])
        }  # fmt: skip
        for part in parts:
            part.keep([at for at, head in enumerate(part.layout.heads) if head in better])
        if on_step:
            on_step(step, steps, sum(course.losses[-1] for course in courses) / len(courses))
        if last or all(course.over for course in courses):
            break
        for part in parts:
            part.step()
    losses = tuple(tuple(course.losses) for course in courses)
    return Taught(_by_cohort(parts, cohorts), losses, tuple(course.best[-1] for course in courses))


def _by_cohort(parts: Sequence[_Part], cohorts: Sequence[Cohort]) -> tuple[HeadStack, ...]:
    found: list[list[HeadStack]] = [[] for _ in cohorts]
    for part in parts:
        stack = HeadStack.of_tensors(part.kept)
        for at, (number, _) in enumerate(part.layout.heads):
            found[number].append(stack.pick(at))
    return tuple(HeadStack.joined(stacks) for stacks in found)


def _check(values: Tensor, layout: Layout, step: int, courses: Sequence[_Course]) -> None:
    broken = (~values.isfinite() & (layout.learns | layout.held)).nonzero(as_tuple=True)[0]
    rows = len(layout.batch.ids) // len(layout.heads)
    for at in broken.tolist():
        course = courses[layout.heads[int(layout.group[at])][0]]
        if course.over:
            continue  # it goes on only because others do; what it had learned is kept
        number = int(layout.batch.row[at]) % rows + 1
        place = f"{course.cohort.name}, demonstration {number}" if len(courses) > 1 else f"demonstration {number}"
        what = f"the loss of the demonstration is not finite (at step {step})"
        raise UnderstudyError(what, where=place, mend="check it, and the start's rates")
