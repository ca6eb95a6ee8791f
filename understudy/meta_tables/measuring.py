"""Measure what the tables of meta-learning still lack; what stands in the work folder is left as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..core.backbone import Backbone
from ..core.errors import UnderstudyError
from . import banking, heads, omniglot


def measure(
    table: str, rows: Sequence[str], data: Path, backbone: str, work: Path, on_step: Callable[[int, int, str], None]
) -> None:
    """Measure one table: ``omniglot``, ``banking`` or ``heads``; others by benchmarks of the checkout.

    Args:
        rows: names of rows; all when there are none.
        on_step: called with how much is done, of how much, and what is next.

    Raises:
        UnderstudyError: no such row, or the data is not there.
    """
    every = {"omniglot": [row.name for row in omniglot.ROWS], "banking": list(banking.ROWS),
             "heads": list(heads.ROWS)}.get(table, [])
    if unknown := set(rows) - set(every):
        raise UnderstudyError(f"{table} has no row {sorted(unknown)[0]!r}", mend=f"use {', '.join(every)}")
    chosen = [name for name in every if not rows or name in rows]
    if table == "banking":
        banking.measure(chosen, data, Backbone.load(backbone), work / "banking", on_fold=on_step)
    if table == "heads":
        heads.measure(chosen, data, Backbone.load(backbone), work / "heads", on_step=on_step)
    for row in (row for row in omniglot.ROWS if table == "omniglot" and row.name in chosen):
        for name in omniglot.BACKGROUNDS:
            out = work / "omniglot" / f"{row.name}-{name}.json"
            if not out.exists():
                title = f"{row.name} on {name}"
                omniglot.measure(row, name, data, out, on_step=lambda n, of, loss, t=title: on_step(n, of, t))  # type: ignore[misc]
