from collections.abc import Iterator

import pytest

from understudy.core.prompts import Passage
from understudy.knowledge import KnowledgeStore
from understudy.knowledge.mentions import standing_for
from understudy.knowledge.names import lookup


@pytest.fixture
def store() -> Iterator[KnowledgeStore]:
    with KnowledgeStore.open(embedder="hashed") as opened:
        yield opened


def meanings(store: KnowledgeStore, *keys: str) -> dict[str, list[tuple[int, str]]]:
    return {key: [(c.rank, c.entity) for c in found] for key, found in lookup(store._connection, keys).items()}


def test_own_names_come_before_aliases_and_those_before_what_only_texts_name(store: KnowledgeStore) -> None:
    store.add_facts(
        [("France", "also_called", "French"), ("Quebec", "also_called", "French"), ("French", "is_a", "language")]
    )
    store.add_facts([("Japan", "also_called", "Nippon")])
    store.add_passages([Passage("", "He sailed to Nippon and Atlantis in spring.")])
    assert meanings(store, "french", "nippon", "atlantis", "nowhere", "spring", "he") == {
        "french": [(0, "French"), (1, "France"), (1, "Quebec")],
        "nippon": [(1, "Japan"), (2, "Nippon")],
        "atlantis": [(2, "Atlantis")],
    }


def test_a_word_that_only_opens_sentences_names_nothing_until_something_vouches_for_it(store: KnowledgeStore) -> None:
    store.add_passages([Passage("", "Lima lies low.")])
    assert meanings(store, "lima") == {} and store.entities() == []
    store.add_facts([("Lima", "is_a", "city")])
    assert meanings(store, "lima") == {"lima": [(0, "Lima")]} and [r.text for r in store.naming("Lima")] == [
        "Lima lies low."
    ]


def test_a_title_is_a_sure_name(store: KnowledgeStore) -> None:
    store.add_passages([Passage("the river", "It flows past Iquitos.")])
    assert meanings(store, "the river", "iquitos") == {"the river": [(0, "the river")], "iquitos": [(2, "Iquitos")]}


def test_an_alias_goes_with_its_fact(store: KnowledgeStore) -> None:
    store.add_facts([("Japan", "also_called", "Nippon")], "a")
    store.add_facts([("Japan", "is_a", "country")], "b")
    assert store.resolve("nippon") == "Japan"
    store.delete("a")
    assert store.resolve("nippon") is None and store.resolve("japan") == "Japan" and store.check() == []


def test_texts_that_use_an_alias_stand_for_the_entity(store: KnowledgeStore) -> None:
    store.add_passages([Passage("", "He sailed to Nippon."), Passage("", "She sailed to Japan.")])
    assert standing_for(store._connection) == {}
    store.add_facts([("Japan", "also_called", "Nippon")])
    numbers = dict(store._connection.execute("SELECT key, id FROM entities"))
    assert standing_for(store._connection) == {numbers["nippon"]: [numbers["japan"]]}
    assert {r.text for r in store.search("Japan", 5, "graph")} == {"He sailed to Nippon.", "She sailed to Japan."}
    store.add_facts([("Nippon", "is_a", "newspaper")])
    assert standing_for(store._connection) == {}, "it has become something of its own"


def test_thousands_of_keys_are_one_question(store: KnowledgeStore) -> None:
    store.add_facts([(f"Name{i}", "is_a", "thing") for i in range(50)])
    assert len(meanings(store, *(f"name{i}" for i in range(40_000)))) == 50
