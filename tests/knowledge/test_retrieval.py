from collections.abc import Mapping
from dataclasses import replace
from statistics import pstdev

import numpy as np
import pytest

from understudy.knowledge.entities import Mention
from understudy.knowledge.graph import Graph, KnowledgeGraph, Walk
from understudy.knowledge.retrieval import (
    RECIPES,
    SEED_PASSAGES,
    STEPS,
    Ranking,
    Sides,
    covered,
    entities,
    fused,
    nearest,
)

Seeds = tuple[dict[int, float], dict[int, float]]
# Passages 1, 2, 3 and 9; passage 9 names the entity 100, and nothing the entity 200.
EDGES = Graph(6, np.array([3, 4]), np.array([4, 3]), np.ones(2))
GRAPH = KnowledgeGraph(np.array([1, 2, 3, 9]), np.array([100, 200]), np.zeros((0, 2), np.int64), EDGES)
COSINES = {1: 0.1, 2: 0.9, 3: 0.8, 9: 0.0}
PERU = Mention("Peru", 11, 15)


def sides(mentions: list[Mention], seen: list[Seeds] | None = None, dense_weight: float = 0.1) -> Sides:
    def walk(named: Mapping[int, float], passages: Mapping[int, float], steps: int) -> Walk:
        assert steps == STEPS
        if seen is not None:
            seen.append((dict(named), dict(passages)))
        return GRAPH.walk(named, passages)

    return Sides(
        lexical=lambda q, k: [(1, 5.0), (2, 4.0)][:k],
        dense=lambda q, k: [(2, 0.9), (3, 0.8)][:k],
        dense_weight=dense_weight,
        likeness=lambda ids: {i: COSINES[i] for i in ids},
        spread=pstdev(COSINES.values()),
        passages=4,
        link=lambda q: mentions,
        entity_ids=lambda m: [100, 200] if m.others else [100],
        walk=walk,
    )


def asked(recipe: str, query: str, k: int, of: Sides) -> Ranking:
    return RECIPES[recipe](query, k, of).ranking


def test_reciprocal_rank_fusion() -> None:
    assert fused([(1.0, [(1, 9.0), (2, 8.0)]), (0.5, [(2, 0.1), (3, 0.0)])], 3) == [
        (2, pytest.approx(1 / 62 + 0.5 / 61)),
        (1, pytest.approx(1 / 61)),
        (3, pytest.approx(0.5 / 62)),
    ]
    assert fused([(1.0, []), (1.0, [])], 3) == []


def test_what_only_the_vectors_find_is_found_and_does_not_outvote_the_words() -> None:
    found = asked("hybrid", "q", 3, sides([]))
    assert [i for i, _ in found] == [2, 1, 3] and found[2][1] < found[1][1] / 5
    equal = asked("hybrid", "q", 3, sides([], dense_weight=1.0))
    assert equal[2][1] > equal[1][1] / 2, "vectors that know meanings count more"


def test_each_recipe_asks_its_sides() -> None:
    none = sides([])
    assert [i for i, _ in asked("lexical", "q", 1, none)] == [1]
    assert [i for i, _ in asked("dense", "q", 5, none)] == [2, 3]
    assert [i for i, _ in asked("hybrid", "q", 5, none)] == [2, 1, 3]
    for recipe in ("graph", "auto"):
        alone = [i for i, _ in asked(recipe, "q", 5, none)]
        assert alone[0] == 2 and set(alone) == {1, 2, 3}, "nothing linked: from the nearest passages"
        found = RECIPES[recipe]("Who is in Peru", 5, sides([PERU]))
        assert {i for i, _ in found.ranking} == {1, 2, 3, 9} and found.walk is not None
        assert found.walk.way(9) == [("entity", 100), ("passage", 9)] and asked(recipe, "Peru", 2, none)[0][0] == 2


def test_seeds_are_shared_between_entities_and_passages() -> None:
    seen: list[Seeds] = []
    RECIPES["graph"]("capital of Peru", 5, sides([PERU], seen))
    RECIPES["graph"]("people in French", 5, sides([Mention("French", 10, 16, ("France",))], seen))
    RECIPES["auto"]("Peru", 5, sides([Mention("Peru", 0, 4)], seen))
    RECIPES["auto"]("capital of Peru", 5, sides([PERU], seen))
    RECIPES["auto"]("capital", 5, sides([], seen))
    graph, both, alone, half, none = [(named, sum(passages.values())) for named, passages in seen]
    for named, rest in (graph, both, alone, half, none):
        assert sum(named.values()) + rest == pytest.approx(1)
    assert graph[0][100] > 0 and graph[1] > 0 and both[0][100] == both[0][200] and none[0] == {}
    assert graph[0][100] < half[0][100] < alone[0][100], "the more is linked, the more the entities lead"


def test_a_walk_begins_at_what_words_and_vectors_find_nearest() -> None:
    found = nearest("q", sides([]))
    assert sum(found.values()) == pytest.approx(1) and max(found, key=lambda i: found[i]) == 2
    assert found.keys() == {1, 2, 3} and min(found.values()) > 0, "what words alone find has its likeness, too"
    many = [(i, 1.0) for i in range(100)]
    wide = replace(sides([]), lexical=lambda q, k: many[:k], dense=lambda q, k: [], likeness=lambda ids: {}, spread=0.0)
    assert len(nearest("q", wide)) == SEED_PASSAGES and set(nearest("q", wide).values()) == {1 / SEED_PASSAGES}
    nothing = replace(wide, lexical=lambda q, k: [], passages=0)
    assert nearest("q", nothing) == {} and RECIPES["graph"]("q", 5, nothing).ranking == []
    assert [i for i, _ in asked("auto", "q", 5, replace(nothing, link=lambda q: [PERU]))] == [9]


def test_names_that_are_vouched_for_lead() -> None:
    def weights(*mentions: Mention) -> dict[int, float]:
        of = Sides(**{**vars(sides([])), "entity_ids": lambda m: [int(m.entity)]})
        return entities("Peru peru Peru", mentions, of)

    sure, written, like = Mention("1", 0, 4), Mention("2", 10, 14, sure=False), Mention("3", 5, 9, sure=False)
    found = weights(sure, written, like)
    assert found[1] > found[2] > found[3] > 0 and sum(found.values()) == pytest.approx(1)
    assert weights() == {} and weights(like) == {3: 1.0}


def test_covered_counts_the_words_that_matter() -> None:
    assert covered("What is the capital of Peru", [Mention("Peru", 23, 27)]) == 0.5
    assert covered("of the", []) == 0.0
