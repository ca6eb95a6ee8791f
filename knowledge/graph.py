"""The graph: personalised PageRank over passages and entities, and a networkx view of the facts.

p = (1 − d)·s + d·Mᵀp,  M row-stochastic, d = 0.85, s the seeds (Haveliwala 2002); nodes without edges give
their mass back to the seeds. Retrieval by it: HippoRAG (Gutiérrez et al. 2024), here without a language model.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .results import Fact

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DAMPING = 0.85
_SWINGS_UNTIL = 10
# How far back the way to a passage is followed, and over how many nodes.
_LONGEST_WAY = 6
_LOOKED_AT = 256


class Graph:
    """A directed weighted graph, in compressed rows of what leads into each node.

    Args:
        size: how many nodes there are, numbered from 0.
        sources: ``[edges]``, the node that an edge leaves.
        targets: ``[edges]``, the node that it leads to.
        weights: ``[edges]`` positive; repeated edges add up.
    """

    def __init__(self, size: int, sources: Ints, targets: Ints, weights: Floats) -> None:
        self.size = size
        total = np.bincount(sources, weights, size)
        order = np.argsort(targets, kind="stable")
        # As wide as numpy counts, or every step would widen them anew.
        self._sources = sources[order].astype(np.intp)
        self._targets = targets[order].astype(np.intp)
        # A step shares a node's mass among those that it leads to, by weight.
        self._shares = weights[order] / total[self._sources]
        self._starts = np.searchsorted(self._targets, np.arange(size + 1))

    @property
    def edges(self) -> int:
        """How many edges there are."""
        return len(self._sources)

    @property
    def nbytes(self) -> int:
        """The memory of its arrays, in bytes."""
        held = (self._sources, self._targets, self._shares, self._starts)
        return sum(array.nbytes for array in held)

    def listed(self) -> tuple[Ints, Floats]:
        """The edges ``[edges, 2]`` (source, target) and the share of its source's mass that each carries."""
        return np.stack([self._sources, self._targets], axis=1).astype(np.int64), self._shares

    def equals(self, other: Graph) -> bool:
        """Whether both have the same nodes, edges and weights."""
        return self.size == other.size and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in ("_sources", "_targets", "_shares")
        )

    def pagerank(
        self,
        seeds: Mapping[int, float],
        *,
        damping: float = DAMPING,
        tolerance: float = 1e-4,
        limit: int = 100,
        closed: Bools | None = None,
    ) -> Floats:
        """Personalised PageRank ``[size]``, summing to 1; zeros when no seed has weight.

        Args:
            seeds: node → weight.
            damping: the chance to follow an edge rather than go back to a seed.
            tolerance: stops when all changes together are smaller.
            limit: steps at most; few steps stay near the seeds.
            closed: ``[size]``, nodes that nobody may enter; who would, goes back to a seed.
        """
        start: NDArray[Any] = np.zeros(self.size)
        for node, weight in seeds.items():
            start[node] += weight
        if closed is not None:
            start[closed] = 0.0
        if start.sum() <= 0:
            return np.zeros(self.size)
        start /= start.sum()
        rank = start
        for step in range(limit):
            following = damping * np.bincount(self._targets, rank[self._sources] * self._shares, self.size)
            if closed is not None:
                following[closed] = 0.0
            # What did not flow on (from dangling nodes, into closed ones) starts again with the rest.
            following += (1.0 - float(following.sum())) * start
            change = np.abs(following - rank).sum()
            # Passages lead to entities and these to passages: what swings between the two sides, by −d a step, is most
            # of the error of a long walk, and a weighted mean of two steps is without it.
            rank = following if step != _SWINGS_UNTIL else (damping * rank + following) / (1.0 + damping)
            if change < tolerance:
                break
        return rank

    def way(self, to: int, seeds: Mapping[int, float], closed: Bools | None = None) -> list[int]:
        """The walk from a seed to ``to`` that carries most: the rank of a node is the sum over all walks to it.

        A best-first search back from ``to``, over the heaviest edges of each node; empty when it finds no seed soon.
        """
        most = max(seeds.values(), default=0.0)
        best, found = 0.0, []
        heap: list[tuple[float, int, tuple[int, ...]]] = [(-1.0, to, ())]
        seen: set[int] = set()
        while heap and len(seen) < _LOOKED_AT:
            carried, node, behind = heapq.heappop(heap)
            if -carried * most <= best:
                break
            if node in seen:
                continue
            seen.add(node)
            way = (node, *behind)
            if (worth := -carried * seeds.get(node, 0.0)) > best:
                best, found = worth, list(way)
            if len(way) > _LONGEST_WAY:
                continue
            row = slice(self._starts[node], self._starts[node + 1])
            passed_on = -carried * DAMPING * self._shares[row]
            for place in np.flatnonzero(passed_on * most > best)[:_LOOKED_AT]:
                neighbour = int(self._sources[row][place])
                if neighbour not in seen and (closed is None or not closed[neighbour]):
                    heapq.heappush(heap, (-float(passed_on[place]), neighbour, way))
        return found


@dataclass(frozen=True)
class KnowledgeGraph:
    """Passages and entities as one graph, by their ids in the store.

    Nodes are the passages and then the entities, both in the order of their ids. An entity that leads nowhere but to
    one passage is no node: a walk that begins at it begins at that passage.

    Attributes:
        passages: ids ``[P]``, rising.
        entities: ids ``[E]``, rising.
        only: ``[L, 2]`` (entity, its only passage), rising.
        graph: of ``P + E`` nodes.
    """

    passages: Ints
    entities: Ints
    only: Ints
    graph: Graph

    @property
    def nbytes(self) -> int:
        """The memory of its arrays, in bytes."""
        return self.graph.nbytes + self.passages.nbytes + self.entities.nbytes + self.only.nbytes

    def equals(self, other: KnowledgeGraph) -> bool:
        """Whether both have the same passages, entities and edges."""
        same = (np.array_equal(getattr(self, n), getattr(other, n)) for n in ("passages", "entities", "only"))
        return all(same) and self.graph.equals(other.graph)

    def walk(
        self,
        entities: Mapping[int, float],
        passages: Mapping[int, float],
        allowed: Ints | None = None,
        limit: int = 100,
    ) -> Walk:
        """Walks from these seeds (id → weight); ids that the graph does not have are left out.

        Args:
            entities: entity → weight.
            passages: passage → weight.
            allowed: where given, no other passage is entered.
            limit: steps at most.
        """
        seeds: dict[int, float] = {}
        begun: dict[int, int] = {}
        for number, weight in passages.items():
            if weight > 0 and (place := _place(self.passages, number)) is not None:
                seeds[place] = seeds.get(place, 0.0) + weight
        for number, weight in entities.items():
            if weight <= 0:
                continue
            if (place := _place(self.entities, number)) is not None:
                seeds[len(self.passages) + place] = weight
            elif (place := _place(self.only[:, 0], number)) is not None:
                node = _place(self.passages, int(self.only[place, 1]))
                if node is not None:
                    begun[node] = number
                    seeds[node] = seeds.get(node, 0.0) + weight
        closed: Bools | None = None
        if allowed is not None:
            closed = np.zeros(self.graph.size, dtype=np.bool_)
            closed[: len(self.passages)] = ~np.isin(self.passages, allowed)
            seeds = {node: weight for node, weight in seeds.items() if not closed[node]}
        return Walk(self, seeds, begun, self.graph.pagerank(seeds, closed=closed, limit=limit), closed)


def _place(ids: Ints, number: int) -> int | None:
    place = int(np.searchsorted(ids, number))
    return place if place < len(ids) and ids[place] == number else None


@dataclass(frozen=True)
class Walk:
    """Where a walk through the graph led.

    Attributes:
        graph: that was walked.
        seeds: node → weight.
        begun: the node of a passage → the entity by which the walk began there.
        rank: ``[nodes]``, the share of the time that it spent at each.
        closed: ``[nodes]``, those that it did not enter.
    """

    graph: KnowledgeGraph
    seeds: Mapping[int, float]
    begun: Mapping[int, int]
    rank: Floats
    closed: Bools | None = None

    def best(self, k: int) -> list[tuple[int, float]]:
        """The ``k`` passages that it reached most: (id, score), best first."""
        scores = self.rank[: len(self.graph.passages)]
        order = np.argsort(-scores, kind="stable")[:k]
        return [(int(self.graph.passages[i]), float(scores[i])) for i in order if scores[i] > 0]

    def way(self, passage: int) -> list[tuple[str, int]]:
        """How it came to a passage: ("entity" | "passage", id) from a seed to the passage itself."""
        count = len(self.graph.passages)
        nodes = self.graph.graph.way(int(np.searchsorted(self.graph.passages, passage)), self.seeds, self.closed)
        way = [
            ("passage", int(self.graph.passages[n])) if n < count else ("entity", int(self.graph.entities[n - count]))
            for n in nodes
        ]
        return [("entity", self.begun[nodes[0]]), *way] if nodes and nodes[0] in self.begun else way


def networkx_view(facts: Iterable[Fact]) -> Any:
    """The facts as a ``networkx.MultiDiGraph``.

    Entities are nodes; a fact between two is an edge with its relation as key, and with ``relation``, ``source``,
    ``valid_from`` and ``valid_until``. A literal is an attribute of its node, a list of texts where it has several.
    """
    import networkx

    view = networkx.MultiDiGraph()
    for fact in facts:
        if fact.literal:
            view.add_node(fact.subject)
            view.nodes[fact.subject].setdefault(fact.relation, []).append(fact.object)
            continue
        # A relation that holds in two times is two edges.
        key = " ".join(filter(None, (fact.relation, fact.valid_from, fact.valid_until)))
        view.add_edge(
            *(fact.subject, fact.object, key),
            relation=fact.relation,
            source=fact.source,
            valid_from=fact.valid_from,
            valid_until=fact.valid_until,
        )
    return view
