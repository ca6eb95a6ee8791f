"""Shares with their intervals, and the tables that show them: in the terminal and as a part of docs/figures.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from understudy.core.intervals import wilson

FIGURES = Path(__file__).resolve().parent.parent / "docs" / "figures.md"
HEADER = "# Figures\n\nEach part is written by the command that stands in it; nothing here is typed by hand.\n"


@dataclass(frozen=True)
class Share:
    """``right`` of ``total``."""

    right: int
    total: int

    @classmethod
    def of(cls, flags: Sequence[bool]) -> Share:
        """How many of ``flags`` are true."""
        return cls(sum(flags), len(flags))

    def __str__(self) -> str:
        if not self.total:
            return "–"
        low, high = wilson(self.right, self.total)
        return f"{100 * self.right / self.total:.0f} % ({100 * low:.0f}–{100 * high:.0f})"

    def document(self) -> dict[str, Any]:
        """As JSON values, with the 95 % interval."""
        low, high = wilson(self.right, self.total)
        return asdict(self) | {"share": self.right / self.total if self.total else None, "low": low, "high": high}


@dataclass(frozen=True)
class Sheet:
    """A table: a title, what its columns are, and its rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """The table in Markdown, under its title."""
        def line(cells: Sequence[str]) -> str:
            return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

        return "\n".join([f"### {self.title}", "", line(self.columns), line(["---"] * len(self.columns)),
                          *map(line, self.rows)])  # fmt: skip

    def show(self, console: Console) -> None:
        """Print it."""
        table = Table(*self.columns, title=self.title, title_justify="left")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)


def with_part(document: str, name: str, text: str) -> str:
    """The document with its part ``name`` (between two marks) replaced by ``text``, or appended where it has none."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    part = f"{start}\n{text.strip()}\n{end}"
    if start in document and end in document:
        before, rest = document.split(start, 1)
        return before + part + rest.split(end, 1)[1]
    return f"{document.rstrip()}\n\n{part}\n"


def write_part(name: str, title: str, command: str, words: str, sheets: Sequence[Sheet], file: Path = FIGURES) -> None:
    """Write a part of the figures: its title, the command, what was done, and its tables."""
    before = file.read_text(encoding="utf-8") if file.exists() else HEADER
    text = f"## {title}\n\n    {command}\n\n{words.strip()}\n\n" + "\n\n".join(sheet.markdown() for sheet in sheets)
    file.write_text(with_part(before, name, text), encoding="utf-8")
