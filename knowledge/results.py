"""What the store hands out: passages found, facts of the graph, and what an ``add`` did. Plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """A passage found for a query.

    Attributes:
        title: the row's title, or the headings above the chunk.
        text: the passage.
        source: where it comes from, readable: ``briefs.csv#France``, ``guide.md:120-480``.
        start: where the passage begins in its document's text (0 for a row).
        end: where it ends.
        score: higher is better; comparable within one search only.
        passage: its id in the store.
    """

    title: str
    text: str
    source: str
    start: int
    end: int
    score: float
    passage: int


@dataclass(frozen=True)
class Fact:
    """An edge of the graph; ``str(fact)`` reads as a sentence. ``source`` is what supports it: ``triples.csv#12``."""

    subject: str
    relation: str
    object: str
    source: str = ""

    def __str__(self) -> str:
        return f"{self.subject} {self.relation.replace('_', ' ')} {self.object}"

    @property
    def citation(self) -> str:
        """The fact as a source that people read: ``graph: France borders Spain``."""
        return f"graph: {self}"


@dataclass(frozen=True)
class Added:
    """What an ``add`` changed: documents, passages and facts that are new, and documents that were as they are."""

    documents: int = 0
    passages: int = 0
    facts: int = 0
    unchanged: int = 0
