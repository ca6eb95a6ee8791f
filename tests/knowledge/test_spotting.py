"""Names that the store knows, found in texts however they are written, in whatever order they came."""

import string
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.core.prompts import Passage
from understudy.knowledge import KnowledgeStore
from understudy.knowledge.spotting import findable, reach, spotted
from understudy.knowledge.text import words

FACTS = [
    ("Bo Lund", "also_called", "Captain Moss"),
    ("Bo Lund", "also_called", "HLX"),
    ("Chiara", "drew", "Kestrel 40"),
    ("lamp", "made_of", "copper sheet"),
]
TEXTS = [
    Passage("one", "We know that Captain Moss met the crew."),
    Passage("two", "A letter came from HLX to the yard, and nothing from Hlx or moss."),
    Passage("three", "Who drew the housing of the Kestrel 40 from copper sheet?"),
    Passage("four", "The Kestrel 400 and a copper plate are others."),
]


def naming(store: KnowledgeStore, name: str) -> list[str]:
    return [result.title for result in store.naming(name)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_names_are_found_whatever_came_first(order: tuple[int, ...]) -> None:
    with KnowledgeStore.open(":memory:", "hashed") as store:
        steps = [
            lambda: store.add_facts(FACTS),
            lambda: store.add_passages(TEXTS[:2]),
            lambda: store.add_passages(TEXTS[2:]),
        ]
        for step in order:
            steps[step]()
        assert naming(store, "Bo Lund") == naming(store, "captain moss")
        assert set(naming(store, "Bo Lund")) == {"one", "two"}
        assert naming(store, "Kestrel 40") == ["three"] and naming(store, "copper sheet") == ["three"]
        assert "Captain Moss" not in store.entities(), "an alias is no entity of its own"
        assert {r.title for r in store.search("Bo Lund", 2, "auto")} == {"one", "two"}
        assert store.check() == []


def test_what_nothing_vouches_for_any_more_is_named_nowhere() -> None:
    with KnowledgeStore.open(":memory:", "hashed") as store:
        store.add_passages(TEXTS)
        store.add_facts(FACTS)
        store.delete("facts")
        assert naming(store, "copper sheet") == [] and store.resolve("copper sheet") is None
        store.compact()
        assert store._rows("SELECT count(*) FROM spotted WHERE key = 'copper sheet'")[0][0] == 0
        store.add_facts(FACTS)
        assert naming(store, "copper sheet") == ["three"] and store.check() == []


def test_a_word_is_a_name_only_where_it_is_written_as_one() -> None:
    with KnowledgeStore.open(":memory:", "hashed") as store:
        store.add_passages([Passage("a", "She may come by bus."), Passage("b", "In early May rain came, told the US.")])
        store.add_facts([("May", "is_a", "month"), ("United States", "also_called", "US"), ("it", "is_a", "word")])
        store.add_passages([Passage("c", "They told us in May.")])
        assert naming(store, "May") == ["b", "c"] and naming(store, "US") == ["b"]
        assert naming(store, "it") == [], "a stop word cannot be told from the word"


def test_an_article_is_written_small_and_an_aside_is_no_title() -> None:
    with KnowledgeStore.open(":memory:", "hashed") as store:
        store.add_passages([Passage("The Old Mill", "A house."), Passage("In the End", "A song.")])
        store.add_passages([Passage("a", "They met at the Old Mill."), Passage("b", "We laughed in the end.")])
        assert naming(store, "The Old Mill") == ["The Old Mill", "a"] and naming(store, "In the End") == ["In the End"]


@given(
    st.lists(st.sampled_from(["red", "sea", "wolf", "of", "the", "Red", "SEA"]), max_size=12),
    st.sets(st.sampled_from(["red", "red sea", "sea wolf", "wolf of the sea", "the sea"]), max_size=4),
)
@settings(max_examples=100, deadline=None)
def test_spotted_is_every_run_of_words_that_is_a_key(parts: list[str], keys: set[str]) -> None:
    text = " ".join(parts)
    runs: dict[str, tuple[bool, bool]] = {}
    for first in range(len(parts)):
        for last in range(first + 1, len(parts) + 1):
            key, written = " ".join(parts[first:last]).lower(), " ".join(parts[first:last])
            if key in keys:
                upper, capitals = runs.get(key, (False, False))
                runs[key] = (upper or written != written.lower(), capitals or written.isupper())
    assert spotted(text, reach(keys)) == runs


@given(st.text(alphabet=string.ascii_letters + " .'-éß日0", max_size=60))
@settings(max_examples=60, deadline=None)
def test_a_text_that_is_a_name_holds_it(text: str) -> None:
    key = " ".join(word.key for word in words(text))
    if key and len(words(text)) <= 12:
        assert key in spotted(text, reach([key]))


def test_what_cannot_be_told_from_other_words() -> None:
    told = [key for key in ("a", "2009", "of the", "us", "kestrel 40", "x y", "lima") if findable(key, key)]
    assert told == ["kestrel 40", "x y", "lima"] and findable("us", "US")
