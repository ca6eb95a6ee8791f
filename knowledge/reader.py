"""What the store answers: search and passages, beside what :mod:`.graph_reader` answers of its graph."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from ..core.errors import UnderstudyError
from . import checks, facts, lexical, names, tables
from .caches import Caches
from .diversity import diverse
from .embedding import Embedder
from .filters import Filter, Where, filtered
from .graph_reader import GraphReader
from .results import Hop, Result
from .retrieval import RECIPES, Sides
from .text import words
from .times import instant

_PASSAGES = """
SELECT p.title, p.text, p.source, p.start, p."end", 0.0, p.id, d.name, d.namespace, p.headings, p.metadata
FROM passages p JOIN documents d ON d.id = p.document
"""
# How many candidates a result that differs from the others is chosen from.
_CANDIDATES = 8


class StoreReader(GraphReader):
    """Answers from an open store. Each answer comes from one snapshot of the tables; threads may share a reader.

    ``namespace`` narrows an answer to one part of the store, ``as_of`` to the facts that held at a time (an ISO 8601
    text or a date); without them it comes from all parts and from all times.
    """

    def __init__(self, connection: sqlite3.Connection, embedder: Embedder, where: str) -> None:
        super().__init__(connection)
        self._embedder = embedder
        self._where = where
        self._caches = Caches(connection, embedder.dimension)

    def search(
        self,
        query: str,
        k: int = 5,
        recipe: str = "auto",
        *,
        where: Where | None = None,
        namespace: str | None = None,
        as_of: str | date | None = None,
        diversity: float = 0.0,
    ) -> list[Result]:
        """The ``k`` passages that answer ``query`` best, best first; none for an empty store or query.

        Args:
            query: a question or some words.
            k: how many at most.
            recipe: ``lexical``, ``dense``, ``hybrid``, ``graph`` or ``auto``.
            where: conditions on the metadata: ``{"lang": "en", "year": {"gte": 2000}}``, see :mod:`.filters`.
            namespace: only passages of this part of the store, and ways through the graph that stay in it.
            as_of: only facts that held then lead through the graph.
            diversity: 0 to 1: how much a result must differ from those before it (maximal marginal relevance).

        Raises:
            UnderstudyError: for an unknown recipe, a condition that is none, or a diversity out of its range.
        """
        if recipe not in RECIPES:
            raise UnderstudyError(f"there is no recipe {recipe!r}", mend=f"use one of {', '.join(RECIPES)}")
        if not 0.0 <= diversity <= 1.0:
            raise UnderstudyError(f"diversity is a number from 0 to 1, not {diversity}")
        only = filtered(where, namespace)
        time = None if as_of is None else instant(as_of)
        if k < 1 or not words(query):
            return []
        # Outside of the lock: a model may take its time.
        vector = self._embedder.encode([query])[0] if recipe != "lexical" else None
        with self._lock, tables.reading(self._connection):
            self._require_embedder()
            sides = self._sides(vector, only, time, namespace)
            found = RECIPES[recipe](query, k if diversity == 0.0 else _CANDIDATES * k, sides)
            ranking = found.ranking
            if diversity > 0.0 and ranking:
                vectors = self._caches.vectors().vectors(np.array([passage for passage, _ in ranking], dtype=np.int64))
                ranking = [ranking[place] for place in diverse(ranking, vectors, k, diversity)]
            told = {result.passage: result for result in self._results([passage for passage, _ in ranking])}
            return [
                replace(
                    told[passage],
                    score=score,
                    path=()
                    if found.walk is None
                    else self._hops(found.walk.way(passage), told[passage].source, time, namespace),
                )
                for passage, score in ranking
            ]

    def _require_embedder(self) -> None:
        kept = tables.meta(self._connection, "embedder")
        if kept not in (None, self._embedder.name):
            raise UnderstudyError(
                f"another process has embedded it anew, with {kept}", where=self._where, mend="open the store again"
            )

    def _sides(self, vector: Any, only: Filter, time: str | None, namespace: str | None) -> Sides:
        allowed = None
        if only.sql:
            allowed = np.array([row[0] for row in self._rows(only.ids, *only.values)], dtype=np.int64)
        index = None if vector is None else self._caches.vectors()
        return Sides(
            lexical=lambda text, n: lexical.search(self._connection, text, n, only),
            dense=lambda text, n: [] if index is None else index.search(vector, n, allowed),
            dense_weight=self._embedder.weight,
            likeness=lambda ids: {} if index is None else index.likeness(vector, ids),
            spread=0.0 if index is None else index.spread(vector),
            passages=0 if index is None else len(index),
            link=self._linker.link,
            entity_ids=lambda mention: self._ids((mention.entity, *mention.others)),
            walk=lambda entities, passages, steps: self._caches.graph(time, namespace).walk(
                entities, passages, allowed, steps
            ),
        )

    def _results(self, ids: Sequence[int]) -> list[Result]:
        rows = self._rows(f"{_PASSAGES} WHERE p.id IN (SELECT value FROM json_each(?))", json.dumps(list(ids)))
        return [_result(row) for row in rows]

    def _hops(self, way: list[tuple[str, int]], own: str, time: str | None, namespace: str | None) -> tuple[Hop, ...]:
        hops: list[Hop] = []
        before: int | None = None
        for kind, number in way:
            if kind == "passage":
                name = (
                    own
                    if number == way[-1][1]
                    else self._rows("SELECT source FROM passages WHERE id = ?", number)[0][0]
                )
                hops.append(Hop("passage", name))
                before = None
                continue
            name = self._rows("SELECT name FROM entities WHERE id = ?", number)[0][0]
            relation, forward = "", True
            if before is not None:
                relation, forward = facts.relation_between(self._connection, before, number, time, namespace)
            hops.append(Hop("entity", name, relation, forward))
            before = number
        return tuple(hops)

    def passages(self, document: str | None = None, namespace: str | None = None) -> list[Result]:
        """All passages, or those of one document, in the order in which they came."""
        rows = self._rows(
            f"{_PASSAGES} WHERE (?1 IS NULL OR d.name = ?1) AND (?2 IS NULL OR d.namespace = ?2) ORDER BY p.id",
            *(document, namespace),
        )
        return [_result(row) for row in rows]

    def documents(self, namespace: str | None = None) -> list[str]:
        """The names of the documents, in the order in which they came."""
        sql = "SELECT name FROM documents WHERE ?1 IS NULL OR namespace = ?1 ORDER BY id"
        return [row[0] for row in self._rows(sql, namespace)]

    def listing(self, namespace: str | None = None) -> list[dict[str, Any]]:
        """Each document: ``name``, ``namespace``, ``origin``, and how many ``passages`` and ``facts`` it supports."""
        rows = self._rows(
            "SELECT name, namespace, origin, (SELECT count(*) FROM passages WHERE document = d.id), "
            "(SELECT count(DISTINCT fact) FROM support WHERE document = d.id) "
            "FROM documents d WHERE ?1 IS NULL OR namespace = ?1 ORDER BY id",
            namespace,
        )
        return [dict(zip(("name", "namespace", "origin", "passages", "facts"), row, strict=True)) for row in rows]

    def naming(self, entity: str, namespace: str | None = None) -> list[Result]:
        """The passages that name an entity, those about it (by their title) first."""
        with self._lock, tables.reading(self._connection):
            meant = self._ids(self._linker.entities(entity)[:1])
            rows = self._rows(
                f"{_PASSAGES} LEFT JOIN mentions m ON m.passage = p.id AND m.entity = ?1 "
                f"WHERE (m.entity IS NOT NULL OR p.id IN ({names.NAMING})) "
                "AND (?2 IS NULL OR d.namespace = ?2) ORDER BY coalesce(m.titled, 0) DESC, p.id",
                *(meant[0] if meant else -1, namespace),
            )
        return [_result(row) for row in rows]

    def namespaces(self) -> list[str]:
        """The parts of the store, sorted."""
        return [row[0] for row in self._rows("SELECT DISTINCT namespace FROM documents ORDER BY 1")]

    def stats(self) -> dict[str, int]:
        """How many documents, passages, entities and facts there are, and the version."""
        with self._lock, tables.reading(self._connection):
            counted = {
                part: int(self._rows(f"SELECT count(*) FROM {part}")[0][0])
                for part in ("documents", "passages", "entities", "facts")
            }
            return counted | {"version": tables.version(self._connection)}

    @property
    def version(self) -> int:
        """Goes up by one with every change."""
        with self._lock:
            return tables.version(self._connection)

    @property
    def embedder(self) -> Embedder:
        """What its vectors come from."""
        return self._embedder

    def check(self) -> list[str]:
        """What is out of step between the tables, the indexes and the caches; an empty list when all agrees."""
        with self._lock:
            return checks.problems(self._connection, self._caches, self._embedder.dimension)


def _result(row: Sequence[Any]) -> Result:
    title, text, source, start, end, score, *named, headings, metadata = row
    told = (*named, tuple(json.loads(headings)), json.loads(metadata))
    return Result(title, text, source, start, end, score, *told)
