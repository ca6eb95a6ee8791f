"""Readings: what a reader makes of a file's bytes, and what the readers share."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from ..core.errors import UnderstudyError
from .chunks import Chunk
from .pieces import Piece
from .results import Fact
from .text import key_of


@dataclass(frozen=True)
class Reading:
    """The passages and facts of one file, and what holds for all of it."""

    pieces: Sequence[Piece] = ()
    facts: Sequence[Fact] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


Reader = Callable[[bytes, str, str], Reading]
"""``reader(content, name, where)``: sources begin with ``name``, and errors with ``where``."""


def decoded(content: bytes, where: str) -> str:
    """The text of a file, without a byte order mark; line ends stay as they are.

    Raises:
        UnderstudyError: when it is not UTF-8, with the line.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UnderstudyError("not UTF-8 text", where=f"{where}:{line}", mend="save the file as UTF-8") from None


def passages(
    chunks: Iterable[Chunk],
    name: str,
    title: str,
    links: Sequence[tuple[int, int, str]] = (),
    metadata: Mapping[str, Any] | None = None,
) -> list[Piece]:
    """Chunks as passages.

    Args:
        chunks: of the document's text.
        name: the document's.
        title: of a chunk that no heading stands above.
        links: start, end and name of each link, in order; a passage has those that lie in it.
        metadata: of all these passages.
    """
    starts = [start for start, _, _ in links]
    pieces = []
    for chunk in chunks:
        inside = links[bisect_left(starts, chunk.start) : bisect_left(starts, chunk.end)]
        names = tuple(dict.fromkeys(link for _, end, link in inside if end <= chunk.end and link))
        pieces.append(
            Piece(
                " > ".join(chunk.headings) or title,
                chunk.text,
                f"{name}:{chunk.start}-{chunk.end}",
                chunk.start,
                chunk.end,
                chunk.headings,
                dict(metadata or {}),
                names,
            )
        )
    return pieces


def fact(subject: str, relation: str, value: str, source: str, literal: bool = False) -> Fact | None:
    """The fact with its white space in order, or None where a part of it says nothing.

    An object without a letter or digit names no entity and is therefore a value.
    """
    subject, value = " ".join(subject.split()), value.strip()
    relation = "_".join(relation.split())
    if not (key_of(subject) and relation and value):
        return None
    literal = literal or not key_of(value)
    return Fact(subject, relation, value if literal else " ".join(value.split()), source, literal=literal)


def shown(value: Any) -> str:
    """A scalar as people write it: ``true``, ``33``, a text as it is."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def whole(text: str) -> str:
    """``text`` with surrogate pairs joined and halves of one replaced, since no file and no database takes them."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def plain(value: Any) -> Any:
    """``value`` as a JSON value: dates as ISO 8601, texts :func:`whole`, and anything strange as its text."""
    match value:
        case str():
            return whole(value)
        case None | bool():
            return value
        case int():
            # SQLite has no wider numbers; beyond some thousand digits Python writes none in decimal.
            return value if value.bit_length() < 64 else str(value) if value.bit_length() < 10_000 else f"{value:#x}"
        case float():
            return value if math.isfinite(value) else str(value)
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {whole(shown(key)): plain(one) for key, one in value.items()}
        case list() | tuple() | set():
            return [plain(one) for one in value]
    return whole(str(value))
