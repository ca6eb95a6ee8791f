from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from understudy.core.errors import UnderstudyError
from understudy.core.prompts import Passage
from understudy.knowledge import Fact, KnowledgeStore

Contents = Callable[[KnowledgeStore], object]
PASSAGES = [Passage("Peru", "Lima is the capital of Peru."), Passage("Chile", "Santiago lies in Chile.")]
FACTS = [("Peru", "borders", "Chile"), ("Peru", "also_called", "Peruvian"), ("Peru", "is_a", "country")]


def built(*facts: Fact | tuple[str, str, str], passages: list[Passage] = PASSAGES) -> KnowledgeStore:
    store = KnowledgeStore.open(embedder="hashed")
    store.add_passages(passages)
    store.add_facts(facts)
    return store


@pytest.fixture
def store() -> Iterator[KnowledgeStore]:
    with built(*FACTS) as opened:
        opened.search("Peru", recipe="graph")
        yield opened


def test_a_fact_gets_times(store: KnowledgeStore, contents: Contents) -> None:
    fact = store.facts("Peru", "borders")[0]
    assert store.update_fact(fact, replace(fact, valid_until="2020-03-01"))
    assert store.check() == [] and store.neighbours("Peru", as_of="2020-03-01") == []
    with built(Fact("Peru", "borders", "Chile", valid_until="2020-03-01"), *FACTS[1:]) as other:
        assert contents(store) == contents(other)


def test_another_fact_takes_its_place_with_its_support(store: KnowledgeStore, contents: Contents) -> None:
    passage = store.passages()[0].passage
    store.add_facts([("Peru", "borders", "Chile")], passage=passage)
    assert store.update_fact(
        Fact("peruvian", "borders", "CHILE"), Fact("Peru", "trades_with", "Brazil", source="ignored")
    )
    assert store.resolve("Brazil") and store.facts("Peru", "borders") == [] and store.check() == []
    assert store.facts("Peru", "trades_with")[0].source == "facts"
    assert store.delete("facts") and store.facts("Peru", "trades_with")[0].source == "notes#Peru"
    assert store.delete_passage(passage) and store.entities() == ["Chile"] and store.check() == []


def test_a_fact_becomes_one_with_another(store: KnowledgeStore, contents: Contents) -> None:
    store.add_facts([("Peru", "borders", "Bolivia")])
    assert store.update_fact(Fact("Peru", "borders", "Bolivia"), Fact("Peru", "borders", "Chile"))
    with built(*FACTS) as other:
        assert contents(store) == contents(other) and store.check() == []
    assert store.update_fact(Fact("Peru", "borders", "Chile"), Fact("Peru", "borders", "Chile")), "by itself"
    assert len(store.facts("Peru")) == 1
    assert not store.update_fact(Fact("Peru", "borders", "Bolivia"), Fact("Peru", "borders", "Ecuador"))
    assert store.resolve("Ecuador") is None


@pytest.mark.parametrize("name", ["Sol", "sol"])
def test_a_value_becomes_an_entity_and_back(store: KnowledgeStore, name: str) -> None:
    value, entity = Fact("Peru", "currency", name, literal=True), Fact("Peru", "currency", name)
    store.add_facts([value])
    assert store.update_fact(value, entity) and [f.literal for f in store.facts("Peru", "currency")] == [False]
    assert store.update_fact(entity, value) and [f.literal for f in store.facts("Peru", "currency")] == [True]
    assert store.resolve(name) is None and store.check() == []


def test_an_alias_is_corrected(store: KnowledgeStore) -> None:
    assert store.update_fact(Fact("Peru", "also_called", "Peruvian"), Fact("Chile", "also_called", "Chilean"))
    assert store.resolve("peruvian") is None and store.resolve("chilean") == "Chile" and store.check() == []


def test_what_is_no_fact_is_refused_and_changes_nothing(store: KnowledgeStore, contents: Contents) -> None:
    before, fact = contents(store), Fact("Peru", "borders", "Chile")
    for by in (Fact("", "r", "o"), Fact("s", "", "o"), Fact("s", "r", " "), Fact("s", "r", "o", valid_from="soon")):
        with pytest.raises(UnderstudyError, match="lacks|not a date"):
            store.update_fact(fact, by)
    assert contents(store) == before and store.check() == []


def test_an_entity_gets_another_name(store: KnowledgeStore, contents: Contents) -> None:
    assert store.rename_entity("peruvian", "PERU") and store.resolve("peru") == "PERU"
    assert store.rename_entity("peru", "Tahuantinsuyo") and store.check() == []
    assert [str(f) for f in store.facts("Peruvian")] == ["Tahuantinsuyo borders Chile"]
    assert store.kinds("Tahuantinsuyo") == ["country"] and store.resolve("Peru") is None
    assert [r.title for r in store.naming("Tahuantinsuyo")] == ["Peru"], "its mentions went along"
    assert "Peru" in [r.title for r in store.search("Tahuantinsuyo", 9, "graph")]
    assert not store.rename_entity("Atlantis", "Lemuria") and not store.rename_entity("Chile", "?!")
    with built(("Old", "knows", "Chile"), ("Chile", "knows", "Old"), passages=[]) as one:
        one.rename_entity("Old", "New")
        with built(("New", "knows", "Chile"), ("Chile", "knows", "New"), passages=[]) as other:
            assert contents(one) == contents(other) and one.check() == []


def test_two_entities_become_one(store: KnowledgeStore, contents: Contents) -> None:
    store.add_facts([("Republic of Peru", "borders", "Chile"), ("Ecuador", "borders", "Republic of Peru")])
    store.add_facts([("Republic of Peru", "also_called", "RP"), ("Republic of Peru", "borders", "Peru")])
    assert store.rename_entity("Republic of Peru", "Peru") and store.check() == []
    facts = [("Ecuador", "borders", "Peru"), ("Peru", "also_called", "RP"), ("Peru", "borders", "Peru")]
    with built(*FACTS, *facts) as other:
        assert contents(store) == contents(other)
    assert store.resolve("RP") == "Peru" and store.neighbours("Peru") == ["Chile", "Ecuador"]
    assert store.delete("facts") and store.check() == []


def test_a_deleted_entity_takes_its_facts_and_leaves_the_passages(store: KnowledgeStore, contents: Contents) -> None:
    store.add_facts([("Bolivia", "borders", "Peru"), ("Peru", "population", "33")])
    assert store.delete_entity("peruvian") and not store.delete_entity("Peru") and store.check() == []
    assert store.all_facts() == [] and store.entities() == ["Chile"] and store.resolve("Bolivia") is None
    assert [r.title for r in store.passages()] == ["Peru", "Chile"]
    assert store.search("Lima", 1)[0].title == "Peru" and store.naming("Peru") == []


def test_a_deleted_fact_is_gone_whatever_supports_it(store: KnowledgeStore, contents: Contents) -> None:
    store.add_facts([("Peru", "borders", "Chile"), ("Peru", "borders", "Bolivia")], "other")
    assert store.delete_fact(Fact("Peru", "borders", "Chile")) and not store.delete_fact(
        Fact("Peru", "borders", "Chile")
    )
    assert store.delete_fact(Fact("Peru", "borders", "Bolivia")) and store.resolve("Bolivia") is None
    times = [Fact("Peru", "member", "Pact", "", year) for year in ("1969", "1997")]
    store.add_facts(times)
    assert store.delete_fact(times[0]) and [f.valid_from for f in store.facts("Peru", "member")] == ["1997"]
    store.add_facts(times)
    assert store.delete_fact(Fact("Peru", "member", "Pact")) and store.facts("Peru") == [] and store.check() == []
    assert store.delete_fact(Fact("Peru", "also_called", "Peruvian")) and store.resolve("Peruvian") is None


def test_an_updated_passage_says_something_else(store: KnowledgeStore, contents: Contents) -> None:
    old = store.passages()[0].passage
    store.add_facts([("Lima", "capital_of", "Peru")], passage=old)
    new = store.update_passage(old, "Cusco was the capital of Peru once.")
    assert new != old and store.check() == [] and store.resolve("Lima") is None
    assert store.search("Lima", recipe="lexical") == [] and store.search("Cusco", recipe="dense")[0].passage == new
    with built(*FACTS, passages=[PASSAGES[1], Passage("Peru", "Cusco was the capital of Peru once.")]) as other:
        assert contents(store) == contents(other)
    newer = store.update_passage(new, "Quito lies high.", "Ecuador")
    told = store.passages()[-1]
    assert (told.passage, told.title, told.start, told.end, told.source) == (newer, "Ecuador", 0, 16, "notes#Peru")
    with pytest.raises(UnderstudyError, match=f"no passage {old}"):
        store.update_passage(old, "x")
