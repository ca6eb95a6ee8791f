"""The graph: personalised PageRank over passages and entities, and a networkx view of the facts.

p = (1 − d)·s + d·Mᵀp,  M row-stochastic, d = 0.85, s the seeds (Haveliwala 2002); nodes without edges give
their mass back to the seeds. Retrieval by it: HippoRAG (Gutiérrez et al. 2024), here without a language model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .results import Fact

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAMPING = 0.85


class Graph:
    """An undirected weighted graph in compressed rows (CSR).

    Args:
        size: how many nodes there are, numbered from 0.
        edges: ``[edges, 2]`` node numbers; loops are left out, repeated edges add up.
        weights: ``[edges]`` positive.
    """

    def __init__(self, size: int, edges: Ints, weights: Floats) -> None:
        self.size = size
        apart = edges[:, 0] != edges[:, 1]
        edges, weights = edges[apart], weights[apart]
        rows = np.concatenate([edges[:, 0], edges[:, 1]])
        columns = np.concatenate([edges[:, 1], edges[:, 0]])
        both = np.concatenate([weights, weights])
        order = np.argsort(rows, kind="stable")
        self._columns = columns[order]
        total = np.bincount(rows, weights=both, minlength=size)
        self._dangling = total == 0
        # A step shares a node's mass among its neighbours by weight.
        self._shares = both[order] / total[rows[order]]
        self._rows = rows[order]

    @property
    def edges(self) -> int:
        """How many edges there are, counting a repeated one each time."""
        return len(self._rows) // 2

    def pagerank(
        self, seeds: Mapping[int, float], *, damping: float = DAMPING, tolerance: float = 1e-4, limit: int = 100
    ) -> Floats:
        """Personalised PageRank ``[size]``, summing to 1; zeros when no seed has weight.

        Args:
            seeds: node → weight.
            damping: the chance to follow an edge rather than go back to a seed.
            tolerance: stops when all changes together are smaller.
            limit: steps at most.
        """
        start = np.zeros(self.size)
        for node, weight in seeds.items():
            start[node] += weight
        if start.sum() <= 0:
            return np.zeros(self.size)
        start /= start.sum()
        rank = start.copy()
        for _ in range(limit):
            flow = np.bincount(self._columns, weights=rank[self._rows] * self._shares, minlength=self.size)
            following = damping * (flow + rank[self._dangling].sum() * start) + (1 - damping) * start
            change = np.abs(following - rank).sum()
            rank = following
            if change < tolerance:
                break
        return rank


class KnowledgeGraph:
    """Passages and entities as one graph, by their ids in the store.

    Args:
        passages: ids of the passages.
        entities: ids of the entities.
        mentions: (passage, entity, weight).
        relations: (entity, entity, weight).
    """

    def __init__(
        self,
        passages: Sequence[int],
        entities: Sequence[int],
        mentions: Iterable[tuple[int, int, float]],
        relations: Iterable[tuple[int, int, float]],
    ) -> None:
        self._passages = np.array(passages, dtype=np.int64)
        self._passage_node = {passage: node for node, passage in enumerate(passages)}
        self._entity_node = {entity: node for node, entity in enumerate(entities, len(passages))}
        triples = [(self._passage_node[p], self._entity_node[e], w) for p, e, w in mentions]
        triples += [(self._entity_node[a], self._entity_node[b], w) for a, b, w in relations]
        edges = np.array([triple[:2] for triple in triples], dtype=np.int64).reshape(-1, 2)
        weights = np.array([triple[2] for triple in triples], dtype=np.float64)
        self.graph = Graph(len(passages) + len(entities), edges, weights)

    def rank(self, entities: Mapping[int, float], passages: Mapping[int, float], k: int) -> list[tuple[int, float]]:
        """The ``k`` passages that a walk from these seeds reaches most: (id, score), best first."""
        seeds = {self._entity_node[e]: w for e, w in entities.items() if e in self._entity_node}
        seeds |= {self._passage_node[p]: w for p, w in passages.items() if p in self._passage_node}
        scores = self.graph.pagerank(seeds)[: len(self._passages)]
        order = np.argsort(-scores, kind="stable")[:k]
        return [(int(self._passages[i]), float(scores[i])) for i in order if scores[i] > 0]


def networkx_view(facts: Iterable[Fact]) -> Any:
    """The facts as a ``networkx.MultiDiGraph``: entities as nodes, the relation as key and attribute of each edge."""
    import networkx

    view = networkx.MultiDiGraph()
    for fact in facts:
        view.add_edge(fact.subject, fact.object, key=fact.relation, relation=fact.relation, source=fact.source)
    return view
