"""What a page said before stays where nothing was measured anew: work folders are thrown away, the page is not."""

from __future__ import annotations

from collections.abc import Sequence

HEADING = "## "


def kept(lines: Sequence[str], before: str, not_run: str) -> list[str]:
    """The lines of a page, its rows that were not run as they stand in the page of ``before``.

    A section of which nothing was run stays whole, so that what it says of its figures stays with them. A row is found
    by its section, its first cells up to ``not_run``, and its command.
    """
    old = _sections(before.splitlines())
    made: list[str] = []
    for heading, some in _sections(lines).items():
        former = old.get(heading, [])
        if former and any(map(_figures, former)) and not any(_figures(one) and not_run not in one for one in some):
            made += former
            continue
        there = [cells for line in former if (cells := _cells(line))]
        made += [_row(line, there, not_run) for line in some]
    return made


def _row(line: str, there: Sequence[Sequence[str]], not_run: str) -> str:
    cells = _cells(line)
    if not_run not in cells:
        return line
    first, last = cells[: cells.index(not_run)], cells[-1]
    for former in there:
        if list(former[: len(first)]) == first and former[-1] == last and len(former) == len(cells):
            return f"| {' | '.join(former)} |"
    return line


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("| ").split(" | ")] if line.startswith("| ") else []


def _figures(line: str) -> bool:
    return line.startswith("| ") and not line.startswith(("| algorithm", "| row", "| workload", "| ---"))


def _sections(lines: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"": []}
    heading = ""
    for line in lines:
        if line.startswith(HEADING):
            heading = line
            found[heading] = []
        found[heading].append(line)
    return found
