from collections.abc import Iterator

import pytest

from understudy.core.errors import UnderstudyError
from understudy.core.prompts import Passage
from understudy.knowledge import Fact, KnowledgeStore


@pytest.fixture
def store() -> Iterator[KnowledgeStore]:
    with KnowledgeStore.open(embedder="hashed") as opened:
        yield opened


def test_as_subject_first_and_then_as_object(store: KnowledgeStore) -> None:
    store.add_facts([("Chile", "sells_to", "Peru"), ("Peru", "borders", "Chile"), ("Peru", "is_a", "country")])
    assert [str(f) for f in store.facts("Peru")] == ["Peru borders Chile", "Chile sells to Peru"]
    assert [f.object for f in store.facts("Peru", names=True)] == ["Chile", "country", "Peru"]
    assert [f.object for f in store.facts("Peru", "is_a")] == ["country"], "who asks for a kind is told it"
    assert len(store.all_facts()) == 3


def test_values_are_no_entities(store: KnowledgeStore) -> None:
    store.add_facts([Fact("Peru", "population", "33", literal=True), ("Peru", "motto", "!?"), ("Peru", "code", "33")])
    assert [(f.object, f.literal) for f in store.facts("Peru")] == [("33", True), ("!?", True), ("33", False)]
    assert store.neighbours("Peru") == ["33"] and store.resolve("33") == "33"
    assert store.delete_fact(Fact("Peru", "code", "33")) and store.resolve("33") is None


def test_one_object_as_value_and_as_entity_is_two_facts(store: KnowledgeStore) -> None:
    assert store.add_facts([Fact("Peru", "code", "pe", literal=True), Fact("Peru", "code", "pe")]) == 2
    assert [f.literal for f in store.facts("Peru")] == [True, False] and store.check() == []


def test_the_same_fact_again_gains_support_and_is_no_new_one(store: KnowledgeStore) -> None:
    assert store.add_facts([("Peru", "borders", "Chile"), ("PERU", "borders", "chile")], "a") == 1
    assert store.add_facts([("Perú", "borders", "Chile")], "b") == 0
    assert [(f.subject, f.source) for f in store.facts("peru")] == [("Perú", "a")], (
        "the last spelling, the first source"
    )
    assert store.delete("a") and store.facts("peru")[0].source == "b"


def test_times(store: KnowledgeStore) -> None:
    store.add_facts([Fact("Ada", "leads", "Club", "", "2000", "2010"), Fact("Bob", "leads", "Club", "", "2010-01-01")])
    leads = {
        year: [f.subject for f in store.facts("Club", as_of=year)] for year in ("1999", "2000", "2009-12-31", "2010")
    }
    assert leads == {"1999": [], "2000": ["Ada"], "2009-12-31": ["Ada"], "2010": ["Bob"]}
    assert store.neighbours("Club", as_of="2005") == ["Ada"] and store.neighbours("Club") == ["Ada", "Bob"]
    assert [f.subject for f in store.all_facts(as_of="2011-05-05T12:00:00")] == ["Bob"]
    for asked in ("soon", ""):
        with pytest.raises(UnderstudyError, match="no.* date or time"):
            store.facts("Club", as_of=asked)
    with pytest.raises(UnderstudyError, match="not a date or time: 'never'"):
        store.add_facts([Fact("Cid", "leads", "Club", valid_until="never")])
    assert store.resolve("Cid") is None and store.check() == []


def test_a_fact_has_its_source_in_the_namespace_that_is_asked(store: KnowledgeStore) -> None:
    for space in ("one", "two"):
        store.add_facts([("Ada", "knows", "Bob")], f"{space}.csv", namespace=space)
    for space in ("one", "two"):
        told = [
            *store.facts("Ada", namespace=space),
            *store.all_facts(space),
            *store.paths("Ada", "Bob", namespace=space)[0],
        ]
        assert [fact.source for fact in told] == [f"{space}.csv"] * 3
    assert store.facts("Ada", namespace="three") == store.all_facts("three") == []


def test_facts_of_a_passage_die_with_it(store: KnowledgeStore) -> None:
    one, two = store.add_passages([Passage("A", "Ada met Bob."), Passage("A", "Bob met Ada again.")])
    for passage in (one, two):
        store.add_facts([("Ada", "met", "Bob")], passage=passage)
    assert store.delete_passage(one) and store.facts("Ada"), "the other passage of the same source still says so"
    assert store.delete_passage(two) and store.facts("Ada") == [] and store.check() == []


def test_strange_names(store: KnowledgeStore) -> None:
    names = ["日本", "العربية", "a\x00b", "O'Brien; DROP TABLE facts", "x" * 5000, '"quoted"']
    store.add_facts([(name, "r", "Hub") for name in names])
    assert store.neighbours("Hub") == names and all(store.resolve(name) == name for name in names)
    assert store.check() == []
