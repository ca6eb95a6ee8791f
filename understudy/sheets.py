"""Sheets: tables with a title, for the terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

_NARROWEST = 8  # a share above its interval


@dataclass(frozen=True)
class Sheet:
    """A table: a title, what its columns are, and its rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """The table in Markdown, under its title."""
        def line(cells: Sequence[str]) -> str:
            return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"

        return "\n".join([f"### {self.title}", "", line(self.columns), line(["---"] * len(self.columns)),
                          *map(line, self.rows)])  # fmt: skip

    def table(self) -> Table:
        """The table for rich."""
        table = Table(title=self.title, title_justify="left", show_edge=False, pad_edge=False, header_style="dim")
        for at, name in enumerate(self.columns):
            least = _NARROWEST if at else None
            table.add_column(Text(name), justify="right" if at else "left", min_width=least, overflow="fold")
        for row in self.rows:
            table.add_row(*map(Text, row))
        return table

    def show(self, console: Console) -> None:
        """Print it."""
        console.print(self.table())
