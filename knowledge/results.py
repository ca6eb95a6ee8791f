"""What the store hands out: passages found, facts of the graph, and what an ``add`` did. Plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True)
class Hop:
    """A node on the way through the graph from the query to a passage.

    Attributes:
        kind: whether the node is an entity or a passage.
        name: the entity's name, or the passage's source.
        relation: the relation of the fact that led here, "" where a passage names an entity.
        forward: whether that fact points this way: its object is this entity.
    """

    kind: Literal["entity", "passage"]
    name: str
    relation: str = ""
    forward: bool = True


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
        document: the name of its document.
        namespace: the part of the store that it lies in.
        headings: the headings above it, outermost first.
        metadata: what its document and its row say about it.
        path: the way through the graph that brought it in, from the query's side to this passage; empty when
            words or likeness alone did.
    """

    title: str
    text: str
    source: str
    start: int
    end: int
    score: float
    passage: int
    document: str = ""
    namespace: str = DEFAULT_NAMESPACE
    headings: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    path: tuple[Hop, ...] = ()


@dataclass(frozen=True)
class Fact:
    """An edge of the graph; ``str(fact)`` reads as a sentence.

    Attributes:
        subject: an entity's name.
        relation: what holds between them, ``capital_of``.
        object: an entity's name or, with ``literal``, a text or number.
        source: what supports it: ``triples.csv#12``.
        valid_from: the ISO 8601 date or time from which on it holds, "" when that is open.
        valid_until: from which on it no longer holds, "" when that is open.
        literal: whether the object is a value and no entity (always so for ``is_a`` and ``also_called``).
    """

    subject: str
    relation: str
    object: str
    source: str = ""
    valid_from: str = ""
    valid_until: str = ""
    literal: bool = False

    def __str__(self) -> str:
        return f"{self.subject} {self.relation.replace('_', ' ')} {self.object}"

    @property
    def citation(self) -> str:
        """The fact as a source that people read: ``graph: France borders Spain``."""
        return f"graph: {self}"


@dataclass(frozen=True)
class Duplicate:
    """A new passage that says nearly what another one says.

    Attributes:
        source: of the new passage.
        other: the source of the one it resembles.
        likeness: the share of three-word runs that the two have in common (Jaccard), 0 to 1.
    """

    source: str
    other: str
    likeness: float


@dataclass(frozen=True)
class Added:
    """What an ``add`` changed.

    Attributes:
        documents: that are new or have changed.
        passages: in them.
        facts: that the store did not have.
        unchanged: documents that were as they are.
        duplicates: new passages that nearly repeat another one; they are kept all the same.
    """

    documents: int = 0
    passages: int = 0
    facts: int = 0
    unchanged: int = 0
    duplicates: tuple[Duplicate, ...] = ()
