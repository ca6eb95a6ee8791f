from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.knowledge.graph import DAMPING, Graph, KnowledgeGraph, networkx_view
from understudy.knowledge.results import Fact

EXACT = {"tolerance": 1e-12, "limit": 1000}
EDGE = st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from([0.5, 1.0, 5.0]))
SEEDS = st.dictionaries(st.integers(0, 7), st.sampled_from([0.1, 1.0, 3.0]), min_size=1, max_size=3)
Edges = list[tuple[int, int, float]]


def graph_of(size: int, edges: Edges) -> Graph:
    sources, targets = (np.array([edge[side] for edge in edges], dtype=np.int64) for side in (0, 1))
    return Graph(size, sources, targets, np.array([edge[2] for edge in edges], dtype=np.float64))


def by_networkx(edges: Edges) -> nx.DiGraph:
    """The same eight nodes and edges, repeated ones added up."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(8))
    for a, b, weight in edges:
        graph.add_edge(a, b, weight=graph.get_edge_data(a, b, {"weight": 0.0})["weight"] + weight)
    return graph


def dense_pagerank(size: int, edges: Edges, start: np.ndarray, damping: float, closed: tuple[int, ...]) -> np.ndarray:
    """The oracle: the linear system solved outright."""
    adjacency = np.zeros((size, size))
    for a, b, weight in edges:
        adjacency[a, b] += weight
    total = adjacency.sum(1)
    walk = np.where(total[:, None] > 0, adjacency / np.maximum(total, 1e-300)[:, None], start)
    # Who would enter a closed node goes back to a seed.
    walk += walk[:, list(closed)].sum(1, keepdims=True) * start
    walk[:, list(closed)] = 0.0
    return np.linalg.solve(np.eye(size) - damping * walk.T, (1 - damping) * start)


@pytest.mark.parametrize("closed", [(), (7, 11, 29)])
@pytest.mark.parametrize("damping", [0.5, 0.85])
def test_pagerank_solves_its_equation(damping: float, closed: tuple[int, ...]) -> None:
    random = np.random.default_rng(1)
    edges = [(int(a), int(b), float(w)) for a, b, w in random.uniform((0, 0, 0.5), (28, 28, 3), (90, 3))]
    start = np.zeros(30)  # nodes 28 and 29 have no edge
    start[[2, 5, 28]] = [0.5, 0.3, 0.2]
    shut = np.isin(np.arange(30), closed)
    rank = graph_of(30, edges).pagerank({2: 5, 5: 3, 28: 2}, damping=damping, closed=shut, **EXACT)
    np.testing.assert_allclose(rank, dense_pagerank(30, edges, start, damping, closed), atol=1e-9)
    assert rank.sum() == pytest.approx(1) and not rank[list(closed)].any()


@given(st.lists(EDGE, max_size=14), SEEDS)
@settings(max_examples=200, deadline=None)
def test_pagerank_is_that_of_networkx(edges: Edges, seeds: dict[int, float]) -> None:
    other = by_networkx(edges)
    told = nx.pagerank(other, DAMPING, personalization=seeds, dangling=seeds, tol=1e-12, max_iter=1000)
    expected = [told[node] for node in range(8)]
    graph = graph_of(8, edges)
    assert graph.pagerank(seeds, **EXACT) == pytest.approx(expected, abs=1e-8)
    assert graph.pagerank(seeds) == pytest.approx(expected, abs=2e-3)
    # The sum of what s + dMs + … + dⁿMⁿs carries after n steps goes no farther than n edges.
    near = nx.multi_source_dijkstra_path_length(other, seeds, weight=None)
    assert {i for i in range(8) if graph.pagerank(seeds, limit=1)[i] > 0} <= {i for i, far in near.items() if far <= 1}


@given(st.lists(EDGE, max_size=12), st.permutations(range(7)))
@settings(max_examples=100, deadline=None)
def test_edges_are_listed_and_compared(edges: Edges, order: list[int]) -> None:
    graph, pairs = graph_of(8, edges), [edge[:2] for edge in edges]
    listed, shares = graph.listed()
    assert sorted(map(tuple, listed.tolist())) == sorted(pairs) and graph.edges == len(edges) and graph.nbytes > 0
    assert np.bincount(listed[:, 0], shares, 8)[[a for a, _ in pairs]] == pytest.approx(1), (
        "each node shares all it has"
    )
    assert graph.equals(graph_of(8, edges)) and not graph.equals(graph_of(8, [*edges, (0, 7, 1.0)]))
    assert not graph.equals(graph_of(9, edges))
    renamed = graph_of(8, [(order[a], order[b], weight) for a, b, weight in edges]).pagerank({order[3]: 1.0}, **EXACT)
    assert renamed[order[5]] == pytest.approx(graph.pagerank({3: 1.0}, **EXACT)[5]), "numbers do not matter"


@given(
    st.lists(EDGE, max_size=12, unique_by=lambda edge: edge[:2]), SEEDS, st.integers(0, 6), st.sets(st.integers(0, 6))
)
@settings(max_examples=200, deadline=None)
def test_the_way_is_the_walk_that_carries_most(edges: Edges, seeds: dict[int, float], to: int, shut: set[int]) -> None:
    shut -= {to}
    seeds = {node: weight for node, weight in seeds.items() if node not in shut}
    graph = by_networkx(edges)
    total = dict(graph.out_degree(weight="weight"))

    def carried(way: list[int]) -> float:
        shares = [DAMPING * graph[a][b]["weight"] / total[a] for a, b in pairwise(way)]
        return seeds.get(way[0], 0.0) * float(np.prod(shares))

    open_ = graph.subgraph(set(range(8)) - shut)
    ways = [way for seed in seeds for way in ([[to]] if seed == to else nx.all_simple_paths(open_, seed, to))]
    found = graph_of(8, edges).way(to, seeds, np.isin(np.arange(8), list(shut)))
    assert bool(found) == bool(ways) and not shut & set(found)
    if found:
        assert found[-1] == to and carried(found) == pytest.approx(max(map(carried, ways)))


def test_without_seeds_or_edges() -> None:
    graph = graph_of(3, [])
    assert graph.pagerank({}).tolist() == graph.pagerank({1: 0.0}).tolist() == [0, 0, 0]
    np.testing.assert_allclose(graph.pagerank({1: 2.0}), [0, 1, 0])
    assert graph.pagerank({1: 1.0}, closed=np.array([False, True, False])).tolist() == [0, 0, 0]
    assert graph.edges == 0 and graph.way(0, {}) == [] and graph.way(0, {0: 1.0}) == [0]
    assert graph_of(0, []).pagerank({}).tolist() == []


def small(*edges: tuple[int, int]) -> KnowledgeGraph:
    """Passages 1 to 3 (nodes 0 to 2) and entities 10, 20 and 30 (3 to 5), with edges both ways; 40 is only in 3."""
    both = [(a, b, 1.0) for one, other in edges for a, b in ((one, other), (other, one))]
    return KnowledgeGraph(np.array([1, 2, 3]), np.array([10, 20, 30]), np.array([[40, 3]]), graph_of(6, both))


def test_a_walk_reaches_passages_over_relations() -> None:
    graph = small((0, 3), (1, 4), (2, 5), (3, 4))
    walk = graph.walk({10: 1.0}, {})
    assert [passage for passage, _ in walk.best(5)] == [1, 2], "30 is not connected"
    assert [passage for passage, _ in walk.best(1)] == [1] and walk.way(3) == []
    assert walk.way(2) == [("entity", 10), ("entity", 20), ("passage", 2)] and walk.rank.sum() == pytest.approx(1)
    assert graph.walk({99: 1.0}, {98: 1.0}).best(5) == graph.walk({10: 0.0}, {1: -1.0}).best(5) == []
    assert [passage for passage, _ in graph.walk({10: 1.0}, {}, limit=1).best(5)] == [1], "one step"
    assert graph.equals(small((0, 3), (1, 4), (2, 5), (3, 4))) and not graph.equals(small((0, 3))) and graph.nbytes > 0


def test_an_entity_of_one_passage_begins_there() -> None:
    walk = small((0, 3), (2, 3)).walk({40: 1.0}, {})
    assert [passage for passage, _ in walk.best(5)] == [3, 1]
    assert walk.way(3) == [("entity", 40), ("passage", 3)]
    assert walk.way(1) == [("entity", 40), ("passage", 3), ("entity", 10), ("passage", 1)]
    assert small((0, 3)).walk({40: 1.0}, {}, np.array([1])).best(5) == []


def test_a_walk_enters_no_passage_that_is_not_allowed() -> None:
    graph = small((0, 3), (0, 5), (1, 4), (2, 5), (3, 4))
    assert [passage for passage, _ in graph.walk({10: 1.0}, {}).best(5)] == [1, 2, 3]
    walk = graph.walk({10: 1.0}, {1: 5.0}, np.array([3, 2]))
    assert [passage for passage, _ in walk.best(5)] == [2], "the way to 3 leads through 1"
    assert graph.walk({10: 1.0}, {}, np.array([], dtype=np.int64)).best(5) == []


def test_the_view_is_the_facts() -> None:
    facts = [
        Fact("Peru", "borders", "Chile", "t#1"),
        Fact("Peru", "likes", "Chile", "t#2", "2001"),
        Fact("Peru", "likes", "Chile", "t#3", "2003"),
        Fact("Peru", "population", "33", literal=True),
        Fact("Peru", "population", "34", literal=True),
    ]
    view = networkx_view(facts)
    assert isinstance(view, nx.MultiDiGraph) and dict(view.nodes(data=True)) == {
        "Peru": {"population": ["33", "34"]},
        "Chile": {},
    }
    assert sorted((a, b, d["relation"], d["source"], d["valid_from"]) for a, b, d in view.edges(data=True)) == [
        ("Peru", "Chile", "borders", "t#1", ""),
        ("Peru", "Chile", "likes", "t#2", "2001"),
        ("Peru", "Chile", "likes", "t#3", "2003"),
    ]
