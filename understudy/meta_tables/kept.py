"""What a page said before stays where nothing was measured anew: work folders are thrown away, the page is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

HEADING = "## "


def kept(lines: Sequence[str], before: str, not_run: str) -> list[str]:
    """The lines of a page, its rows that were not run as they stand in the page of ``before``.

    A section of which nothing was run stays whole, so that what it says of its figures stays with them; so do sections
    and rows that the page has no place for now. A row is found by its section and its first cells up to ``not_run``,
    and by its command where there are several of these.
    """
    old, new = _sections(before.splitlines()), _sections(lines)
    made: list[str] = []
    for heading in [*new, *(one for one in old if one not in new)]:
        former, some = old.get(heading, []), new.get(heading, [])
        if former and heading and not any(_figures(one) and not_run not in one for one in some):
            made += former if any(map(_figures, former)) or not some else some
        else:
            made += _rows(some, [cells for line in former if (cells := _cells(line)) and _figures(line)], not_run)
    return made


def _rows(lines: Sequence[str], there: Sequence[Sequence[str]], not_run: str) -> Iterator[str]:
    """The lines with former rows in the place of those that were not run, and the others of them after the last row."""
    last = max((at for at, line in enumerate(lines) if line.startswith("| ")), default=-1)
    known = {cells[0] for line in lines if (cells := _cells(line))}
    for at, line in enumerate(lines):
        yield _row(line, there, not_run)
        if at == last:
            yield from (_written(former) for former in there if former[0] not in known)


def _row(line: str, there: Sequence[Sequence[str]], not_run: str) -> str:
    cells = _cells(line)
    if not_run not in cells:
        return line
    first = cells[: cells.index(not_run)]
    same = [former for former in there if list(former[: len(first)]) == first and len(former) == len(cells)]
    chosen = same if len(same) == 1 else [former for former in same if former[-1] == cells[-1]]
    return _written(chosen[0]) if chosen else line


def _written(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(line: str) -> list[str]:
    """The cells of a row; empty ones are cells as well."""
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split(" | ")] \
        if line.startswith("| ") else []


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
