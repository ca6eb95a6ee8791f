"""Chunks: a long text cut at its headings and sentences into passages that know where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .text import sentences

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_FENCE = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1[ \t]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Chunk:
    """A piece of a document: ``text`` is exactly ``document[start:end]``.

    Attributes:
        headings: the headings above it, outermost first.
    """

    text: str
    start: int
    end: int
    headings: tuple[str, ...] = ()


def chunked(text: str, *, markdown: bool = True, size: int = 120, overlap: int = 1) -> list[Chunk]:
    """Cuts a document into chunks of whole sentences.

    Args:
        text: the document.
        markdown: whether lines of ``#`` are headings; a chunk never reaches over one.
        size: words in a chunk at most; a single longer sentence is cut between words.
        overlap: sentences that a chunk repeats of the one before it, where they fit.

    Raises:
        ValueError: when ``size`` is less than one or ``overlap`` negative.
    """
    if size < 1 or overlap < 0:
        raise ValueError(f"size {size} must be at least 1 and overlap {overlap} at least 0")
    chunks: list[Chunk] = []
    for headings, start, end in _sections(text) if markdown else [((), 0, len(text))]:
        places = [piece for place in sentences(text, start, end) for piece in _fitting(text, *place, size)]
        for first, last in _packed(text, places, size, overlap):
            begin, stop = places[first][0], places[last - 1][1]
            chunks.append(Chunk(text[begin:stop], begin, stop, headings))
    return chunks


def _sections(text: str) -> list[tuple[tuple[str, ...], int, int]]:
    """Heading path, start and end of each section; a ``#`` inside a code fence is no heading."""
    fences = [match.span() for match in _FENCE.finditer(text)]
    path: list[tuple[int, str]] = []
    found: list[tuple[tuple[str, ...], int, int]] = []
    begin = 0
    for match in _HEADING.finditer(text):
        if any(start <= match.start() < end for start, end in fences):
            continue
        found.append((tuple(name for _, name in path), begin, match.start()))
        level = len(match.group(1))
        path = [(depth, name) for depth, name in path if depth < level] + [(level, match.group(2))]
        begin = match.end()
    found.append((tuple(name for _, name in path), begin, len(text)))
    return found


def _fitting(text: str, start: int, end: int, size: int) -> list[tuple[int, int]]:
    """The sentence itself, or, when it has more than ``size`` words, its pieces of ``size`` words."""
    marks = [(start + match.start(), start + match.end()) for match in re.finditer(r"\S+", text[start:end])]
    return [(part[0][0], part[-1][1]) for part in (marks[i : i + size] for i in range(0, len(marks), size))]


def _packed(text: str, places: list[tuple[int, int]], size: int, overlap: int) -> list[tuple[int, int]]:
    """Runs ``[first, last)`` of sentences of at most ``size`` words together."""
    lengths = [len(text[start:end].split()) for start, end in places]
    runs: list[tuple[int, int]] = []
    first = 0
    while first < len(places):
        last, total = first, 0
        while last < len(places) and (last == first or total + lengths[last] <= size):
            total += lengths[last]
            last += 1
        runs.append((first, last))
        if last == len(places):
            break
        # The repeated sentences must leave room for one new sentence, or the next chunk would only repeat.
        back = max(first + 1, last - overlap)
        while back < last and sum(lengths[back : last + 1]) > size:
            back += 1
        first = back
    return runs
