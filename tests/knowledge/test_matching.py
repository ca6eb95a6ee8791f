from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.core.errors import UnderstudyError
from understudy.knowledge import Fact, KnowledgeStore
from understudy.knowledge.matching import Pattern, parsed

FACTS = [
    ("Lima", "capital_of", "Peru"),
    ("Santiago", "capital_of", "Chile"),
    ("Peru", "borders", "Chile"),
    ("Chile", "borders", "Argentina"),
    ("Argentina", "borders", "Chile"),
    ("Narcissus", "loves", "Narcissus"),
    ("Peru", "is_a", "country"),
    ("Chile", "is_a", "country"),
    ("Peru", "also_called", "Perú Republic"),
]


@pytest.fixture
def store() -> Iterator[KnowledgeStore]:
    with KnowledgeStore.open(embedder="hashed") as opened:
        opened.add_facts(FACTS)
        opened.add_facts(
            [Fact("Peru", "population", "33", literal=True), Fact("Chile", "population", "20", literal=True)]
        )
        yield opened


def test_patterns_are_three_terms_with_a_stop_between_two() -> None:
    assert parsed("?x borders Peru") == parsed("  ?x  borders\nPeru . ") == [("?x", "borders", "Peru")]
    assert parsed('?x "born in" "São Tomé" . ?x is_a ?k .') == [("?x", "born in", "São Tomé"), ("?x", "is_a", "?k")]
    assert parsed(r'?x says "a \"b\" \\ . c"') == [("?x", "says", r'a "b" \ . c')]
    assert parsed("U.S. borders 3.5") == [("U.S.", "borders", "3.5")], "a stop within a term is part of it"


@pytest.mark.parametrize(
    "text, told",
    [
        ("", "column 0: a pattern has three terms, not 0: nothing"),
        ("?x borders", "column 10: a pattern has three terms, not 2: [?]x borders"),
        ("?x borders Peru . ?y", "column 20: .* not 1: [?]y"),
        ("a b c d . e f g", "column 9: .* not 4"),
        ('?x borders "Peru', "column 11: a quote is not closed"),
        (". a b c", "column 1: .* not 0"),
    ],
)
def test_what_is_no_pattern_is_told_with_its_column(store: KnowledgeStore, text: str, told: str) -> None:
    with pytest.raises(UnderstudyError, match=told):
        store.query(text)


def test_one_two_and_three_hops(store: KnowledgeStore) -> None:
    assert store.query("?city capital_of Peru") == [{"city": "Lima"}]
    assert store.query("?city capital_of ?c . ?c borders Argentina") == [{"city": "Santiago", "c": "Chile"}]
    three = "?city capital_of ?a . ?a borders ?b . ?b borders ?c"
    assert [(answer["city"], answer["c"]) for answer in store.query(three)] == [
        ("Lima", "Argentina"),
        ("Santiago", "Chile"),
    ]


def test_literals_relations_and_what_holds_without_variables(store: KnowledgeStore) -> None:
    assert store.query("?x population 33") == [{"x": "Peru"}] and store.query("?x population 3") == []
    assert store.query("Peru population ?n . ?x population ?n") == [{"n": "33", "x": "Peru"}]
    assert store.query("Peru ?r Chile") == [{"r": "borders"}] and store.query("peru borders CHILE") == [{}]
    assert store.query("Chile ?r ?x . Argentina ?r ?y") == [{"r": "borders", "x": "Argentina", "y": "Chile"}]
    assert store.query("?a is_a ?kind . ?b is_a ?kind . ?a borders ?b") == [
        {"a": "Peru", "kind": "country", "b": "Chile"}
    ]
    assert store.query("Chile borders Peru") == store.query("Atlantis borders ?x") == store.query("? borders ?x") == []
    assert store.query("?n borders ?x . Peru population ?n") == [], "a value is nothing that has facts"


def test_a_value_is_not_the_entity_of_that_name(store: KnowledgeStore) -> None:
    store.add_facts([Fact("A", "says", "peru", literal=True), Fact("B", "says", "Peru"), Fact("C", "says", "Peru")])
    same = store.query("?one says ?x . ?other says ?x")
    assert {(answer["one"], answer["other"]) for answer in same} == {
        *(("A", "A"), ("B", "B"), ("C", "C"), ("B", "C"), ("C", "B")),
    }
    assert [answer["one"] for answer in store.query("?one says ?x . ?x borders Chile")] == ["B", "C"]


def test_a_variable_that_stands_twice_is_one_thing(store: KnowledgeStore) -> None:
    assert store.query("?x loves ?x") == [{"x": "Narcissus"}] and store.query("?x borders ?x") == []
    assert store.query("?x borders ?y . ?y borders ?x") == [
        {"x": "Chile", "y": "Argentina"},
        {"x": "Argentina", "y": "Chile"},
    ]
    for text in ("?r ?r Chile", "?x borders ?y . Peru ?y ?z"):
        with pytest.raises(UnderstudyError, match="is a relation and a thing; give one of the two another name"):
            store.query(text)


def test_names_may_be_aliases_and_relations_have_blanks(store: KnowledgeStore) -> None:
    assert store.query('?city "capital of" "peru republic"') == [{"city": "Lima"}]
    store.add_facts([("Ada", "born in", "London")])
    assert store.query("?who born_in London") == store.query('?who "born in" London') == [{"who": "Ada"}]


def test_the_limit_counts_answers_and_not_the_facts_behind_them(store: KnowledgeStore) -> None:
    store.add_facts([Fact("Peru", "borders", "Chile", valid_from=str(year)) for year in range(1900, 1950)])
    every = store.query("?x borders ?y", limit=9)
    assert len(every) == 3 and store.query("?x borders ?y", limit=3) == every
    assert store.query("?x borders ?y", limit=1) == every[:1] and store.query("?x borders ?y", limit=0) == []


def test_too_many_patterns_are_refused(store: KnowledgeStore) -> None:
    assert store.query([("?x", "borders", "Chile")] * 12)
    for patterns in ([("?x", "borders", "Chile")] * 13, []):
        with pytest.raises(UnderstudyError, match="give 1 to 12"):
            store.query(patterns)


ROW = st.tuples(
    st.sampled_from(["Ada", "Bob", "Cid"]),
    st.sampled_from(["knows", "likes"]),
    st.sampled_from(["Ada", "Bob", "Cid", "=7", "=ada"]),
    st.sampled_from(["", "2001"]),
    st.sampled_from(["", "2002"]),
    st.sampled_from(["one", "two"]),
)
THING = st.sampled_from(["?x", "?y", "?z", "Ada", "Bob", "7"])
PATTERN = st.tuples(THING, st.sampled_from(["?r", "?s", "knows", "likes"]), THING)


def brute(rows: list[tuple[str, ...]], patterns: list[Pattern], as_of: str | None, space: str | None) -> set[object]:
    """The oracle: every choice of facts for the patterns, tried."""
    held = [
        row[:3]
        for row in rows
        if (space in (None, row[5])) and (as_of is None or (row[3] <= as_of and (not row[4] or as_of < row[4])))
    ]
    answers: set[object] = set()
    for chosen in product(held, repeat=len(patterns)):
        bound: dict[str, str] = {}
        if all(
            bound.setdefault(term, value) == value if term.startswith("?") else term == value.lstrip("=")
            for pattern, fact in zip(patterns, chosen, strict=True)
            for term, value in zip(pattern, fact, strict=True)
        ):
            answers.add(frozenset((term[1:], value.lstrip("=")) for term, value in bound.items()))
    return answers


@given(
    st.lists(ROW, max_size=8),
    st.lists(PATTERN, min_size=1, max_size=3),
    st.sampled_from([None, "2000", "2001", "2002"]),
    st.sampled_from([None, "one", "two"]),
)
@settings(max_examples=150, deadline=None)
def test_answers_are_those_that_trying_everything_finds(
    rows: list[tuple[str, ...]], patterns: list[Pattern], as_of: str | None, space: str | None
) -> None:
    with KnowledgeStore.open(embedder="hashed") as store:
        for subject, relation, thing, since, until, own in rows:
            fact = Fact(subject, relation, thing.lstrip("="), "", since, until, literal=thing.startswith("="))
            store.add_facts([fact], namespace=own)
        found = store.query(patterns, as_of=as_of, namespace=space, limit=1000)
        assert len(found) == len({frozenset(answer.items()) for answer in found})
        assert {frozenset(answer.items()) for answer in found} == brute(rows, patterns, as_of, space)
