"""The store against a model in memory: whatever is changed, by whichever connection, both say the same. And fuzz."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from understudy.core.errors import UnderstudyError
from understudy.core.prompts import Passage
from understudy.knowledge import Fact, KnowledgeStore
from understudy.knowledge.filters import filtered
from understudy.knowledge.filters import parsed as conditions
from understudy.knowledge.matching import parsed as patterns
from understudy.knowledge.retrieval import RECIPES
from understudy.knowledge.times import instant

NAMES = ["Peru", "Chile", "Lima", "São Tomé", "Isle of Man"]
DOCUMENTS = ["a", "b"]
MOMENTS = ["", "2009", "2009-01-01", "2009-01-01T00:00:00Z", "2010-06"]
NAME, DOCUMENT, SIDE = st.sampled_from(NAMES), st.sampled_from(DOCUMENTS), st.integers(0, 1)
TEXT = st.lists(NAME | st.sampled_from(["borders", "Nick", "the capital", "is."]), max_size=5).map(" ".join)
TIMES = st.tuples(st.sampled_from(MOMENTS), st.sampled_from(MOMENTS)).filter(
    lambda times: not all(times) or instant(times[0]) < instant(times[1])
)
FACT = st.builds(
    lambda subject, rest, times: Fact(subject, *rest[:2], "", *times, literal=rest[2]),
    NAME,
    st.tuples(st.sampled_from(["borders", "near"]), NAME, st.just(False))
    | st.sampled_from(
        [("near", "peru", True), ("code", "7", True), ("also_called", "Nick", True), ("is_a", "country", True)]
    ),
    TIMES,
)
PLACE = st.integers(0, 20)


def start(moment: str) -> str:
    return moment + "0000-01-01T00:00:00Z"[len(moment) :]


def holds(fact: Fact, moment: str) -> bool:
    now = start(moment)
    return (not fact.valid_from or start(fact.valid_from) <= now) and (
        not fact.valid_until or now < start(fact.valid_until)
    )


def same_but_for_times(known: Fact, asked: Fact) -> bool:
    return (known.subject, known.relation, known.object, known.literal) == (
        *(asked.subject, asked.relation, asked.object, asked.literal),
    )


class Changes(RuleBasedStateMachine):
    """Two connections to one store, and what they should say."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.stores = [self.opened(), self.opened()]
        self.documents: set[str] = set()
        self.passages: dict[int, tuple[str, str, str]] = {}
        self.facts: dict[Fact, set[tuple[str, int | None]]] = {}

    def opened(self) -> KnowledgeStore:
        return KnowledgeStore.open(Path(self.folder.name) / "store.db", "hashed")

    def teardown(self) -> None:
        for store in self.stores:
            store.close()
        self.folder.cleanup()

    def passage(self, place: int) -> int:
        return sorted(self.passages)[place % len(self.passages)]

    def forget(self, gone: Callable[[str, int | None], bool]) -> None:
        for fact, support in list(self.facts.items()):
            kept = {each for each in support if not gone(*each)}
            self.facts[fact] = kept
            if not kept:
                del self.facts[fact]

    def meant(self, fact: Fact) -> list[Fact]:
        same = [f for f in self.facts if same_but_for_times(f, fact)]
        return (
            same
            if not (fact.valid_from or fact.valid_until)
            else [f for f in same if (f.valid_from, f.valid_until) == (fact.valid_from, fact.valid_until)]
        )

    @rule(side=SIDE)
    def reopen(self, side: int) -> None:
        self.stores[side].close()
        self.stores[side] = self.opened()

    @rule(side=SIDE)
    def compact(self, side: int) -> None:
        self.stores[side].compact()

    @rule(side=SIDE, document=DOCUMENT, rows=st.lists(st.tuples(NAME, TEXT), max_size=3))
    def add_passages(self, side: int, document: str, rows: list[tuple[str, str]]) -> None:
        ids = self.stores[side].add_passages([Passage(*row) for row in rows], document)
        for number, row in zip(ids, rows, strict=True):
            known = [i for i, told in self.passages.items() if told == (document, *row)]
            assert known in ([], [number])
            self.passages[number] = (document, *row)
            self.documents.add(document)

    @rule(side=SIDE, document=DOCUMENT, told=st.lists(FACT, max_size=3))
    def add_facts(self, side: int, document: str, told: list[Fact]) -> None:
        assert self.stores[side].add_facts(told, document) == len({*told} - self.facts.keys())
        self.documents.add(document)
        for fact in told:
            self.facts.setdefault(fact, set()).add((document, None))

    @precondition(lambda self: self.passages)
    @rule(side=SIDE, place=PLACE, fact=FACT)
    def add_fact_of_a_passage(self, side: int, place: int, fact: Fact) -> None:
        number = self.passage(place)
        assert self.stores[side].add_facts([fact], passage=number) == (fact not in self.facts)
        self.facts.setdefault(fact, set()).add((self.passages[number][0], number))

    @precondition(lambda self: self.passages)
    @rule(side=SIDE, place=PLACE, text=TEXT.filter(bool))
    def update_passage(self, side: int, place: int, text: str) -> None:
        number = self.passage(place)
        document, title, _ = self.passages.pop(number)
        self.passages[self.stores[side].update_passage(number, text)] = (document, title, text)
        self.forget(lambda _, passage: passage == number)

    @rule(side=SIDE, fact=FACT, by=FACT)
    def update_fact(self, side: int, fact: Fact, by: Fact) -> None:
        meant = self.meant(fact)
        assert self.stores[side].update_fact(fact, by) == bool(meant)
        support = {each for known in meant for each in self.facts.pop(known)}
        if support:
            self.facts.setdefault(by, set()).update(support)

    @rule(side=SIDE, fact=FACT)
    def delete_fact(self, side: int, fact: Fact) -> None:
        meant = self.meant(fact)
        assert self.stores[side].delete_fact(fact) == bool(meant)
        for known in meant:
            del self.facts[known]

    @rule(side=SIDE, name=NAME, to=NAME | st.just("Zed"))
    def rename_entity(self, side: int, name: str, to: str) -> None:
        told = any(name in (f.subject, f.object) for f in self.facts)
        assert self.stores[side].rename_entity(name, to) >= told
        for fact, support in list(self.facts.items()):
            ends = {"subject": fact.subject, "object": fact.object}
            moved = replace(fact, **{end: to for end, own in ends.items() if own == name})
            self.facts.setdefault(moved, set()).update(support)
            if moved != fact:
                del self.facts[fact]

    @rule(side=SIDE, name=NAME)
    def delete_entity(self, side: int, name: str) -> None:
        told = [f for f in self.facts if name in (f.subject, f.object)]
        assert self.stores[side].delete_entity(name) >= bool(told)
        for fact in told:
            del self.facts[fact]

    @precondition(lambda self: self.passages)
    @rule(side=SIDE, place=PLACE)
    def delete_passage(self, side: int, place: int) -> None:
        number = self.passage(place)
        assert self.stores[side].delete_passage(number) and not self.stores[1 - side].delete_passage(number)
        del self.passages[number]
        self.forget(lambda _, passage: passage == number)

    @rule(side=SIDE, document=DOCUMENT)
    def delete(self, side: int, document: str) -> None:
        assert self.stores[side].delete(document) == (document in self.documents)
        self.documents.discard(document)
        self.passages = {i: told for i, told in self.passages.items() if told[0] != document}
        self.forget(lambda own, _: own == document)

    @invariant()
    def both_say_what_the_model_says(self) -> None:
        for store in self.stores:
            assert {r.passage: (r.document, r.title, r.text) for r in store.passages()} == self.passages
            assert {replace(f, source="") for f in store.all_facts()} == self.facts.keys()
            assert all(f.source for f in store.all_facts()), "a fact without support"
            assert store.stats()["documents"] == len(self.documents)
            for moment in MOMENTS[1:]:
                held = {replace(f, source="") for f in store.all_facts(as_of=moment)}
                assert held == {f for f in self.facts if holds(f, moment)}, moment

    @invariant()
    def no_recipe_finds_what_is_gone(self) -> None:
        for store in self.stores:
            for recipe in RECIPES:
                found = store.search("Peru borders Chile, Lima, Nick, Zed", 50, recipe)
                assert all(self.passages.get(r.passage) == (r.document, r.title, r.text) for r in found), recipe

    @invariant()
    def all_agrees(self) -> None:
        for store in self.stores:
            assert store.check() == []


TestChanges = Changes.TestCase
TestChanges.settings = settings(max_examples=20, stateful_step_count=14, deadline=None)


ODD = st.text(max_size=12) | st.sampled_from(
    ["", " ", "\x00", "\ud800", '"', "'", "Peru", "?x", "?", ".", "*", "NEAR", "a AND", "-", "(", "\u0661", "_", "%"]
)
WORDS = st.lists(ODD, max_size=6).map(" ".join)
NUMBER = st.integers() | st.sampled_from([-1, 0, 2**31, 2**63, 10**400])
VALUE = ODD | NUMBER | st.floats() | st.none() | st.booleans()
WHERE = st.none() | st.dictionaries(
    ODD | st.sampled_from(["document", "title", "source", "year"]),
    VALUE | st.lists(VALUE, max_size=3) | st.dictionaries(st.sampled_from(["eq", "ne", "gt", "lte", "x"]), VALUE),
    max_size=3,
)
OPTION = st.fixed_dictionaries(
    {"namespace": st.none() | ODD, "as_of": st.none() | ODD | st.sampled_from(["2009", "0001-01-01T00:00+23:59"])}
)


@pytest.fixture(scope="module")
def small() -> Iterator[KnowledgeStore]:
    with KnowledgeStore.open(":memory:", "hashed") as store:
        store.add_passages([Passage("Peru", "Lima is the capital of Peru."), Passage("Chile", "By the sea.")])
        store.add_facts([("Peru", "borders", "Chile"), ("Chile", "borders", "Peru"), ("Peru", "also_called", "PE")])
        yield store


def told_or_refused(call: Callable[[], object]) -> None:
    with suppress(UnderstudyError):
        call()


@given(WORDS, NUMBER, st.sampled_from([*RECIPES, "best"]), WHERE, OPTION, st.floats() | st.just(0.5))
@settings(max_examples=150, deadline=None)
def test_any_search_is_answered_or_refused(
    small: KnowledgeStore, query: str, k: int, recipe: str, where: Any, option: Any, diversity: float
) -> None:
    told_or_refused(lambda: small.search(query, k, recipe, where=where, diversity=diversity, **option))


@given(WORDS, WORDS, WORDS, NUMBER, OPTION)
@settings(max_examples=150, deadline=None)
def test_any_question_to_the_graph_is_answered_or_refused(
    small: KnowledgeStore, one: str, two: str, three: str, limit: int, option: Any
) -> None:
    told_or_refused(lambda: small.query(one, limit=limit, **option))
    told_or_refused(lambda: small.query([(one, two, three), ("?x", two, one)], limit=limit, **option))
    told_or_refused(lambda: small.paths("Peru", one, limit, limit=limit, **option))
    told_or_refused(lambda: small.paths(one, two, 3, **option))
    told_or_refused(lambda: small.facts(one, two, **option))
    told_or_refused(lambda: small.naming(one, option["namespace"]))


@given(st.lists(WORDS | st.tuples(ODD, st.sampled_from(["=", "!=", ">=", "<"]), ODD).map("".join), max_size=4))
@settings(max_examples=200, deadline=None)
def test_any_condition_and_any_pattern_is_read_or_refused(small: KnowledgeStore, given: list[str]) -> None:
    told_or_refused(lambda: patterns(" ".join(given)))
    told_or_refused(lambda: small.search("Peru", where=filtered_where(given)))


def filtered_where(given: list[str]) -> Any:
    where = conditions(given)
    filtered(where)
    return where


@given(WORDS, WORDS, WORDS, ODD)
@settings(max_examples=40, deadline=None)
def test_any_change_is_made_or_refused_and_all_agrees(one: str, two: str, three: str, when: str) -> None:
    with KnowledgeStore.open(":memory:", "hashed") as store:
        for change in (
            lambda: store.add_passages([Passage(one, two), Passage(two, three)], three),
            lambda: store.add_facts([Fact(one, two, three, three, when)], two),
            lambda: store.add_facts([Fact(two, "also_called", three), Fact(one, "is_a", two)]),
            lambda: store.update_passage(1, three, one),
            lambda: store.update_fact(Fact(one, two, three), Fact(two, "x", one, "", "", when)),
            lambda: store.rename_entity(one, two),
            lambda: store.delete_entity(three),
            lambda: store.delete(three, one),
        ):
            told_or_refused(change)
            assert store.check() == []


# What the model found, or would find rarely.


@pytest.fixture
def store() -> Iterator[KnowledgeStore]:
    with KnowledgeStore.open(":memory:", "hashed") as opened:
        yield opened


def test_two_passages_of_one_source_each_support_a_fact(store: KnowledgeStore) -> None:
    one, two = store.add_passages([Passage("A", "one", "same"), Passage("A", "two", "same")])
    for number in (one, two):
        store.add_facts([("Ada", "met", "Bob")], passage=number)
    assert store.delete_passage(one) and len(store.facts("Ada")) == 1
    assert store.delete_passage(two) and store.facts("Ada") == []


def test_a_value_is_another_fact_than_the_entity_that_is_written_like_it(store: KnowledgeStore) -> None:
    value, entity = Fact("Ada", "likes", "peru", literal=True), Fact("Ada", "likes", "Peru")
    assert store.add_facts([value, entity]) == 2 and store.check() == []
    assert [fact.literal for fact in store.facts("Ada")] == [True, False]
    assert store.delete_fact(value) and [fact.literal for fact in store.facts("Ada")] == [False]
    assert store.update_fact(entity, value) and [fact.literal for fact in store.facts("Ada")] == [True]
    assert store.check() == []


@pytest.mark.parametrize("since", ["2009", "2009-01", "2009-01-01", "2009-01-01T00:00:00Z"])
@pytest.mark.parametrize("asked", ["2009", "2009-01", "2009-01-01", "2009-01-01T00:00:00Z"])
def test_a_time_is_the_same_however_exactly_it_is_written(store: KnowledgeStore, since: str, asked: str) -> None:
    store.add_facts([Fact("Ada", "leads", "Team", valid_until=since), Fact("Bob", "leads", "Team", valid_from=since)])
    assert [fact.subject for fact in store.facts("Team", as_of=asked)] == ["Bob"]


def test_what_changes_nothing_makes_no_version(store: KnowledgeStore) -> None:
    store.add_facts([("Ada", "met", "Bob")])
    version = store.version
    assert store.add_facts([("Ada", "met", "Bob")]) == 0
    assert not store.delete("nothing") and not store.delete_passage(7) and not store.rename_entity("Eve", "Eva")
    assert not store.update_fact(Fact("Ada", "met", "Eve"), Fact("Ada", "met", "Cid"))
    assert store.version == version


def test_a_fact_is_not_replaced_by_half_of_one(store: KnowledgeStore) -> None:
    store.add_facts([("Ada", "met", "Bob")])
    for by in (Fact("", "met", "Bob"), Fact("Ada", "", "Bob"), Fact("Ada", "met", " ")):
        with pytest.raises(UnderstudyError, match="lacks"):
            store.update_fact(Fact("Ada", "met", "Bob"), by)
    assert [str(fact) for fact in store.all_facts()] == ["Ada met Bob"]


def test_a_condition_of_many_values(store: KnowledgeStore) -> None:
    store.add_passages([Passage("Peru", "By the sea.")])
    many = [str(number) for number in range(5000)]
    assert store.search("sea", where={"title": [*many, "Peru"]}) and not store.search("sea", where={"title": many})
    assert not store.search("sea", where={"year": [*many, *range(3000)]})
    with pytest.raises(UnderstudyError, match="at most"):
        store.search("sea", where={"title": many * 3})
