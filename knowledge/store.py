"""The knowledge store: passages, vectors, names and facts in one SQLite file, searched together."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from ..core.errors import UnderstudyError
from ..core.prompts import Passage
from . import documents, lexical, spotting, tables
from .embedders import DEFAULT, embedder
from .embedding import Embedder
from .extraction import Extractor, RuleExtractor
from .pieces import Document, Piece
from .results import DEFAULT_NAMESPACE, Added, Fact
from .writer import Progress, StoreWriter, whole


class KnowledgeStore(StoreWriter):
    """Passages and facts with their sources, found by words, by likeness and through the graph.

    SQLite is the truth: every change is one transaction over passages, vectors, lexical index, entities and facts.
    The vector index and the graph are caches that carry the version they were built from; a search that sees another
    version (also one that another process wrote) brings them up to it. Threads may share a store and take turns. One
    process writes at a time, the others wait; processes that read never wait.

    >>> with KnowledgeStore.open(":memory:", "hashed") as store:
    ...     _ = store.add_passages([Passage("Peru", "Lima is the capital of Peru.", "notes")])
    ...     _ = store.add_facts([("Peru", "borders", "Chile")])
    ...     store.search("capital of Peru")[0].text, store.neighbours("Chile")
    ('Lima is the capital of Peru.', ['Peru'])
    """

    @classmethod
    def open(
        cls,
        path: str | Path = ":memory:",
        embedder: Embedder | str | None = None,
        extractor: Extractor | None = None,
    ) -> KnowledgeStore:
        """Opens the store at ``path``, making it where there is none.

        Args:
            path: the SQLite file, or ``:memory:``.
            embedder: turns passages and queries into vectors: ``default`` (the shipped backbone), ``hashed``, a folder,
                a hub id, or an object. Without one a store keeps the one it was made with.
            extractor: finds names and facts in new passages, by rule unless one is given.

        Raises:
            UnderstudyError: when the file is something else, or holds vectors of another embedder.
        """
        connection = tables.connect(path)
        try:
            chosen = _embedder(embedder, connection)
            kept = tables.meta(connection, "embedder")
            if kept not in (None, chosen.name):
                raise UnderstudyError(
                    f"its vectors are of the embedder {kept}, not of {chosen.name}",
                    where=str(path),
                    mend=f"open it with that embedder, or embed it anew: understudy knowledge rebuild {path}",
                )
        except BaseException:
            connection.close()
            raise
        store = cls(connection, chosen, str(path))
        store._extractor = extractor or RuleExtractor()
        return store

    @classmethod
    def rebuild(
        cls, path: str | Path, embedder: Embedder | str | None = None, progress: Progress | None = None
    ) -> KnowledgeStore:
        """Opens the store, embeds every passage anew and builds the lexical index anew.

        Args:
            path: the SQLite file.
            embedder: as for :meth:`open`; without one that of the store, as it is now.
            progress: is told how far it is.

        Raises:
            UnderstudyError: when the file is no store, or the embedder cannot be loaded.
        """
        connection = tables.connect(path)
        try:
            store = cls(connection, _embedder(embedder, connection), str(path))
            store._extractor = RuleExtractor()
            rows = connection.execute("SELECT id, title, text FROM passages ORDER BY id").fetchall()
            pieces = [Piece(title, text, "", 0, 0) for _, title, text in rows]
            vectors = dict(zip((row[0] for row in rows), store._embedded(pieces, progress), strict=True))
            with store._writing(anew=True) as changes:
                present = connection.execute("SELECT id FROM passages").fetchall()
                if {number for (number,) in present} != vectors.keys():
                    raise UnderstudyError("another process changed it meanwhile", where=str(path), mend="try again")
                for number, vector in vectors.items():
                    changes.vector(number, vector)
                lexical.rebuild(connection)
                spotting.spot_all(connection)
        except BaseException:
            connection.close()
            raise
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

    def add(
        self,
        *paths: str | Path,
        namespace: str = DEFAULT_NAMESPACE,
        metadata: Mapping[str, Any] | None = None,
        again: bool = False,
        progress: Progress | None = None,
    ) -> Added:
        """Adds files, folders and globs. The same content again changes nothing; a changed file replaces what it said.

        A document keeps the name it first had, that of its file; a passage that was deleted from it by hand stays
        deleted until it changes. All files are read before the first change, and all go in together.

        Args:
            paths: see :mod:`.documents` for what can be read.
            namespace: the part of the store that they go into.
            metadata: what is said about all of them.
            again: whether files go in anew that have not changed, as after a change of metadata or extractor.
            progress: is told how far it is.

        Raises:
            UnderstudyError: for a path that is not there and a file that cannot be read; nothing is then added.
        """
        with self._lock:
            known = self._known(namespace)
            names = {origin: name for name, (_, origin) in known.items() if origin}
            files = documents.find(paths)
            found: list[Document] = []
            for name, file in files.items():
                if progress:
                    progress("read", len(found), len(files))
                found.append(documents.read(file, names.get(str(file), name)))
            changed = [one for one in found if again or known.get(one.name, ("", ""))[0] != one.digest]
            _no_namesakes(changed, known)
            if not changed:
                return Added(unchanged=len(found))
            pieces = [piece for document in changed for piece in document.pieces]
            vectors = self._embedded(pieces, progress)
            extractions = self._extractor.extract(pieces)
            done = 0
            with self._writing() as changes:
                # Another process may have added some of them in the meantime.
                _no_namesakes(changed, self._known(namespace))
                for document in changed:
                    changes.drop_document(namespace, document.name)
                    said = {**(metadata or {}), **document.metadata}
                    number = changes.document(namespace, document.name, document.digest, document.origin, said)
                    part = slice(done, done + len(document.pieces))
                    ids = changes.pieces(number, pieces[part], vectors[part], extractions[part], said)
                    own = {piece.source: i for piece, i in zip(document.pieces, ids, strict=True)}
                    for fact in document.facts:
                        changes.facts(number, [fact], own.get(fact.source))
                    done = part.stop
                    if progress:
                        progress("write", done, len(pieces))
            counts = len(changed), len(pieces), changes.new_facts, len(found) - len(changed)
            return Added(*counts, tuple(changes.duplicates))

    def _known(self, namespace: str) -> dict[str, tuple[str, str]]:
        """Document → its digest, and the file that it came from."""
        rows = self._rows("SELECT name, digest, origin FROM documents WHERE namespace = ?", namespace)
        return {name: (digest, origin) for name, digest, origin in rows}

    def add_passages(
        self, passages: Iterable[Passage], document: str = "notes", namespace: str = DEFAULT_NAMESPACE
    ) -> list[int]:
        """Adds passages to a document of that name; one with the same title and text is there already.

        Returns:
            the id of each passage, in order.
        """
        given = list(passages)
        with self._lock:
            known = self._passages_there(given, document, namespace)
            fresh = {(p.title, p.text): p for p in reversed(given) if (p.title, p.text) not in known}
            pieces = [
                Piece(p.title, p.text, p.source or f"{document}#{p.title}", 0, len(p.text))
                for p in reversed(fresh.values())
            ]
            if pieces:
                vectors = self._embedded(pieces)
                extractions = self._extractor.extract(pieces)
                with self._writing() as changes:
                    # Another process may have added some of them in the meantime.
                    known = self._passages_there(given, document, namespace)
                    own = [i for i, piece in enumerate(pieces) if (piece.title, piece.text) not in known]
                    new = changes.pieces(
                        changes.by_hand(namespace, document),
                        [pieces[i] for i in own],
                        vectors[own],
                        [extractions[i] for i in own],
                    )
                known |= {(pieces[i].title, pieces[i].text): number for i, number in zip(own, new, strict=True)}
            return [known[p.title, p.text] for p in given]

    def _passages_there(self, given: Sequence[Passage], document: str, namespace: str) -> dict[tuple[str, str], int]:
        """Which of these passages a document has already, and their ids."""
        rows = self._rows(
            "SELECT p.title, p.text, p.id FROM documents d JOIN passages p ON p.document = d.id "
            "WHERE d.name = ? AND d.namespace = ? AND p.title IN (SELECT value FROM json_each(?)) ORDER BY p.id",
            *(document, namespace, json.dumps([passage.title for passage in given])),
        )
        return {(title, text): number for title, text, number in rows}

    def add_facts(
        self,
        facts: Iterable[Fact | tuple[str, str, str]],
        document: str = "facts",
        passage: int | None = None,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> int:
        """Adds facts and says how many were new. ``also_called`` gives an alias, ``is_a`` a kind.

        Args:
            facts: facts or (subject, relation, object).
            document: what supports them; deleting it takes away facts that nothing else supports.
            passage: the id of the passage that says so; they then die with it as well.
            namespace: of the document.

        Raises:
            UnderstudyError: when a fact lacks a part, its times are none, or there is no such passage.
        """
        given = [whole(fact if isinstance(fact, Fact) else _fact(fact, document), document) for fact in facts]
        with self._lock, self._writing() as changes:
            if passage is None:
                return changes.facts(changes.by_hand(namespace, document), given, source=document)
            row = self._rows("SELECT document, source FROM passages WHERE id = ?", passage)
            if not row:
                raise UnderstudyError(f"there is no passage {passage}", where=self._where)
            return changes.facts(row[0][0], given, passage, source=row[0][1])

    def compact(self) -> tuple[int, int]:
        """Gives the disk back what was deleted; the bytes of the file before and after."""
        with self._lock:
            before = self._size()
            with tables.writing(self._connection):
                spotting.forget_unknown(self._connection)
            self._connection.execute("INSERT INTO lexical(lexical) VALUES ('optimize')")
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return before, self._size()

    def _size(self) -> int:
        if self._where == ":memory:":
            pages, size = (self._rows(f"PRAGMA {name}")[0][0] for name in ("page_count", "page_size"))
            return int(pages * size)
        return sum(file.stat().st_size for file in (Path(self._where), Path(f"{self._where}-wal")) if file.is_file())


def _no_namesakes(found: Sequence[Document], known: Mapping[str, tuple[str, str]]) -> None:
    for document in found:
        _, origin = known.get(document.name, ("", document.origin))
        if origin != document.origin and (not origin or Path(origin).is_file()):
            raise UnderstudyError(
                f"another document is called {document.name} ({origin or 'added by hand'})",
                where=document.origin,
                mend="rename one of them, use another namespace, or delete the other from the store",
            )


def _fact(parts: Sequence[Any], where: str) -> Fact:
    if isinstance(parts, str) or len(parts) != 3 or not all(isinstance(part, str) for part in parts):
        mend = "give (subject, relation, object), three texts"
        raise UnderstudyError(f"not a fact: {parts!r}", where=where, mend=mend)
    return Fact(*parts)


def _embedder(given: Embedder | str | None, connection: sqlite3.Connection) -> Embedder:
    if given is not None and not isinstance(given, str):
        return given
    # A store of format 1 has no source; its embedder's name was one.
    kept = tables.meta(connection, "embedder_source") or tables.meta(connection, "embedder")
    return embedder(given or kept or DEFAULT)


__all__ = ["KnowledgeStore", "Progress"]
