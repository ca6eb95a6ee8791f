import pytest

from understudy.knowledge.entities import Mention
from understudy.knowledge.retrieval import RECIPES, Sides, covered, fused


def sides(mentions: list[Mention], seen: list[tuple[dict[int, float], dict[int, float]]] | None = None) -> Sides:
    def walk(entities, passages, k):  # type: ignore[no-untyped-def]
        if seen is not None:
            seen.append((dict(entities), dict(passages)))
        return [(9, 0.5)][:k]

    return Sides(
        lexical=lambda q, k: [(1, 5.0), (2, 4.0)][:k],
        dense=lambda q, k: [(2, 0.9), (3, 0.8)][:k],
        link=lambda q: mentions,
        entity_ids=lambda m: [100, 200] if m.others else [100],
        walk=walk,
    )


def test_reciprocal_rank_fusion() -> None:
    assert fused([(1.0, [(1, 9.0), (2, 8.0)]), (0.5, [(2, 0.1), (3, 0.0)])], 3) == [
        (2, pytest.approx(1 / 62 + 0.5 / 61)),
        (1, pytest.approx(1 / 61)),
        (3, pytest.approx(0.5 / 62)),
    ]
    assert fused([(1.0, []), (1.0, [])], 3) == []


def test_what_only_the_vectors_find_is_found_and_does_not_outvote_the_words() -> None:
    assert [i for i, _ in RECIPES["hybrid"]("q", 3, sides([]))] == [2, 1, 3]
    assert RECIPES["hybrid"]("q", 3, sides([]))[2][1] < RECIPES["hybrid"]("q", 3, sides([]))[1][1] / 5


def test_each_recipe_asks_its_sides() -> None:
    none = sides([])
    assert [i for i, _ in RECIPES["lexical"]("q", 1, none)] == [1]
    assert [i for i, _ in RECIPES["dense"]("q", 5, none)] == [2, 3]
    assert [i for i, _ in RECIPES["hybrid"]("q", 5, none)] == [2, 1, 3]
    assert [i for i, _ in RECIPES["auto"]("q", 5, none)] == [2, 1, 3], "nothing linked: hybrid"
    assert [i for i, _ in RECIPES["auto"]("Peru", 5, sides([Mention("Peru", 0, 4)]))] == [9]


def test_seeds_are_shared_between_entities_and_passages() -> None:
    seen: list[tuple[dict[int, float], dict[int, float]]] = []
    RECIPES["graph"]("capital of Peru", 5, sides([Mention("Peru", 11, 15)], seen))
    RECIPES["graph"]("French", 5, sides([Mention("French", 0, 6, ("France",))], seen))
    RECIPES["auto"]("Peru", 5, sides([Mention("Peru", 0, 4)], seen))
    (graph, both, alone) = seen
    assert graph[0] == {100: pytest.approx(0.3)} and sum(graph[1].values()) == pytest.approx(0.7)
    assert both[0] == {100: pytest.approx(0.15), 200: pytest.approx(0.15)}
    assert alone[0] == {100: pytest.approx(1.0)} and sum(alone[1].values()) == pytest.approx(0), "all of it is linked"


def test_covered_counts_the_words_that_matter() -> None:
    assert covered("What is the capital of Peru", [Mention("Peru", 23, 27)]) == 0.5
    assert covered("of the", []) == 0.0
