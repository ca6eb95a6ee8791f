"""The parts of docs/figures.md, in which tables show what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from understudy.sheets import Sheet

FIGURES = Path(__file__).resolve().parent.parent / "docs" / "figures.md"
HEADER = "# Figures\n\nEach part is written by the command that stands in it; nothing here is typed by hand.\n"


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
