"""Tables and the document that they are written into."""

from __future__ import annotations

from pathlib import Path

from benchmarks.shares import Sheet, with_part, write_part


def test_a_sheet_is_markdown() -> None:
    lines = Sheet("T", ("a", "b"), (("1", "x|y"),)).markdown().splitlines()
    assert lines == ["### T", "", "| a | b |", "| --- | --- |", "| 1 | x\\|y |"]


def test_a_part_is_replaced_and_the_others_stay() -> None:
    document = with_part(with_part("# Figures\n", "one", "old"), "two", "stays")
    again = with_part(document, "one", "new")
    assert "old" not in again and again.index("new") < again.index("stays")
    assert with_part(again, "one", "new") == again


def test_figures_are_written_with_their_command(tmp_path: Path) -> None:
    file = tmp_path / "figures.md"
    for cell in ("first", "second"):
        write_part("p", "Title", "python -m x", "How.", [Sheet("S", ("c",), ((cell,),))], file)
    text = file.read_text(encoding="utf-8")
    assert text.count("    python -m x\n") == 1 and "second" in text and "first" not in text
