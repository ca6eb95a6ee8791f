"""What the store lets change: passages, facts and entities corrected and deleted, each in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from ..core.errors import UnderstudyError
from . import corrections, tables
from .changes import Changes
from .embedding import Vectors
from .extraction import Extractor
from .pieces import Piece
from .reader import StoreReader
from .results import DEFAULT_NAMESPACE, Fact
from .text import key_of

Progress = Callable[[str, int, int], None]
"""Called with what is being done (``read``, ``embed``, ``write``), how many are done, and how many there are."""

_AT_ONCE = 256


class StoreWriter(StoreReader):
    """Corrects and deletes what an open store holds; :class:`.store.KnowledgeStore` adds to it."""

    _extractor: Extractor

    def update_passage(self, passage: int, text: str, title: str | None = None) -> int:
        """Changes what a passage says: its vector, words and names change with it, and facts that it supported go.

        Returns:
            its id, which is a new one.

        Raises:
            UnderstudyError: when there is no such passage.
        """
        if not key_of(text):
            raise UnderstudyError("a passage without a word", where=self._where, mend="delete it instead")
        with self._lock:
            before = next(iter(self._results([passage])), None)
            if before is None:
                raise UnderstudyError(f"there is no passage {passage}", where=self._where)
            end = before.start + len(text)
            named = before.title if title is None else title
            piece = Piece(named, text, before.source, before.start, end, before.headings, before.metadata)
            vectors, extractions = self._embedded([piece]), self._extractor.extract([piece])
            with self._writing() as changes:
                sql = "DELETE FROM passages WHERE id = ? RETURNING document"
                row = self._connection.execute(sql, (passage,)).fetchone()
                if row is None:
                    raise UnderstudyError(f"there is no passage {passage} any more", where=self._where)
                return changes.pieces(row[0], [piece], vectors, extractions)[0]

    def update_fact(self, fact: Fact, by: Fact) -> bool:
        """Puts another fact in the place of one, with the same support; whether there was one.

        To say since when it no longer holds: ``store.update_fact(f, replace(f, valid_until="2020-03-01"))``.

        Raises:
            UnderstudyError: when the new one lacks a part, or its times are none.
        """
        with self._lock, self._writing() as changes:
            return corrections.replace_fact(self._connection, changes, self._numbers(fact), whole(by, self._where))

    def rename_entity(self, name: str, to: str) -> bool:
        """Gives an entity another name, or makes it one with the entity of that name; whether there was one."""
        with self._lock, self._writing() as changes:
            meant = self._ids(self._linker.entities(name)[:1])
            if meant and key_of(to):
                corrections.move_entity(self._connection, changes, meant[0], to)
            return bool(meant and key_of(to))

    def delete(self, document: str, namespace: str = DEFAULT_NAMESPACE) -> bool:
        """Deletes a document with all that only it supports; whether there was one."""
        with self._lock, self._writing() as changes:
            return changes.drop_document(namespace, document)

    def delete_namespace(self, namespace: str) -> int:
        """Deletes all documents of a namespace with all that only they support; how many there were."""
        return self._deleted("DELETE FROM documents WHERE namespace = ?", [namespace])

    def delete_passage(self, passage: int) -> bool:
        """Deletes a passage with all that only it supports; whether there was one."""
        return self._deleted("DELETE FROM passages WHERE id = ?", [passage]) > 0

    def delete_entity(self, name: str) -> bool:
        """Deletes an entity with its facts, aliases and mentions; passages that name it stay. Whether there was one."""
        with self._lock:
            return self._deleted("DELETE FROM entities WHERE id = ?", self._ids(self._linker.entities(name)[:1])) > 0

    def delete_fact(self, fact: Fact) -> bool:
        """Deletes a fact whatever supports it, of the given times or, without any, of all; whether there was one."""
        with self._lock:
            return self._deleted("DELETE FROM facts WHERE id = ?", self._numbers(fact)) > 0

    def _numbers(self, fact: Fact) -> list[int]:
        with self._lock:
            subjects = self._ids(self._linker.entities(fact.subject))
            things = [] if fact.literal else self._ids(self._linker.entities(fact.object))
            return corrections.numbers(self._connection, fact, subjects, things)

    def _embedded(self, pieces: Sequence[Piece], progress: Progress | None = None) -> Vectors:
        found = np.zeros((len(pieces), self._embedder.dimension), dtype=np.float32)
        for start in range(0, len(pieces), _AT_ONCE):
            part = pieces[start : start + _AT_ONCE]
            found[start : start + len(part)] = self._embedder.encode([f"{p.title}. {p.text}" for p in part])
            if progress:
                progress("embed", start + len(part), len(pieces))
        return found

    @contextmanager
    def _writing(self, *, anew: bool = False) -> Iterator[Changes]:
        with tables.writing(self._connection) as version:
            if not anew:
                self._require_embedder()
            for key, value in (("embedder", self._embedder.name), ("embedder_source", self._embedder.source)):
                if tables.meta(self._connection, key) != value:
                    tables.set_meta(self._connection, key, value)
            changes = Changes(self._connection, version)
            yield changes
            changes.finish()

    def _deleted(self, sql: str, values: Sequence[str | int]) -> int:
        with self._lock, self._writing():
            return sum(self._connection.execute(sql, (value,)).rowcount for value in values)


def whole(fact: Fact, where: str) -> Fact:
    if not (key_of(fact.subject) and fact.relation and fact.object.strip()):
        mend = "each has a text, and a subject a letter or digit in it"
        raise UnderstudyError(f"a fact lacks its subject, relation or object: {fact}", where=where, mend=mend)
    return fact
