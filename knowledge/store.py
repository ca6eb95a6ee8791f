"""The knowledge store: passages, vectors, names and facts in one SQLite file, searched together."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ..core.errors import UnderstudyError
from ..core.prompts import Passage
from . import documents, lexical, tables
from .documents import Piece
from .embedding import Embedder, HashedEmbedder
from .reader import StoreReader
from .results import Added, Fact
from .text import key_of


class KnowledgeStore(StoreReader):
    """Passages and facts with their sources, found by words, by likeness and through the graph.

    SQLite is the truth: every change is one transaction over passages, vectors, lexical index, entities and facts.
    The vector index, the linker and the graph are caches that carry the version they were built from; a search
    that sees another version (also one that another process wrote) builds them anew. Threads may share a store.

    >>> with KnowledgeStore.open(":memory:") as store:
    ...     _ = store.add_passages([Passage("Peru", "Lima is the capital of Peru.", "notes")])
    ...     _ = store.add_facts([("Peru", "borders", "Chile")])
    ...     store.search("capital of Peru")[0].text, store.neighbours("Chile")
    ('Lima is the capital of Peru.', ['Peru'])
    """

    @classmethod
    def open(cls, path: str | Path = ":memory:", embedder: Embedder | None = None) -> KnowledgeStore:
        """Opens the store at ``path``, making it where there is none.

        Args:
            path: the SQLite file, or ``:memory:``.
            embedder: turns passages and queries into vectors; hashed n-grams unless one is given.

        Raises:
            UnderstudyError: when the file is something else, or holds vectors of another embedder.
        """
        store = cls(tables.connect(path), embedder or HashedEmbedder(), str(path))
        kept = tables.meta(store._connection, "embedder")
        if kept not in (None, store._embedder.name):
            store.close()
            raise UnderstudyError(
                f"its vectors are of embedder {kept}, not {store._embedder.name}",
                where=str(path),
                mend="open it with that embedder, or call KnowledgeStore.rebuild(path, embedder)",
            )
        return store

    @classmethod
    def rebuild(cls, path: str | Path, embedder: Embedder | None = None) -> KnowledgeStore:
        """Opens the store, embeds every passage anew and builds the lexical index anew."""
        store = cls(tables.connect(path), embedder or HashedEmbedder(), str(path))
        with store._writing() as connection:
            rows = connection.execute("SELECT id, title, text FROM passages ORDER BY id").fetchall()
            vectors = store._embedded([Piece(title, text, "", 0, 0) for _, title, text in rows])
            data = ((vector.astype("<f4").tobytes(), row[0]) for row, vector in zip(rows, vectors, strict=True))
            connection.executemany("INSERT OR REPLACE INTO vectors (data, passage) VALUES (?, ?)", data)
            lexical.rebuild(connection)
        return store

    def close(self) -> None:
        """Closes the file. Closing twice does nothing."""
        self._connection.close()

    def __enter__(self) -> KnowledgeStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, *paths: str | Path) -> Added:
        """Adds files, folders and globs. The same content again changes nothing; a changed file replaces what it said.

        A document is known by its file name; what was deleted from it by hand stays deleted until it changes. All
        files are read before the first change, and all go in together.

        Raises:
            UnderstudyError: for a path that is not there and a file that cannot be read; nothing is then added.
        """
        found = [documents.read(file, name) for name, file in documents.find(paths).items()]
        with self._lock:
            known = {row[0]: row[1:] for row in self._rows("SELECT name, digest, origin FROM documents")}
            changed = [document for document in found if known.get(document.name, ("",))[0] != document.digest]
            for document in changed:
                other = known.get(document.name, ("", document.origin))[1]
                if other != document.origin and (not other or Path(other).is_file()):
                    raise UnderstudyError(
                        f"another document is called {document.name} ({other or 'added by hand'})",
                        where=document.origin,
                        mend="rename one of them, or delete the other from the store",
                    )
            if not changed:
                return Added(unchanged=len(found))
            vectors = [self._embedded(document.pieces) for document in changed]
            facts = 0
            with self._writing() as connection:
                for document, rows in zip(changed, vectors, strict=True):
                    connection.execute("DELETE FROM documents WHERE name = ?", (document.name,))
                    number = tables.put_document(connection, document.name, document.digest, document.origin)
                    tables.put_pieces(connection, number, document.pieces, rows)
                    facts += tables.put_facts(connection, number, document.facts)
                tables.sweep(connection)
            passages = sum(len(document.pieces) for document in changed)
            return Added(len(changed), passages, facts, len(found) - len(changed))

    def add_passages(self, passages: Iterable[Passage], document: str = "notes") -> list[int]:
        """Adds passages to a document of that name; one with the same title and text is there already.

        Returns:
            the id of each passage, in order.
        """
        given = list(passages)
        with self._lock:
            known = {(r.title, r.text): r.passage for r in self.passages(document)}
            fresh = {(p.title, p.text): p for p in reversed(given) if (p.title, p.text) not in known}
            pieces = [
                Piece(p.title, p.text, p.source or f"{document}#{p.title}", 0, len(p.text))
                for p in reversed(fresh.values())
            ]
            if pieces:
                vectors = self._embedded(pieces)
                with self._writing() as connection:
                    new = tables.put_pieces(connection, tables.by_hand(connection, document), pieces, vectors)
                known |= {(piece.title, piece.text): i for piece, i in zip(pieces, new, strict=True)}
            return [known[p.title, p.text] for p in given]

    def add_facts(
        self, facts: Iterable[Fact | tuple[str, str, str]], document: str = "facts", passage: int | None = None
    ) -> int:
        """Adds facts and says how many were new. ``also_called`` gives an alias, ``is_a`` a kind.

        Args:
            facts: facts or (subject, relation, object).
            document: what supports them; deleting it takes away facts that nothing else supports.
            passage: the id of the passage that says so; they then die with it as well.

        Raises:
            UnderstudyError: when a fact lacks a part, or there is no such passage.
        """
        given = [fact if isinstance(fact, Fact) else Fact(*fact) for fact in facts]
        for fact in given:
            if not (key_of(fact.subject) and fact.relation and fact.object.strip()):
                raise UnderstudyError(f"a fact lacks its subject, relation or object: {fact}", where=document)
        with self._lock, self._writing() as connection:
            source = document
            if passage is not None:
                found = connection.execute(
                    "SELECT d.name, p.source FROM passages p JOIN documents d ON d.id = p.document WHERE p.id = ?",
                    (passage,),
                ).fetchone()
                if found is None:
                    raise UnderstudyError(f"there is no passage {passage}", where=self._where)
                document, source = found
            sourced = [
                fact if fact.source else Fact(fact.subject, fact.relation, fact.object, source) for fact in given
            ]
            return tables.put_facts(connection, tables.by_hand(connection, document), sourced, passage)

    def delete(self, document: str) -> bool:
        """Deletes a document with all that only it supports; whether there was one."""
        return self._delete("DELETE FROM documents WHERE name = ?", document)

    def delete_passage(self, passage: int) -> bool:
        """Deletes a passage with all that only it supports; whether there was one."""
        return self._delete("DELETE FROM passages WHERE id = ?", passage)

    def _embedded(self, pieces: Sequence[Piece]) -> np.ndarray[Any, np.dtype[np.float32]]:
        return self._embedder.encode([f"{piece.title}. {piece.text}" for piece in pieces])

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with tables.writing(self._connection):
            tables.set_meta(self._connection, "embedder", self._embedder.name)
            yield self._connection

    def _delete(self, sql: str, value: str | int) -> bool:
        with self._lock, self._writing() as connection:
            gone = connection.execute(sql, (value,)).rowcount > 0
            tables.sweep(connection)
            return gone
