"""The section of docs/tables.md about the starts of heads: what :mod:`.heads` measured, family by family."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from ..few_shot_table import bootstrap

NOTHING = "nothing"
ROWS = {
    NOTHING: "nothing learned: a random start", "multitask": "multi-task: all tasks' losses together, no inner steps",
    "reptile": "Reptile", "anil": "ANIL, first order", "fomaml": "FOMAML", "maml": "MAML, second order",
    "meta_sgd": "Meta-SGD by element, first order", "meta_sgd_tensor": "Meta-SGD by tensor, first order",
    "maml++": "MAML++, first order",
}  # fmt: skip
HEAD = ("algorithm", "price", "outer steps", "seconds", "loss before", "loss after", "lower than nothing learned by",
        "right after, %", "command")  # fmt: skip
PRICES = {"tokens": "same tokens", "time": "same seconds"}
SAID = (
    "A start of the heads' upper third is learned from nothing, on the same tasks of meta-training for all; then one "
    "task of each family of the choosing split, which meta-training has not seen, is adapted to by four inner steps on "
    "16 demonstrations. Loss: mean decision loss of 40 questions; right: questions whose every decision is right, "
    "given the right ones before. The head alone answers, without the readouts that a learned role has. Means over "
    "families with their 95 % bootstrap interval; lower is paired, family by family. One price is the same number of "
    "outer steps, so the same tokens; the other the same seconds of a processor, beside which other work ran. "
    "Held-out tasks are not read: they were, once, for this backbone."
)


def rows(found: Mapping[str, Mapping[str, Any] | None], command: str, not_run: str) -> list[list[str]]:
    """A row for each algorithm and price."""
    made = []
    for name, title in ROWS.items():
        one, call = found.get(name), f"`{command} --rows {name}`"
        for price, said in PRICES.items() if name != NOTHING else (("tokens", ""),):
            if one is None:
                made.append([title, said, not_run, *[""] * (len(HEAD) - 4), call])
            elif price not in one:
                made.append([title, said, f"astray at {one['astray']['outer_steps']}", *[""] * (len(HEAD) - 4), call])
            else:
                made.append([title, said, *_cells(one[price], found.get(NOTHING)), call])
    return made


def _cells(at: Mapping[str, Any], nothing: Mapping[str, Any] | None) -> list[str]:
    lower = ""
    if nothing is not None and at["outer_steps"]:
        apart = [a - b for a, b in zip(nothing["tokens"]["after"], at["after"], strict=True)]
        low, high = bootstrap(apart)
        lower = f"{statistics.fmean(apart):.3f} [{low:.3f}, {high:.3f}]"
    right = _mean([100 * share for share in at["right"]], 1)
    spent = [str(at["outer_steps"]), f"{at['seconds']:.0f}"]
    return [*spent, f"{statistics.fmean(at['before']):.3f}", _mean(at["after"], 3), lower, right]


def _mean(values: Sequence[float], digits: int) -> str:
    low, high = bootstrap(values)
    return f"{statistics.fmean(values):.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
