"""What the store answers: search, facts and names, each from one version of the tables and caches."""

from __future__ import annotations

import sqlite3
from threading import RLock
from typing import Any

from ..core.errors import UnderstudyError
from . import caches, lexical, tables
from .caches import Caches
from .embedding import Embedder
from .entities import Mention
from .graph import networkx_view
from .results import Fact, Result
from .retrieval import RECIPES, Sides
from .text import words

_FACTS = """
SELECT s.name, f.relation, coalesce(o.name, f.object),
    (SELECT source FROM support WHERE fact = f.id ORDER BY rowid LIMIT 1)
FROM facts f JOIN entities s ON s.id = f.subject LEFT JOIN entities o ON o.id = f.entity
"""


class StoreReader:
    """Answers from an open store. Each answer comes from one snapshot of the tables; threads may share a reader."""

    def __init__(self, connection: sqlite3.Connection, embedder: Embedder, where: str) -> None:
        self._connection = connection
        self._embedder = embedder
        self._where = where
        self._lock = RLock()
        self._cached: Caches | None = None

    def search(self, query: str, k: int = 5, recipe: str = "auto") -> list[Result]:
        """The ``k`` passages that answer ``query`` best, best first; none for an empty store or query.

        Args:
            query: a question or some words.
            k: how many at most.
            recipe: ``lexical``, ``dense``, ``hybrid``, ``graph`` or ``auto``.

        Raises:
            UnderstudyError: for an unknown recipe.
        """
        if recipe not in RECIPES:
            raise UnderstudyError(f"there is no recipe {recipe!r}", mend=f"use one of {', '.join(RECIPES)}")
        if k < 1 or not words(query):
            return []
        with self._lock, tables.reading(self._connection):
            ready = self._caches()
            sides = Sides(
                lexical=lambda text, n: lexical.search(self._connection, text, n),
                dense=lambda text, n: ready.vectors.search(self._embedder.encode([text])[0], n),
                link=ready.linker.link,
                entity_ids=ready.entity_ids,
                walk=ready.graph.rank,
            )
            ranking = RECIPES[recipe](query, k, sides)
            places = ", ".join("?" * len(ranking))
            rows = self._rows(
                f'SELECT id, title, text, source, start, "end" FROM passages WHERE id IN ({places})',
                *(passage for passage, _ in ranking),
            )
        scores = dict(ranking)
        found = [Result(title, text, source, start, end, scores[i], i) for i, title, text, source, start, end in rows]
        order = {passage: rank for rank, (passage, _) in enumerate(ranking)}
        return sorted(found, key=lambda result: order[result.passage])

    def passages(self, document: str | None = None) -> list[Result]:
        """All passages, or those of one document, in the order in which they came."""
        rows = self._rows(
            'SELECT p.title, p.text, p.source, p.start, p."end", 0.0, p.id FROM passages p '
            "JOIN documents d ON d.id = p.document WHERE ?1 IS NULL OR d.name = ?1 ORDER BY p.id",
            document,
        )
        return [Result(*row) for row in rows]

    def link(self, text: str) -> list[Mention]:
        """The entities that ``text`` names, in order: longest match, whatever the case, plural or possessive."""
        with self._lock, tables.reading(self._connection):
            return self._caches().linker.link(text)

    def facts(self, entity: str, relation: str | None = None, *, names: bool = False) -> list[Fact]:
        """What the graph says about an entity (its name or an alias): as subject first, then as object.

        A fact told from both ends ("A borders B", "B borders A") is given once, from the entity's own end.

        Args:
            entity: a name or alias; an unknown one has no facts.
            relation: only this relation.
            names: whether ``is_a`` and ``also_called`` are told as well.
        """
        with self._lock, tables.reading(self._connection):
            ready = self._caches()
            meant = ready.linker.entities(entity)
            if not meant:
                return []
            number = ready.ids[meant[0]]
            rows = self._rows(f"{_FACTS} WHERE f.subject = ?1 OR f.entity = ?1 ORDER BY f.subject != ?1, f.id", number)
        told: dict[tuple[str, str, str], Fact] = {}
        for fact in (Fact(*row) for row in rows):
            if (fact.object, fact.relation, fact.subject) in told or (relation or fact.relation) != fact.relation:
                continue
            if names or relation or fact.relation not in tables.NAMING:
                told[fact.subject, fact.relation, fact.object] = fact
        return list(told.values())

    def neighbours(self, entity: str, relation: str | None = None) -> list[str]:
        """The entities one edge away (along ``relation`` where given), in the order of :meth:`facts`."""
        found: dict[str, None] = {}
        own = self.resolve(entity)
        for fact in self.facts(entity, relation):
            if fact.relation not in tables.NAMING:
                found[fact.object if fact.subject == own else fact.subject] = None
        return [name for name in found if name != own]

    def resolve(self, name: str) -> str | None:
        """The entity that a name or alias means, None when there is none."""
        with self._lock, tables.reading(self._connection):
            return next(iter(self._caches().linker.entities(name)), None)

    def entities(self, kind: str | None = None) -> list[str]:
        """The names of all entities that facts or passages are sure of, or of those that are a ``kind``; sorted."""
        if kind is not None:
            sql = "SELECT e.name FROM facts f JOIN entities e ON e.id = f.subject WHERE f.relation = ? AND f.object = ?"
            return sorted(row[0] for row in self._rows(sql, tables.KIND, kind))
        with self._lock, tables.reading(self._connection):
            return sorted(self._caches().ids)

    def kinds(self, entity: str) -> list[str]:
        """What an entity is (``is_a``): ``["country"]``."""
        own = self.resolve(entity)
        return [fact.object for fact in self.facts(entity, tables.KIND) if fact.subject == own]

    def graph(self) -> Any:
        """The facts as a ``networkx.MultiDiGraph`` (aliases and kinds left out)."""
        return networkx_view(Fact(*row) for row in self._rows(f"{_FACTS} WHERE f.entity IS NOT NULL ORDER BY f.id"))

    def stats(self) -> dict[str, int]:
        """How many documents, passages, entities and facts there are, and the version."""
        counted = {
            part: int(self._rows(f"SELECT count(*) FROM {part}")[0][0])
            for part in ("documents", "passages", "entities", "facts")
        }
        return counted | {"version": self.version}

    @property
    def version(self) -> int:
        """Goes up by one with every change."""
        with self._lock:
            return int(tables.meta(self._connection, "version") or 0)

    def check(self) -> list[str]:
        """What is out of step between the tables and the indexes; an empty list when all agrees."""
        with self._lock:
            problems = (
                [] if lexical.agrees(self._connection) else ["the lexical index does not say what the passages say"]
            )
            missing = "SELECT count(*) FROM passages WHERE id NOT IN (SELECT passage FROM vectors)"
            if count := self._rows(missing)[0][0]:
                problems.append(f"{count} passages have no vector")
            if self._rows("PRAGMA foreign_key_check"):
                problems.append("a row names another that is gone")
            return problems

    def _rows(self, sql: str, *values: object) -> list[Any]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def _caches(self) -> Caches:
        version = tables.meta(self._connection, "version") or "0"
        if self._cached is None or self._cached.version != version:
            self._cached = caches.build(self._connection, version, self._embedder.dimension)
        return self._cached
