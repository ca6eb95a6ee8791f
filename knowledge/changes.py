"""Changes to the tables of the store, each within a caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import UnderstudyError
from .entities import title_names
from .extraction import Extraction
from .near import fingerprint, nearest
from .pieces import Piece
from .readings import plain
from .results import Duplicate, Fact
from .spotting import spot
from .tables import ALIAS, NAMING
from .text import key_of
from .times import instant, moment

BY_HAND = "by hand"


class Changes:
    """The changes that one transaction makes.

    Args:
        connection: within a transaction that was begun by :func:`.tables.writing`.
        version: the version that the transaction makes.
    """

    def __init__(self, connection: sqlite3.Connection, version: int) -> None:
        self._connection = connection
        self._version = version
        self._entities: dict[str, tuple[int, str]] = {}
        self._namespaces: dict[int, str] = {}
        self._fresh: dict[int, str] = {}
        self._names: dict[str, str] = {}
        self.duplicates: list[Duplicate] = []
        self.new_facts = 0

    def document(
        self, namespace: str, name: str, digest: str, origin: str = "", metadata: Mapping[str, Any] | None = None
    ) -> int:
        """Makes a document; its id. Raises sqlite3.IntegrityError when there is one of that name."""
        sql = "INSERT INTO documents (namespace, name, digest, origin, metadata) VALUES (?, ?, ?, ?, ?)"
        values = (namespace, name, digest, origin, _json(metadata or {}))
        return int(self._connection.execute(sql, values).lastrowid or 0)

    def by_hand(self, namespace: str, name: str) -> int:
        """The id of the document of that name, made where there is none: what is added by hand belongs to it."""
        sql = "SELECT id FROM documents WHERE namespace = ? AND name = ?"
        row = self._connection.execute(sql, (namespace, name)).fetchone()
        return int(row[0]) if row else self.document(namespace, name, BY_HAND)

    def drop_document(self, namespace: str, name: str) -> bool:
        """Takes away a document with all that only it supports; whether there was one."""
        sql = "DELETE FROM documents WHERE namespace = ? AND name = ?"
        return self._connection.execute(sql, (namespace, name)).rowcount > 0

    def pieces(
        self,
        document: int,
        pieces: Sequence[Piece],
        vectors: NDArray[np.float32],
        extractions: Sequence[Extraction],
        metadata: Mapping[str, Any] | None = None,
    ) -> list[int]:
        """Adds passages with their vectors ``[pieces, D]`` and what was extracted from them; their ids."""
        return [
            self._piece(document, piece, vector, extraction, metadata or {})
            for piece, vector, extraction in zip(pieces, vectors, extractions, strict=True)
        ]

    def _piece(
        self,
        document: int,
        piece: Piece,
        vector: NDArray[np.float32],
        extraction: Extraction,
        metadata: Mapping[str, Any],
    ) -> int:
        bands = fingerprint(piece.text)
        if (other := nearest(self._connection, piece.text, bands, self._namespace(document))) is not None:
            self.duplicates.append(Duplicate(piece.source, *other))
        cursor = self._connection.execute(
            'INSERT INTO passages (document, title, text, source, start, "end", headings, metadata) '
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(document, piece.title, piece.text, piece.source, piece.start, piece.end),
                *(_json(piece.headings), _json({**metadata, **piece.metadata})),
            ),
        )
        passage = int(cursor.lastrowid or 0)
        self.vector(passage, vector)
        rows = [(band, passage) for band in bands]
        self._connection.executemany("INSERT OR IGNORE INTO fingerprints VALUES (?, ?)", rows)
        self._fresh[passage] = piece.text
        about = {key_of(name): name for name in title_names(piece.title, piece.headings)}
        self._names |= about
        for name, certain in extraction.names.items():
            if key_of(name):
                self._connection.execute(
                    "INSERT INTO mentions VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                    "certain = max(certain, excluded.certain), titled = max(titled, excluded.titled)",
                    (passage, self.entity(name), certain, key_of(name) in about),
                )
        self.facts(document, extraction.facts, passage, source=piece.source)
        return passage

    def _namespace(self, document: int) -> str:
        if document not in self._namespaces:
            row = self._connection.execute("SELECT namespace FROM documents WHERE id = ?", (document,)).fetchone()
            self._namespaces[document] = str(row[0])
        return self._namespaces[document]

    def vector(self, passage: int, vector: NDArray[np.float32]) -> None:
        """Sets the vector of a passage."""
        values = (passage, self._version, vector.astype("<f4").tobytes())
        self._connection.execute("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", values)

    def entity(self, name: str, *, spelled: bool = False) -> int:
        """The id of the entity of that name. ``spelled`` makes this its spelling (a fact's beats a text's)."""
        key = key_of(name)
        known = self._entities.get(key)
        if known is None:
            row = self._connection.execute("SELECT id, name FROM entities WHERE key = ?", (key,)).fetchone()
            if row is None:
                cursor = self._connection.execute("INSERT INTO entities (key, name) VALUES (?, ?)", (key, name))
                row = (int(cursor.lastrowid or 0), name)
            known = self._entities[key] = (int(row[0]), str(row[1]))
        if spelled:
            self._names[key] = name
        if spelled and known[1] != name:
            self._connection.execute("UPDATE entities SET name = ? WHERE id = ?", (name, known[0]))
            self._entities[key] = (known[0], name)
        return known[0]

    def facts(self, document: int, facts: Iterable[Fact], passage: int | None = None, source: str = "") -> int:
        """Adds facts, supported by the document (and the passage); how many were new. A known one gains support."""
        return sum(self._fact(document, fact, passage, fact.source or source) for fact in facts)

    def _fact(self, document: int, fact: Fact, passage: int | None, source: str) -> int:
        subject = self.entity(fact.subject, spelled=True)
        literal = is_value(fact)
        entity = None if literal else self.entity(fact.object, spelled=True)
        values = (
            subject,
            fact.relation,
            fact.object if literal else key_of(fact.object),
            moment(fact.valid_from, where=source),
            moment(fact.valid_until, where=source),
        )
        if values[3] and values[4] and instant(values[4]) <= instant(values[3]):
            raise UnderstudyError(f"it ends ({values[4]}) before it begins ({values[3]}): {fact}", where=source)
        cursor = self._connection.execute(
            "INSERT OR IGNORE INTO facts (subject, relation, object, valid_from, valid_until, entity) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (*values, entity),
        )
        number = self._connection.execute(
            "SELECT id FROM facts WHERE subject = ? AND relation = ? AND object = ? AND valid_from = ? "
            "AND valid_until = ? AND coalesce(entity, 0) = ?",
            (*values, entity or 0),
        ).fetchone()[0]
        self._connection.execute(
            "INSERT OR IGNORE INTO support VALUES (?, ?, ?, ?)", (number, document, passage, source)
        )
        if fact.relation == ALIAS and key_of(fact.object):
            self._names[key_of(fact.object)] = fact.object
            row = (key_of(fact.object), number, subject, fact.object)
            self._connection.execute("INSERT OR IGNORE INTO names VALUES (?, ?, ?, ?)", row)
        self.new_facts += cursor.rowcount
        return cursor.rowcount

    def finish(self) -> None:
        """Before the commit: searches texts for the names that have come, and new texts for all names."""
        spot(self._connection, self._fresh, self._names)

    def forget(self) -> None:
        """After a deletion: entities may be gone that were looked up before it."""
        self._entities.clear()


def is_value(fact: Fact) -> bool:
    """Whether a fact's object is a value and no entity."""
    return fact.literal or fact.relation in NAMING or not key_of(fact.object)


def _json(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False)
