"""The reader's evidence: whose texts it is shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from understudy.agents.messages import Task
from understudy.agents.qa import Reader
from understudy.agents.role import Context
from understudy.core.prompts import Passage
from understudy.knowledge import KnowledgeStore

LANDS = ("Laos", "Cambodia", "Vietnam")
KINDS = [(name, "is_a", "country") for name in LANDS] + [("Mekong", "is_a", "river")]


@pytest.fixture
def store() -> Iterator[KnowledgeStore]:
    with KnowledgeStore.open(":memory:", "hashed") as opened:
        texts = [Passage(name, f"{name} is a land with a long name and much rain.", "notes") for name in LANDS]
        opened.add_passages([*texts, Passage("Mekong", "The long river brings rain and fish.", "notes")])
        opened.add_facts([("Laos", "borders", "Cambodia"), ("Mekong", "crosses", "Laos")])
        yield opened


def titles(store: KnowledgeStore, request: str, given: tuple[str, ...] = ()) -> set[str]:
    evidence = Reader().evidence(Task(request=request, given=given), Context(store, options={"passages": 8}))
    return {one.passage.title for one in evidence if one.passage.source != "graph"}


def test_what_is_asked_of_one_thing_is_not_read_in_the_texts_about_others_of_its_kind(store: KnowledgeStore) -> None:
    assert titles(store, "which long name and rain has Laos") == {*LANDS, "Mekong"}, "nothing says what is of a kind"
    store.add_facts(KINDS)
    assert titles(store, "which long name and rain has Laos") == {"Laos", "Mekong"}
    assert titles(store, "which long name and rain has it", ("Laos",)) == {"Laos", "Mekong"}
    assert titles(store, "long name and rain of Laos and of Vietnam") == {"Laos", "Vietnam", "Mekong"}


def test_where_a_thing_of_the_kind_is_asked_for_all_are_read(store: KnowledgeStore) -> None:
    store.add_facts(KINDS)
    assert titles(store, "long name and rain: countries beside Laos") == {*LANDS, "Mekong"}
    assert titles(store, "which country with rain was once part of Laos and has a long name") == {*LANDS, "Mekong"}


def test_where_nothing_is_named_or_what_is_named_has_no_text_all_are_read(store: KnowledgeStore) -> None:
    store.add_facts([*KINDS, ("Chad", "is_a", "country")])
    assert titles(store, "who has a long name and much rain") == {*LANDS, "Mekong"}
    assert titles(store, "has Chad a long name and much rain") == {*LANDS, "Mekong"}


def test_in_place_of_texts_about_others_further_ones_are_read(store: KnowledgeStore) -> None:
    store.add_facts(KINDS)
    request = "a long name and much rain has Laos, and what land besides"
    found = [hit.title for hit in store.search(request, 4)]
    assert "Laos" in found[:2] and "Mekong" not in found[:2], "two are read beside facts: one of them is another's"
    evidence = Reader().evidence(Task(request=request), Context(store, options={"passages": 4}))
    assert {one.passage.title for one in evidence if one.passage.source != "graph"} == {"Laos", "Mekong"}


def test_words_that_mean_two_things_bring_the_facts_and_texts_of_both(store: KnowledgeStore) -> None:
    store.add_facts([*KINDS, ("Laos", "also_called", "Lao"), ("Laos", "speaks", "Lao"), ("Lao", "is_a", "language")])
    (mention,) = store.link("the Lao rain")
    assert (mention.entity, mention.others) == ("Lao", ("Laos",))
    evidence = Reader().evidence(Task(request="long name of the Lao land"), Context(store, options={"passages": 8}))
    assert {one.about for one in evidence if one.passage.source == "graph"} >= {"Lao", "Laos"}
    assert {one.about for one in evidence if one.passage.source != "graph"} == {"Laos", "Mekong"}
