"""A comparison as a person reads it: who answers side by side, from field to head size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from .comparison import Comparison, Figures


def comparison_view(comparison: Comparison) -> Group:
    """A column for each who answers; under it, what the messages were."""
    figures = list(comparison.figures.values())
    table = Table(show_edge=False, pad_edge=False, header_style="dim")
    table.add_column(f"of {comparison.messages} messages")
    for name in comparison.figures:
        table.add_column(Text(name), justify="right")
    fields = list(figures[0].fields)
    rows = [(field, [one.fields[field].cell for one in figures]) for field in fields]
    if len(fields) > 1:
        rows.append(("all right", [one.whole.cell for one in figures]))
    rows += [
        ("sure enough to answer", [one.answered.cell for one in figures]),
        ("wrong of those", [f"{one.wrong} of {one.answered.right}" for one in figures]),
        ("seconds to learn", [f"{one.learning:.1f}" if one.learning >= 0.1 else "< 0.1" for one in figures]),
        ("head", [_size(one) for one in figures]),
    ]
    for name, cells in rows:
        table.add_row(Text(name), *map(Text, cells))
    return Group(table, *(Text(note, style="dim") for note in _notes(comparison)))


def _size(figures: Figures) -> str:
    return "–" if figures.bytes is None else f"{figures.bytes / 1e6:.2f} MB"


def _notes(comparison: Comparison) -> list[str]:
    notes = ["in brackets 95 % intervals"]
    if comparison.folds:
        notes[0] += (
            f"; by cross-validation: the demonstrations are dealt into {comparison.folds} parts, and each part is "
            "answered by who has learned from the others alone; seconds are those of one such turn"
        )
    if not comparison.learned_start:
        notes.append("this backbone has no learned start: both begin at random")
    return notes
