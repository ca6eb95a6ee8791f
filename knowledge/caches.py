"""The caches: what the store holds in memory beside SQLite, each with the version of the tables it was made from.

A reader asks for a cache within a snapshot; one of another version (also one that another process wrote) is brought up
to it first: the vectors by what has changed since, the graph by building it anew.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from . import tables
from .graph import KnowledgeGraph
from .mentions import build_graph, columns
from .vectors import VectorIndex

_AT_ONCE = 10_000
_SAMPLE = 50_000
# Graphs of different times and namespaces that are kept.
_GRAPHS = 8


class Caches:
    """Vector index and graphs over one open store. Call its methods within a reading transaction.

    Args:
        connection: the store.
        dimension: the width D of its vectors.
    """

    def __init__(self, connection: sqlite3.Connection, dimension: int) -> None:
        self._connection = connection
        self._dimension = dimension
        self._vectors: tuple[int, VectorIndex] | None = None
        self._graphs: OrderedDict[tuple[str | None, str | None], tuple[int, KnowledgeGraph]] = OrderedDict()

    @property
    def nbytes(self) -> dict[str, int]:
        """The memory of the vectors and of the graphs, in bytes."""
        vectors = 0 if self._vectors is None else len(self._vectors[1]) * (self._vectors[1].code_size + 8)
        return {"vectors": vectors, "graphs": sum(graph.nbytes for _, graph in self._graphs.values())}

    def vectors(self) -> VectorIndex:
        """The vector index of the present version."""
        version = tables.version(self._connection)
        known, index = self._vectors or (-1, None)
        if known != version or index is None:
            # Half of it in memory would be a lie: until it is whole there is none.
            self._vectors = None
            count = self._connection.execute("SELECT count(*) FROM vectors").fetchone()[0]
            # Ranges that were learned from few say little of many, and what has become few need not be rounded.
            if index is None or not index.exact and not index.flat_limit < count < 2 * index.trained_on:
                known, index = -1, self._empty(count)
            self._bring_up(index, known)
            self._vectors = (version, index)
        return index

    def _empty(self, count: int) -> VectorIndex:
        """An index for so many vectors; if they are many, with ranges that are learned from all parts of the store."""
        index = VectorIndex(self._dimension)
        if count > index.flat_limit:
            rows = self._connection.execute(
                "SELECT data FROM vectors WHERE passage % ? = 0", (max(1, count // _SAMPLE),)
            ).fetchall()
            index.quantise(_matrix([row[0] for row in rows]), count)
        return index

    def _bring_up(self, index: VectorIndex, known: int) -> None:
        sql = "SELECT passage, data FROM vectors WHERE version > ? ORDER BY passage"
        changed = self._connection.execute(sql, (known,))
        while rows := changed.fetchmany(_AT_ONCE):
            ids = np.array([row[0] for row in rows], dtype=np.int64)
            if known >= 0:
                index.remove(ids)
            index.add(ids, _matrix([row[1] for row in rows]))
        if self._connection.execute("SELECT count(*) FROM vectors").fetchone()[0] != len(index):
            kept = columns(self._connection, "SELECT passage FROM vectors", 1)[:, 0]
            index.remove(np.setdiff1d(index.ids(), kept))

    def graph(self, as_of: str | None = None, namespace: str | None = None) -> KnowledgeGraph:
        """The graph of the present version: of one namespace or all, with the facts of one time or of all times."""
        version = tables.version(self._connection)
        kept = self._graphs.get((as_of, namespace))
        if kept is None or kept[0] != version:
            kept = (version, build_graph(self._connection, as_of, namespace))
            self._graphs[as_of, namespace] = kept
        self._graphs.move_to_end((as_of, namespace))
        while len(self._graphs) > _GRAPHS:
            self._graphs.popitem(last=False)
        return kept[1]


def _matrix(rows: list[bytes]) -> NDArray[np.float32]:
    return np.frombuffer(b"".join(rows), dtype="<f4").reshape(len(rows), -1).astype(np.float32)
