"""The caches: what the store holds in memory beside SQLite, each with the version of the tables it was made from.

A reader asks for a cache within a snapshot; one of another version (also one that another process wrote) is brought up
to it first: the vectors by what has changed since, the graph by building it anew.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict

import numpy as np

from . import tables
from .graph import KnowledgeGraph
from .mentions import build_graph, columns
from .vectors import VectorIndex

_AT_ONCE = 10_000
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
        if self._vectors is None:
            self._vectors = (-1, VectorIndex(self._dimension))
        known, index = self._vectors
        if known != version:
            # Half of it in memory would be a lie: until it is whole there is none.
            self._vectors = None
            self._bring_up(index, known)
            self._vectors = (version, index)
        return index

    def _bring_up(self, index: VectorIndex, known: int) -> None:
        sql = "SELECT passage, data FROM vectors WHERE version > ? ORDER BY passage"
        changed = self._connection.execute(sql, (known,))
        while rows := changed.fetchmany(_AT_ONCE):
            ids = np.array([row[0] for row in rows], dtype=np.int64)
            if known >= 0:
                index.remove(ids)
            data = np.frombuffer(b"".join(row[1] for row in rows), dtype="<f4").reshape(len(rows), -1)
            index.add(ids, data.astype(np.float32))
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
