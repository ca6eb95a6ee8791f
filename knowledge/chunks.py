"""Chunks: a long text cut at its headings and sentences into passages that know where they stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from . import tokens
from .text import sentences

SIZE = 192
"""Tokens in a chunk at most."""

# A title over a line of = or - stands alone between blank lines: under anything else such a line is a rule or a table.
_MARK = re.compile(
    r"^(?:"
    r"(?:\A|(?<=\n\n)|(?<=\n\r\n)) {0,3}(?P<over>[^\W\d][^\n]*)\n {0,3}(?P<under>=+|-{3,})[ \t]*"
    r"| {0,3}(?P<hashes>\#{1,6})(?P<name>[ \t][^\n]*)"
    r"| {0,3}(?P<fence>`{3,}|~{3,})(?P<info>[^\n]*)"
    r")\r?$",
    re.MULTILINE,
)
_LINE = re.compile(r"[^\s][^\n]*")
_WORD = re.compile(r"\S+")

Place = tuple[int, int]
Count = Callable[[str], int]


class Section(NamedTuple):
    """A stretch ``text[start:end]`` that no chunk reaches over, and the headings above it, outermost first."""

    headings: tuple[str, ...]
    start: int
    end: int


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


def chunked(
    text: str, *, markdown: bool = True, size: int = SIZE, overlap: int = 1, count: Count | None = None
) -> list[Chunk]:
    """Cuts a document into chunks of whole sentences.

    Args:
        text: the document.
        markdown: whether its headings are read; a chunk never reaches over one.
        size: tokens in a chunk at most; a single longer sentence is cut between its lines, else its words, and a
            longer word between its letters.
        overlap: sentences that a chunk repeats of the one before it, where they fit.
        count: the tokens of a text; those of the shipped backbone unless it is given.

    Raises:
        ValueError: when ``size`` is less than one or ``overlap`` negative.
    """
    sections = outline(text)[0] if markdown else [Section((), 0, len(text))]
    return cut(text, sections, size=size, overlap=overlap, count=count)


def cut(
    text: str, sections: Iterable[Section], *, size: int = SIZE, overlap: int = 1, count: Count | None = None
) -> list[Chunk]:
    """Cuts the given sections of a text into chunks; the arguments are those of :func:`chunked`.

    Raises:
        ValueError: when ``size`` is less than one or ``overlap`` negative.
    """
    if size < 1 or overlap < 0:
        raise ValueError(f"size {size} must be at least 1 and overlap {overlap} at least 0")
    count = count or tokens.count
    chunks: list[Chunk] = []
    for headings, start, end in sections:
        places = [piece for place in sentences(text, start, end) for piece in _fitting(text, place, size, count)]
        for begin, stop in _packed(text, places, size, overlap, count):
            chunks.append(Chunk(text[begin:stop], begin, stop, headings))
    return chunks


def outline(text: str, start: int = 0) -> tuple[list[Section], list[Place]]:
    """The sections of Markdown from ``start`` on, and the places of its fenced code, where nothing is a heading."""
    sections: list[Section] = []
    fences: list[Place] = []
    path: list[tuple[int, str]] = []
    begin, fence, opened = start, "", 0
    for match in _MARK.finditer(text, start):
        mark, info = match["fence"], match["info"] or ""
        if fence:
            if mark and mark.startswith(fence) and not info.strip():
                fences.append((opened, match.end()))
                fence = ""
            continue
        if mark:
            if mark[0] == "~" or "`" not in info:
                fence, opened = mark, match.start()
            continue
        level = len(match["hashes"]) if match["hashes"] else 1 if match["under"][0] == "=" else 2
        heading = (match["over"] or match["name"]).strip()
        if match["hashes"] and (bare := heading.rstrip("#"))[-1:] in ("", " ", "\t"):
            heading = bare.rstrip()
        if not heading:
            continue
        sections.append(Section(tuple(name for _, name in path), begin, match.start()))
        path = [(depth, name) for depth, name in path if depth < level] + [(level, heading)]
        begin = match.end()
    if fence:
        fences.append((opened, len(text)))
    return [*sections, Section(tuple(name for _, name in path), begin, len(text))], fences


def _fitting(text: str, place: Place, size: int, count: Count) -> list[Place]:
    """The sentence itself or, when it is too long, its lines, else runs of its words."""
    if count(text[slice(*place)]) <= size:
        return [place]
    lines = [match.span() for match in _LINE.finditer(text, *place)]
    if len(lines) > 1:
        return [piece for line in lines for piece in _fitting(text, line, size, count)]
    words = (match.span() for match in _WORD.finditer(text, *place))
    return _packed(text, [part for word in words for part in _letters(text, word, size, count, size)], size, 0, count)


def _letters(text: str, place: Place, size: int, count: Count, step: int) -> list[Place]:
    """The word itself or, when it is too long, its parts of ``step`` letters or as many fewer as fit."""
    start, end = place
    if step < 1 or count(text[start:end]) <= size:
        return [place]
    parts = ((at, min(at + step, end)) for at in range(start, end, step))
    return [piece for part in parts for piece in _letters(text, part, size, count, step // 2)]


def _packed(text: str, places: list[Place], size: int, overlap: int, count: Count) -> list[Place]:
    """Runs of whole places of at most ``size`` tokens together, each with something new."""
    lengths = [count(text[start:end]) for start, end in places]
    runs: list[Place] = []
    last = begun = 0
    while last < len(places):
        # What is repeated is not all of the run before, and must leave room for one new place.
        first = max(last - overlap, begun + 1) if runs else 0
        while first < last and count(text[places[first][0] : places[last][1]]) > size:
            first += 1
        total, stop = sum(lengths[first : last + 1]), last + 1
        while stop < len(places) and total + lengths[stop] <= size:
            total += lengths[stop]
            stop += 1
        # White space between the places may count as well.
        while stop > last + 1 and count(text[places[first][0] : places[stop - 1][1]]) > size:
            stop -= 1
        runs.append((places[first][0], places[stop - 1][1]))
        last, begun = stop, first
    return runs
