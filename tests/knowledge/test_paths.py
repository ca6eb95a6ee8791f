from collections.abc import Mapping

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.knowledge import Fact, KnowledgeStore
from understudy.knowledge.paths import Step, simple_paths

EDGES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=14)


def asked_of(edges: list[tuple[int, int]], asked: list[int]):  # type: ignore[no-untyped-def]
    def neighbours(nodes: frozenset[int]) -> Mapping[int, list[Step]]:
        asked.extend(nodes)
        steps: dict[int, list[Step]] = {node: [] for node in nodes}
        for number, (a, b) in enumerate(edges):
            for one, other in ((a, b), (b, a)):
                if one in nodes:
                    steps[one].append((other, number))
        return steps

    return neighbours


@given(EDGES, st.integers(0, 6), st.integers(0, 6), st.integers(0, 6))
@settings(max_examples=300, deadline=None)
def test_paths_are_those_of_networkx(edges: list[tuple[int, int]], start: int, goal: int, longest: int) -> None:
    graph = nx.MultiGraph()
    graph.add_nodes_from(range(7))
    for number, (a, b) in enumerate(edges):
        graph.add_edge(a, b, key=number)
    asked: list[int] = []
    found = list(simple_paths(start, goal, asked_of(edges, asked), longest))
    expected = []
    if start != goal and longest:
        expected = [[e[2] for e in p] for p in nx.all_simple_edge_paths(graph, start, goal, cutoff=longest)]
    assert sorted(found) == sorted(expected)
    assert [len(way) for way in found] == sorted(map(len, found)), "the shortest first"
    assert len(asked) == len(set(asked)), "no entity is asked twice"


def test_a_long_way_is_found_and_no_longer_one() -> None:
    line = [(node, node + 1) for node in range(9)]
    for goal in range(1, 10):
        assert list(simple_paths(0, goal, asked_of(line, []), goal)) == [list(range(goal))]
        assert list(simple_paths(goal, 0, asked_of(line, []), goal)) == [list(range(goal))[::-1]]
        assert list(simple_paths(0, goal, asked_of(line, []), goal - 1)) == []


def test_only_what_lies_near_both_ends_is_looked_at() -> None:
    edges = [(0, 1), (1, 2), *((2, leaf) for leaf in range(10, 200)), *((leaf, leaf + 200) for leaf in range(10, 200))]
    asked: list[int] = []
    assert list(simple_paths(0, 2, asked_of(edges, asked), 2)) == [[0, 1]]
    assert len(asked) <= 3


def ways(store: KnowledgeStore, *ends: str, **options: object) -> list[list[str]]:
    return [[str(fact) for fact in way] for way in store.paths(*ends, **options)]  # type: ignore[arg-type]


def test_paths_of_a_store() -> None:
    with KnowledgeStore.open(embedder="hashed") as store:
        store.add_facts([("A", "r", "B"), ("C", "r", "B"), ("A", "s", "B"), ("A", "also_called", "Alpha")])
        store.add_facts([Fact("A", "r", "C", valid_from="2000", valid_until="2010"), Fact("A", "n", "7", literal=True)])
        store.add_facts([("C", "r", "D"), ("A", "r", "B")], namespace="other")
        assert ways(store, "alpha", "C") == [["A r C"], ["A r B", "C r B"], ["A s B", "C r B"]]
        assert ways(store, "C", "A")[0] == ["A r C"] and ways(store, "A", "C", limit=2) == ways(store, "A", "C")[:2]
        assert ways(store, "A", "C", longest=1) == [["A r C"]] and ways(store, "A", "C", limit=0) == []
        assert ways(store, "A", "C", as_of="2010") == [["A r B", "C r B"], ["A s B", "C r B"]]
        assert ways(store, "A", "C", as_of="2000-01-01")[0] == ["A r C"]
        assert ways(store, "A", "D", namespace="default") == [] and ways(store, "C", "D", namespace="other") == [
            ["C r D"]
        ]
        assert ways(store, "A", "D")[0] == ["A r C", "C r D"]
        assert [[f.source for f in way] for way in store.paths("A", "B", 1, namespace="other")] == [["facts"]]
        assert ways(store, "A", "A") == ways(store, "A", "Atlantis") == ways(store, "A", "7") == []
