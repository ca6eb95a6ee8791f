import math

import pytest

from understudy.core.prompts import Passage
from understudy.knowledge import KnowledgeStore


def store_of(*texts: str) -> KnowledgeStore:
    store = KnowledgeStore.open(embedder="hashed")
    store.add_passages([Passage("", text) for text in texts])
    return store


def test_scores_are_bm25() -> None:
    texts = ["lima lima peru", "peru bolivia", "chile andes mountain range", "river", "road"]
    with store_of(*texts) as store:
        scores = {r.text: r.score for r in store.search("peru lima", recipe="lexical")}
    average = sum(len(t.split()) for t in texts) / 5

    def bm25(text: str) -> float:
        total = 0.0
        for word in ("peru", "lima"):
            holding = sum(word in t.split() for t in texts)
            idf = math.log((5 - holding + 0.5) / (holding + 0.5))
            count = text.split().count(word)
            total += max(idf, 1e-6) * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * len(text.split()) / average))
        return total

    assert scores == {text: pytest.approx(bm25(text)) for text in texts[:2]}


def test_stems_and_diacritics_fold() -> None:
    with store_of("Bogotá has many neighbours.", "Nothing here.") as store:
        assert [r.text for r in store.search("bogota", recipe="lexical")] == ["Bogotá has many neighbours."]
        assert [r.text for r in store.search("neighbour", recipe="lexical")] == ["Bogotá has many neighbours."]


@pytest.mark.parametrize(
    "query", ['"', "AND OR NOT", "a* NEAR(b)", "title:peru", "-x ^y {z}", "日本", "peru'; DROP TABLE passages"]
)
def test_no_query_is_an_error(query: str) -> None:
    with store_of("Peru and Chile") as store:
        store.search(query, recipe="lexical")
        assert len(store.passages()) == 1
