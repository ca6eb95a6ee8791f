from collections.abc import Iterator

import pytest

from understudy.core.prompts import Passage
from understudy.knowledge import HashedEmbedder, KnowledgeStore
from understudy.knowledge.mentions import build_graph, standing_for


@pytest.fixture
def store() -> Iterator[KnowledgeStore]:
    with KnowledgeStore.open(embedder=HashedEmbedder(8)) as opened:
        yield opened


def edges(store: KnowledgeStore, namespace: str | None = None) -> dict[tuple[str, str], float]:
    """(from, to) → the share, with passages by their texts and entities by their names."""
    graph = build_graph(store._connection, None, namespace)
    texts = {r.passage: r.text for r in store.passages()}
    names = dict(store._connection.execute("SELECT id, name FROM entities"))
    nodes = [texts[i] for i in graph.passages] + [names[i] for i in graph.entities]
    pairs, shares = graph.graph.listed()
    return {(nodes[a], nodes[b]): share for (a, b), share in zip(pairs.tolist(), shares.tolist(), strict=True)}


def only(store: KnowledgeStore) -> dict[str, str]:
    """The entities that stand in one passage alone, with its text."""
    texts = {r.passage: r.text for r in store.passages()}
    names = dict(store._connection.execute("SELECT id, name FROM entities"))
    return {names[entity]: texts[passage] for entity, passage in build_graph(store._connection).only.tolist()}


def named(store: KnowledgeStore) -> set[tuple[str, str]]:
    """(entity, text) for all that the graph takes a passage to name."""
    return {(a, b) for a, b in edges(store) if b.endswith(".")} | set(only(store).items())


def test_passages_and_entities_lead_to_each_other(store: KnowledgeStore) -> None:
    assert edges(store) == {}
    store.add_passages([Passage("", "We saw Ada near Bob."), Passage("", "We heard Ada, and Cid.")])
    store.add_facts([("Bob", "knows", "Dan"), ("Dan", "knows", "Bob"), ("Dan", "loves", "Dan")])
    one, two = "We saw Ada near Bob.", "We heard Ada, and Cid."
    both_ways = {(one, "Ada"), (two, "Ada"), (one, "Bob"), ("Bob", "Dan")}
    assert edges(store).keys() == both_ways | {(b, a) for a, b in both_ways}
    assert only(store) == {"Cid": two}


def test_a_title_and_a_rare_name_lead_more(store: KnowledgeStore) -> None:
    about, other = "We live with Bob and Ada here.", "We saw Ada near Bob, and Cid."
    store.add_passages([Passage("Ada", about), Passage("", other), Passage("", "We met Ada.")])
    found = edges(store)
    assert found["Ada", about] > 5 * found["Ada", other] and found["Bob", about] == found["Bob", other]
    assert found[other, "Bob"] > found[other, "Ada"], "who names fewer passages tells more"


def test_what_only_texts_vouch_for_stands_for_what_is_known(store: KnowledgeStore) -> None:
    texts = [
        "We went to Holland.",
        "We saw President Barack Obama.",
        "We like US Steel.",
        "We met Barack Obama Junior Smith.",
    ]
    store.add_passages([Passage("", text) for text in texts])
    store.add_facts(
        [("Netherlands", "also_called", "Holland"), ("Barack Obama", "is_a", "person"), ("US", "is_a", "country")]
    )
    assert named(store) >= {("Netherlands", texts[0]), ("Barack Obama", texts[1]), ("Barack Obama", texts[3])}
    assert ("US", texts[2]) in named(store), "known, and written in capitals"
    store.add_facts([("President Barack Obama", "is_a", "title"), ("Holland", "is_a", "region")])
    assert not {("Netherlands", texts[0]), ("Barack Obama", texts[1])} & named(store), "they are something of their own"
    store.delete("facts")
    assert standing_for(store._connection) == {} and edges(store) == {}


def test_several_names_inside_a_longer_one(store: KnowledgeStore) -> None:
    store.add_passages([Passage("", "We read the Peru and Chile Review.")])
    store.add_facts([("Peru", "borders", "Chile"), ("Chile Review", "is_a", "journal"), ("Review", "is_a", "text")])
    text = "We read the Peru and Chile Review."
    assert named(store) == {("Peru", text), ("Chile Review", text)}, "the longest, and none within another"


def test_a_namespace_has_its_own_passages_and_facts(store: KnowledgeStore) -> None:
    store.add_passages([Passage("", "We saw Ada near Bob.")], namespace="one")
    store.add_passages([Passage("", "We heard Ada, and Cid.")], namespace="two")
    store.add_facts([("Ada", "knows", "Bob")], namespace="one")
    store.add_facts([("Ada", "knows", "Cid")], namespace="two")
    names = {name for pair in edges(store, "one") for name in pair}
    assert names == {"We saw Ada near Bob.", "Ada", "Bob"} and edges(store, "three") == {}
    assert len(edges(store)) == 12
