import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.prompts import Passage
from understudy.knowledge import KnowledgeStore
from understudy.knowledge.diversity import diverse

RANKING = [(10, 3.0), (11, 2.0), (12, 1.0)]
VECTORS = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)


def test_nothing_repeats_what_stands_before_it() -> None:
    assert diverse(RANKING, VECTORS, 3, 0.0) == [0, 1, 2] and diverse(RANKING, VECTORS, 3, 1.0) == [0, 2, 1]
    assert diverse(RANKING, VECTORS, 2, 0.7) == [0, 2]


def test_none_one_and_equal_scores() -> None:
    assert diverse([], VECTORS[:0], 3, 0.5) == [] and diverse(RANKING, VECTORS, 0, 0.5) == []
    assert diverse(RANKING[:1], VECTORS[:1], 5, 0.5) == [0]
    assert diverse([(1, 2.0), (2, 2.0), (3, 2.0)], VECTORS, 3, 0.5) == [0, 2, 1]


@given(st.integers(0, 2**32), st.integers(1, 8), st.integers(1, 9), st.floats(0, 1))
def test_each_choice_is_the_best_of_those_left(seed: int, count: int, k: int, diversity: float) -> None:
    random = np.random.default_rng(seed)
    scores = np.sort(random.uniform(size=count))[::-1]
    vectors = random.normal(size=(count, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    chosen = diverse([(i, float(s)) for i, s in enumerate(scores)], vectors, k, diversity)
    assert len(set(chosen)) == len(chosen) == min(k, count) and chosen[0] == 0
    spread = scores[0] - scores[-1]
    for place in range(1, len(chosen)):

        def worth(i: int, before: list[int] = chosen[:place]) -> float:
            relevance = (scores[i] - scores[-1]) / spread
            return float((1 - diversity) * relevance - diversity * max(vectors[i] @ vectors[j] for j in before))

        rest = [i for i in range(count) if i not in chosen[:place]]
        assert worth(chosen[place]) >= max(map(worth, rest)) - 1e-5


def test_a_search_with_diversity_gives_the_other_passage() -> None:
    with KnowledgeStore.open(embedder="hashed") as store:
        texts = ["Lima is the capital of Peru.", "Lima is the capital of Peru!", "The capital market crashed in May."]
        store.add_passages([Passage("", text) for text in texts])
        for recipe in ("lexical", "dense", "hybrid", "graph"):
            assert {r.text for r in store.search("capital of Peru", 2, recipe)} == set(texts[:2])
            found = store.search("capital of Peru", 2, recipe, diversity=0.8)
            assert found[0].text in texts[:2] and found[1].text == texts[2]
