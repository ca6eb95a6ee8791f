"""Pieces and documents: what readers make of files, before the store gives it ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .results import Fact


@dataclass(frozen=True)
class Piece:
    """A passage before it has an id.

    Attributes:
        title: what it is about: the row's title, or the headings above the chunk joined by " > ".
        text: the passage.
        source: where it comes from, readable: ``guide.md:120-480``, ``briefs.csv#France``.
        start: where it begins in its document's text (0 for a row).
        end: where it ends.
        headings: the headings above it, outermost first.
        metadata: what its row says beside title and text; JSON values.
        links: the names that it links to (the text of a link in Markdown or HTML).
    """

    title: str
    text: str
    source: str
    start: int
    end: int
    headings: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """What one file says.

    Attributes:
        name: what it is known by in its namespace; its sources begin with it.
        digest: of its content; the same digest is the same document.
        pieces: its passages.
        facts: its facts; a fact whose source is a piece's source is supported by that passage.
        origin: the file it was read from, "" when it was none.
        metadata: what holds for all of its passages; a passage's own metadata come before it.
    """

    name: str
    digest: str
    pieces: tuple[Piece, ...] = ()
    facts: tuple[Fact, ...] = ()
    origin: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
