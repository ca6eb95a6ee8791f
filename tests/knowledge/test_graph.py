import networkx as nx
import numpy as np
import pytest

from understudy.knowledge.graph import Graph, KnowledgeGraph, networkx_view
from understudy.knowledge.results import Fact


def dense_pagerank(size: int, edges: np.ndarray, weights: np.ndarray, start: np.ndarray, damping: float) -> np.ndarray:
    """The oracle: the linear system solved outright."""
    adjacency = np.zeros((size, size))
    for (a, b), w in zip(edges, weights, strict=True):
        if a != b:
            adjacency[a, b] += w
            adjacency[b, a] += w
    total = adjacency.sum(1)
    walk = np.where(total[:, None] > 0, adjacency / np.maximum(total, 1e-300)[:, None], start)
    return np.linalg.solve(np.eye(size) - damping * walk.T, (1 - damping) * start)


@pytest.mark.parametrize("damping", [0.5, 0.85])
def test_pagerank_solves_its_equation(damping: float) -> None:
    random = np.random.default_rng(1)
    edges = random.integers(0, 28, size=(60, 2))
    weights = random.uniform(0.5, 3, size=60)
    start = np.zeros(30)  # nodes 28 and 29 have no edge
    start[[2, 5, 29]] = [0.5, 0.3, 0.2]
    rank = Graph(30, edges, weights).pagerank({2: 5, 5: 3, 29: 2}, damping=damping, tolerance=1e-12, limit=1000)
    np.testing.assert_allclose(rank, dense_pagerank(30, edges, weights, start, damping), atol=1e-9)
    assert rank.sum() == pytest.approx(1)


def test_without_seeds_or_edges() -> None:
    graph = Graph(3, np.zeros((0, 2), dtype=np.int64), np.zeros(0))
    assert graph.pagerank({}).tolist() == [0, 0, 0]
    np.testing.assert_allclose(graph.pagerank({1: 2.0}), [0, 1, 0])
    assert graph.edges == 0


def test_a_walk_reaches_passages_over_relations() -> None:
    graph = KnowledgeGraph([1, 2, 3], [10, 20, 30], [(1, 10, 1.0), (2, 20, 1.0), (3, 30, 1.0)], [(10, 20, 1.0)])
    assert [passage for passage, _ in graph.rank({10: 1.0}, {}, 5)] == [1, 2], "30 is not connected"
    assert graph.rank({99: 1.0}, {98: 1.0}, 5) == []


def test_the_view_is_the_facts() -> None:
    view = networkx_view([Fact("Peru", "borders", "Chile", "t#1"), Fact("Peru", "likes", "Chile", "t#2")])
    assert isinstance(view, nx.MultiDiGraph)
    assert sorted((a, b, d["relation"], d["source"]) for a, b, d in view.edges(data=True)) == [
        ("Peru", "Chile", "borders", "t#1"),
        ("Peru", "Chile", "likes", "t#2"),
    ]
