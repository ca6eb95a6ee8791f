"""Schemas, links and the grammar: what a question may become, and what it may not."""

from __future__ import annotations

import llguidance
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.agents.links import ValueIndex, fold, numbers, parts, places
from understudy.agents.sql import Column, Condition, Literals, Schema, Table, grammar, letters_of

COUNTRIES = Table(
    "countries",
    (
        Column("name", "text"),
        Column("continent", "text"),
        Column("population", "number"),
        Column("area_km2", "number"),
        Column("languages", "list"),
    ),
)
RIVERS = Table("rivers", (Column("name", "text"), Column("length_km", "number")))
TOKENIZER = llguidance.LLTokenizer("byte")


def accepts(lark: str, sql: str) -> bool:
    matcher = llguidance.LLMatcher(TOKENIZER, llguidance.LLMatcher.grammar_from_lark(lark))
    tokens = TOKENIZER.tokenize_str(sql)
    assert not matcher.get_error(), matcher.get_error()
    return bool(matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting())


def an_index() -> ValueIndex:
    index = ValueIndex()
    index.add(
        "countries", Column("name", "text"), ["France", "São Tomé and Príncipe", "Mali", "Georgia", "Côte d'Ivoire"]
    )
    index.add("countries", Column("continent", "text"), ["Africa", "Europe", "South America", "Asia"])
    index.add("countries", Column("languages", "list"), ["French, Dutch", "French", "Arabic, French"])
    index.add("countries", Column("iso2", "text"), ["IN", "IS", "FR"])
    index.add("countries", Column("currency_name", "text"), ["Swiss franc", "CFA franc", "Euro"])
    index.add("countries", Column("landlocked", "text"), ["yes", "no"])
    return index


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Which countries are in Europe?", ["continent = 'Europe'"]),
        ("AFRICAN countries", ["continent = 'Africa'"]),
        ("European and Asian countries", ["continent = 'Europe'", "continent = 'Asia'"]),
        ("south american countries", ["continent = 'South America'"]),
        ("the population of sao tome and principe", ["name = 'São Tomé and Príncipe'"]),
        ("France's area", ["name = 'France'"]),
        ("French-speaking countries", ["languages LIKE '%French%'"]),
        ("where is the franc used", ["currency_name LIKE '%franc%'"]),
        ("who pays with euros", ["currency_name = 'Euro'"]),
        ("Cote d'Ivoire", ["name = 'Côte d''Ivoire'"]),
        ("is it in there", []),
        ("the code IN", ["iso2 = 'IN'"]),
        ("landlocked countries", ["landlocked = 'yes'", "landlocked = 'no'"]),
        ("Malian or Georgian", ["name = 'Mali'", "name = 'Georgia'"]),
        ("how many African ones begin with m?", ["continent = 'Africa'", "name LIKE 'M%'"]),
        ("the letter is A in Asia", ["name LIKE 'A%'", "continent = 'Asia'"]),
        ('not starting with "B"', ["name LIKE 'B%'"]),
        ("which starts with a vowel or with a surprise", []),
        ("begin with M, N or O", ["name LIKE 'M%'", "name LIKE 'N%'", "name LIKE 'O%'"]),
        ("the letter is K; countries, quick!", ["name LIKE 'K%'"]),
        ("Initially I saw Peru. Start with I think; to start with, A friend asks", []),
        ("started in a U.S. city; what starts the B road", []),
        ("ends with the letter a, has the letter z, starts on I-95, the letters I got", []),
        ("WHICH STARTS WITH A IN EUROPE", ["name LIKE 'A%'", "continent = 'Europe'"]),
        ("THE COUNTRY IN EUROPE WITH CODE FR IS", ["continent = 'Europe'", "iso2 = 'FR'"]),
        ("starting with France's capital", ["name = 'France'"]),
    ],
)
def test_links(question: str, expected: list[str]) -> None:
    assert [condition.sql() for condition in an_index().link(question)] == expected


def test_values_of_several_columns_are_all_linked() -> None:
    index = ValueIndex()
    index.add("t", Column("name", "text"), ["Monaco", "France"])
    index.add("t", Column("capital", "text"), ["Monaco", "Paris"])
    assert [condition.column for condition in index.link("the area of Monaco")] == ["name", "capital"]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("more than 50 million people", ("50000000",)),
        ("over 2.5 billion", ("2500000000",)),
        ("between 1,000 and 20,000 km", ("1000", "20000")),
        ("the three largest", ("3",)),
        ("fewer than 100 000 souls, not 1 250 000", ("100000", "1250000")),
        ("between 500 000 and 2 million", ("500000", "2000000")),
        ("from 1,500 to 3 thousand", ("1500", "3000")),
        ("between 1.5 and 2 million", ("1500000", "2000000")),
        ("in 2020 300 of them, 40 5000", ("2020", "300", "40", "5000")),
        ("a million inhabitants", ("1000000",)),
        ("40k", ("40000",)),
        ("after 1990", ("1990",)),
        ("an average of 3.25", ("3.25",)),
        ("top ten, ten of them", ("10",)),
        ("two hundred", ("200",)),
        ("the hundred-million mark, a 2.5-million town", ("100000000", "2500000")),
        ("half a million, or 3 mio", ("500000", "3000000")),
        ("5-7 million, a dozen, 20–30", ("5000000", "7000000", "12", "20")),
        ("5th of them, half of them, half a dozen, two dozen", ("6", "24")),
        ("a half million, 2020 - 5 million", ("500000", "2020", "5000000")),
        ("one and a half million, 2 and a half billion", ("1500000", "2500000000")),
        ("from 50 up to 60 million", ("50000000", "60000000")),
        ("over two hundred thousand, under a hundred million", ("200000", "100000000")),
        ("a quarter of a million in one quarter of the town", ("250000",)),
        ("Twenty-five million, forty million or seventeen", ("25000000", "40000000", "17")),
        ("two hundred and fifty million, one hundred and fifty thousand", ("250000000", "150000")),
        ("five to ten million; between one and two billion", ("5000000", "10000000", "1000000000", "2000000000")),
        ("twenty two-letter codes, twenty-five hundred", ("20", "2", "2500")),
        ("a quarter million, three quarters of a million, one and a quarter million", ("250000", "750000", "1250000")),
        ("one and half million, half million", ("1500000", "500000")),
        ("under one million, one-third of one thousand, one of them", ("1000000", "1000")),
        ("anything 2 through 3 million", ("2000000", "3000000")),
        ("a million and a half, between 5 - 10 thousand", ("1500000", "5000", "10000")),
        (f"more than {'9' * 400}, or 7", ("7",)),
        ("nothing here", ()),
    ],
)
def test_numbers(question: str, expected: tuple[str, ...]) -> None:
    assert numbers(question) == expected


LITERALS = Literals(
    (
        Condition("countries", "continent", "=", "Africa"), Condition("countries", "languages", "LIKE", "French"),
        Condition("countries", "name", "=", "Mali"),
    ),
    ("50000000", "3"),
    {"countries": "name"},
    (2,),
)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM countries",
        "SELECT name FROM countries WHERE continent = 'Africa'",
        "SELECT name FROM countries WHERE name IN (:given) AND languages LIKE '%French%' AND population > 50000000",
        "SELECT COUNT(*) FROM countries WHERE languages NOT LIKE '%French%'",
        "SELECT AVG( population) FROM countries WHERE continent != 'Africa'",
        "SELECT name FROM countries ORDER BY area_km2 DESC LIMIT 1",
        "SELECT name FROM countries WHERE continent = 'Africa' ORDER BY population LIMIT 3",
        "SELECT continent, SUM( population) FROM countries GROUP BY continent",
        "SELECT continent FROM countries GROUP BY continent ORDER BY COUNT(*) DESC LIMIT 1",
        "SELECT DISTINCT continent FROM countries",
        "SELECT name FROM countries WHERE population > (SELECT population FROM countries WHERE continent = 'Africa')",
        "SELECT name FROM countries WHERE area_km2 < (SELECT AVG( area_km2) FROM countries)",
        "SELECT name FROM countries WHERE ( continent = 'Africa' OR languages LIKE '%French%')",
        "SELECT name FROM countries ORDER BY population * 1.0 / area_km2 DESC LIMIT 1",
        "SELECT name FROM rivers WHERE length_km BETWEEN 3 AND 50000000",
        "SELECT name FROM countries ORDER BY population DESC LIMIT 1 OFFSET 1",
        "SELECT MAX( population) - MIN( population) FROM countries WHERE continent = 'Africa'",
        "SELECT MAX( population) FROM countries",
        "SELECT MAX( population) * 1.0 / MIN( population) FROM countries WHERE name IN (:given)",
        "SELECT population * 100.0 / (SELECT SUM( population) FROM countries) FROM countries WHERE name IN (:given)",
        "SELECT SUM( area_km2) * 100.0 / (SELECT SUM( area_km2) FROM countries WHERE name IN (:given)) FROM countries",
        "SELECT name FROM countries WHERE continent = (SELECT continent FROM countries WHERE name = 'Mali')",
        "SELECT NULL",
    ],
)
def test_the_grammar_takes_what_may_be_asked(sql: str) -> None:
    assert accepts(grammar(Schema((COUNTRIES, RIVERS)), LITERALS), sql)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM countries",
        "SELECT name FROM countries; DROP TABLE countries",
        "SELECT nothing FROM countries",
        "SELECT name FROM planets",
        "SELECT name FROM countries WHERE continent = 'Europe'",
        "SELECT name FROM countries WHERE population > 7",
        "SELECT length_km FROM countries",
        "SELECT AVG( name) FROM countries",
        "SELECT name FROM rivers WHERE name IN (:given)",
        "SELECT name FROM countries LIMIT 50000000",
        "SELECT name FROM countries WHERE ( continent = 'Africa' OR continent = 'Africa')",
        "SELECT name FROM countries WHERE ( languages LIKE '%French%' OR continent = 'Africa')",
        "SELECT name FROM countries WHERE ( continent = 'Africa')",
        "SELECT name FROM countries ORDER BY population DESC LIMIT 1 OFFSET 2",
        "SELECT MAX( population) - MIN( area_km2) FROM countries",
        "SELECT MIN( population) - MAX( population) FROM countries",
        "SELECT MAX( population) * 1.0 / MIN( area_km2) FROM countries",
        "SELECT name FROM countries WHERE continent = (SELECT name FROM countries WHERE name = 'Mali')",
        "SELECT name FROM countries WHERE continent = (SELECT continent FROM countries WHERE continent = 'Africa')",
        "SELECT population * 100.0 / (SELECT SUM( area_km2) FROM countries) FROM countries",
        "SELECT population * 100.0 / (SELECT SUM( population) FROM rivers) FROM countries",
        "SELECT NULL FROM countries",
        "SELECT",
        "",
    ],
)
def test_the_grammar_refuses_the_rest(sql: str) -> None:
    assert not accepts(grammar(Schema((COUNTRIES, RIVERS)), LITERALS), sql)


def test_a_column_of_codes_says_of_how_many_letters() -> None:
    assert [letters_of(values) for values in (["PE", "BO"], ["EUR", "USD"], ["PE", "BOL"], ["Pe"], ["4X"], [])] == [
        2, 3, 0, 0, 0, 0
    ]  # fmt: skip
    assert Table("t", (Column("iso2", "text", 2), Column("pop", "number"))).text() == "t: iso2 2 letters, pop number"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("the second largest country", (2,)), ("3rd-biggest lake", (3,)), ("Who is the runner-up?", (2,)),
        ("the next largest after it", (2,)), ("a flight of 90 seconds", ()), ("how many in a second?", ()),
        ("second and third longest", (2, 3)), ("whose area ranks third?", (3,)), ("it comes in second.", (2,)),
        ("no two share it; number 2,000, No. 3.5, number 5 million, right after independence", ()),
        ("the most people after Asia; fewest after the war", (2,)), ("who's next in population", (2,)),
        ("last but one", (2,)), ("the biggest after china", (2,)), ("largest that was free after WWII", ()),
        ("the twenty-second largest", ()), ("poorest next to last", (2,)),
        ("Europe's number two", (2,)), ("No. 4 by area", (4,)), ("the one right behind it", (2,)),
    ],
)  # fmt: skip
def test_places(question: str, expected: tuple[int, ...]) -> None:
    assert places(question) == expected


def test_a_letter_to_begin_with_is_one_of_the_names() -> None:
    condition = Condition("countries", "name", "BEGINS", "M")
    assert condition.negated() == "name NOT LIKE 'M%'"
    lark = grammar(Schema((COUNTRIES, RIVERS)), Literals((condition,)))
    assert accepts(lark, "SELECT COUNT(*) FROM countries WHERE name LIKE 'M%'")
    assert not accepts(lark, "SELECT COUNT(*) FROM countries WHERE continent LIKE 'M%'")


def test_without_literals_nothing_can_be_compared() -> None:
    lark = grammar(Schema((COUNTRIES,)), Literals())
    assert accepts(lark, "SELECT MAX( population) FROM countries")
    assert not accepts(lark, "SELECT name FROM countries WHERE continent = 'Africa'")


def test_a_table_without_numbers_has_a_grammar() -> None:
    lark = grammar(Schema((Table("t", (Column("name", "text"),)),)), Literals())
    assert accepts(lark, "SELECT COUNT(DISTINCT name) FROM t")
    assert not accepts(lark, "SELECT SUM( name) FROM t")


def linkable(text: str) -> bool:
    return len(fold(text)) > 3 and "%" not in text and text.isprintable()


@given(st.text(min_size=4, max_size=30).filter(linkable))
def test_any_value_can_be_linked_and_quoted(value: str) -> None:
    """Whatever stands in a cell: the question that names it links it, and its condition is accepted as written."""
    index = ValueIndex()
    index.add("t", Column("name", "text"), [value, "something else"])
    found = [condition for condition in index.link(value, at_most=99) if condition.value == value]
    if len(fold(value).split()) <= 6:
        assert found
    for condition in found:
        lark = grammar(Schema((Table("t", (Column("name", "text"),)),)), Literals((condition,)))
        assert accepts(lark, f"SELECT name FROM t WHERE {condition.sql()}")


def test_lists_are_split() -> None:
    assert parts("French, Dutch; German ,") == ["French", "Dutch", "German"]


def test_values_that_no_grammar_can_hold_are_not_linked() -> None:
    index = ValueIndex()
    index.add("t", Column("name", "text"), ["bell\x07bell", "100% wool", "plain"])
    assert index.link("bell\x07bell") == () and index.link("100% wool") == ()
    assert index.link("plain")[0].value == "plain"
