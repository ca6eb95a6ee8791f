"""The few-shot table: outcomes of many tasks as Markdown, means of families with their intervals."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .few_shot import Outcome

ERRORS = (0.05, 0.2)
"""Expected shares of wrong answers at which it is measured how much is answered."""
ROUNDS = 2000
DEFAULT = "meta-learned start · top third"
"""What `understudy learn` does with a backbone that has a start."""
KINDS = {
    "choice": "Closed label sets", "span": "One span of the text",
    "fields": "Several fields: all of them right",
}  # fmt: skip
FAR, NEAR = "sources that training has never seen", "near to what was trained on"


def family_means(outcomes: Sequence[Outcome], figure: Callable[[Outcome], float | None]) -> dict[str, float]:
    """family → the mean of its tasks' means, so that a family with many tasks counts once."""
    tasks: dict[tuple[str, str], list[float]] = {}
    for outcome in outcomes:
        if (value := figure(outcome)) is not None:
            tasks.setdefault((outcome.family, outcome.task), []).append(value)
    families: dict[str, list[float]] = {}
    for (family, _), values in tasks.items():
        families.setdefault(family, []).append(statistics.fmean(values))
    return {family: statistics.fmean(values) for family, values in families.items()}


def bootstrap(values: Sequence[float], rounds: int = ROUNDS) -> tuple[float, float]:
    """The 95 % percentile interval of the mean of ``values``, drawn again with replacement (Efron 1979)."""
    rng = random.Random(0)
    means = sorted(statistics.fmean(rng.choices(values, k=len(values))) for _ in range(rounds))
    return means[int(0.025 * rounds)], means[int(0.975 * rounds) - 1]


def compared(outcomes: Sequence[Outcome], one: str, other: str, size: int) -> tuple[float, float, float] | None:
    """How much more often arm ``one`` is right than ``other``, family by family: mean and interval; None: not both.

    Only tasks and draws on which both were asked are counted.
    """
    asked = [
        {(o.task, o.draw) for o in outcomes if o.arm == arm and o.size == size} for arm in (one, other)
    ]  # fmt: skip
    both_asked = asked[0] & asked[1]

    def means(arm: str) -> dict[str, float]:
        mine = [o for o in outcomes if o.arm == arm and o.size == size and (o.task, o.draw) in both_asked]
        return family_means(mine, lambda o: o.right)

    mine, theirs = means(one), means(other)
    both = sorted(set(mine) & set(theirs))
    if not both:
        return None
    apart = [mine[family] - theirs[family] for family in both]
    return statistics.fmean(apart), *bootstrap(apart)


def markdown(outcomes: Sequence[Outcome], about: Mapping[str, Any]) -> str:
    """The whole document."""
    lines = ["# What a handful of demonstrations buys", "", *(f"- {key}: {value}" for key, value in about.items()), ""]
    for kind, title in KINDS.items():
        for near, where in ((False, FAR), (True, NEAR)):
            some = [o for o in outcomes if o.kind == kind and (o.transfer == "near") is near]
            if some:
                lines += [f"## {title}, {where}", "", *_group(some), ""]
    return "\n".join(lines)


def _group(outcomes: Sequence[Outcome]) -> list[str]:
    sizes = sorted({outcome.size for outcome in outcomes})
    families = sorted({outcome.family for outcome in outcomes})
    tasks = len({outcome.task for outcome in outcomes})
    draws = len({outcome.draw for outcome in outcomes})
    lines = [f"{tasks} tasks of {len(families)} families ({', '.join(families)}), {draws} draws.", ""]
    head = [f"{size} demonstrations" for size in sizes]
    answering = [f"answered at {error:.0%}: wrong of these" for error in ERRORS]
    cells = [*head, *answering, *(f"in hindsight at {error:.0%}" for error in ERRORS), "seconds to learn"]
    lines.append("| arm | tasks | " + " | ".join(cells) + " |")
    lines.append("|---|---|" + "---|" * len(cells))
    for arm in dict.fromkeys(outcome.arm for outcome in outcomes):
        mine = [outcome for outcome in outcomes if outcome.arm == arm]
        cells = [_cell([o for o in mine if o.size == size]) for size in sizes]
        last = [o for o in mine if o.size == sizes[-1]]
        learning = f"{statistics.median(o.learning for o in last):.1f}" if last else ""
        more = [told(last, error) for told in (_answering, _hindsight) for error in ERRORS]
        lines.append(f"| {arm} | {len({o.task for o in mine})} | " + " | ".join([*cells, *more, learning]) + " |")
    return [*lines, "", *_gains(outcomes, sizes[-1])]


def _gains(outcomes: Sequence[Outcome], size: int) -> list[str]:
    """The default way to learn beside every other arm, in points, paired by family."""
    arms = dict.fromkeys(outcome.arm for outcome in outcomes)
    ours = DEFAULT if DEFAULT in arms else next((arm for arm in arms if arm.endswith("top third")), None)
    lines = []
    for arm in arms:
        if ours and arm != ours and (gain := compared(outcomes, ours, arm, size)):
            mean, low, high = (100 * value for value in gain)
            lines.append(f"| {arm} | {mean:+.1f} [{low:+.1f}, {high:+.1f}] |")
    if not lines:
        return []
    return [f"*{ours}* with {size} demonstrations, points more than", "", "| arm | points |", "|---|---|", *lines]


def _cell(outcomes: Sequence[Outcome]) -> str:
    means = list(family_means(outcomes, lambda o: o.right).values())
    if not means:
        return ""
    low, high = bootstrap(means)
    return f"{100 * statistics.fmean(means):.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _hindsight(outcomes: Sequence[Outcome], error: float) -> str:
    """The largest share of questions that could have been answered with ``error`` wrong."""
    means = family_means(outcomes, lambda o: o.in_hindsight(error))
    return f"{100 * statistics.fmean(means.values()):.0f} %" if means else ""


def _answering(outcomes: Sequence[Outcome], error: float) -> str:
    """The share of questions answered when ``error`` of the answers may be expected to be wrong, and how many were."""
    asked = [(outcome, kept) for outcome in outcomes if (kept := outcome.answered(error)) is not None]
    if not asked:
        return ""
    answered = {id(outcome): len(kept) / outcome.questions for outcome, kept in asked}
    wrong = {id(outcome): kept.count(False) / outcome.questions for outcome, kept in asked}
    some = [outcome for outcome, _ in asked]
    share = statistics.fmean(family_means(some, lambda o: answered[id(o)]).values())
    mistakes = statistics.fmean(family_means(some, lambda o: wrong[id(o)]).values())
    return f"{100 * share:.0f} %: {100 * mistakes / share:.0f} %" if share else "0 %"
