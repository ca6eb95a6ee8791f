"""Every training example is one that a role can be asked: copied from what it reads, and accepted by its grammar."""

from __future__ import annotations

import random
import re
import sqlite3
from itertools import islice

import llguidance
import pytest

from understudy.agents import coder, planner, qa
from understudy.agents.generators import GENERATORS, examples, interviewing, querying, questions, ranking
from understudy.agents.generators.briefs import Brief
from understudy.agents.generators.domains import DOMAINS, GEOGRAPHY
from understudy.agents.generators.lore import LORE, Lore
from understudy.agents.generators.phrases import agree, degrees, figure, singular, slip
from understudy.agents.generators.sets import base
from understudy.agents.generators.worlds import make_table
from understudy.agents.links import numbers
from understudy.core.fields import Choice, Grades, Grammar, ListOf, Record, Span
from understudy.core.prompts import Example


def some(role: str, count: int, seed: int = 7) -> list[Example]:
    return list(islice(examples(role, seed), count))


def fields(record: Record) -> dict[str, object]:
    return dict(record.fields)


@pytest.mark.parametrize("role", GENERATORS)
def test_examples_are_repeatable_and_vary(role: str) -> None:
    first = some(role, 200)
    assert first == some(role, 200)
    assert len({example.prompt.message for example in first}) > 190
    assert first[:5] != some(role, 5, seed=8)


def test_planner_examples_copy_the_request_and_name_the_cast() -> None:
    steps = 0
    for example in some("planner", 400):
        request = example.prompt.part("request")
        steps_field = fields(example.record)["steps"]
        assert isinstance(steps_field, ListOf) and isinstance(steps_field.item, Record)
        agent = dict(steps_field.item.fields)["agent"]
        assert isinstance(agent, Choice)
        assert 1 <= len(example.values["steps"]) <= planner.MOST_STEPS
        for at, step in enumerate(example.values["steps"], 1):
            span = step["request"]
            assert request[span.start : span.end] == span.text.strip() != ""
            assert step["agent"] in agent.options
            assert f"{step['agent']}: " in example.prompt.part("cast")
            assert all(0 < need < at for need in step["needs"])
            steps += 1
    assert steps > 480  # plans of several steps are common


def test_a_step_that_needs_another_reads_the_whole_request() -> None:
    planned = [(example, step) for example in some("planner", 400) for step in example.values["steps"]]
    dependent = [(example, step) for example, step in planned if step["needs"]]
    assert len(dependent) > 60
    for example, step in dependent:
        assert step["request"].text == example.prompt.part("request")


def test_reader_examples_answer_with_a_slice_of_their_source() -> None:
    none, looked, lists = 0, 0, 0
    for example in some("qa", 600):
        span = example.values["answer"]
        if span is None or not span.text:
            none += 1
            if span is not None:
                looked += 1
                assert example.prompt.passages[span.source].source == "brief", "the text about it, which does not tell"
            continue
        passage = example.prompt.passages[span.source]
        assert passage.text[span.start : span.end] == span.text
        lists += ", " in span.text
        for start, end in passage.names:
            assert not start < span.start < end and not start < span.end < end, "no name is cut"
    assert 0.12 < none / 600 < 0.36 and looked > 0.5 * none
    assert lists > 70


def test_a_continent_and_a_part_of_it_are_asked_for_apart() -> None:
    seen = {"continent": 0, "part": 0}
    for example in some("qa", 6000):
        span = example.values["answer"]
        if span is None or not span.text or " lies in: " not in example.prompt.passages[span.source].text:
            continue
        listed = example.prompt.passages[span.source].text.split(": ")[1]
        if span.text != listed:
            six = span.text in ("Africa", "Asia", "Europe", "South America", "North America", "Oceania")
            seen["continent" if six else "part"] += 1
            said = example.prompt.part("question").lower()  # now and then misspelt
            assert six or not re.search(r"\bcontinent\b", said), example.prompt.message
            assert not six or not re.search(r"\b(part|region)\b", said), example.prompt.message
    assert min(seen.values()) >= 3, seen


def test_interviews_ask_several_things_of_the_same_passages() -> None:
    rng = random.Random(3)
    asked, none, second = 0, 0, set()
    for _ in range(200):
        example = interviewing.example(rng)
        assert 1 <= len(example.prompt.passages) <= 10 and next(iter(example.values)) == "answer"
        assert all(field == Span(optional=True, max_tokens=96) for _, field in example.record.fields)
        for span in example.values.values():
            asked += 1
            none += span is None or not span.text
            if span is not None and span.text:
                assert example.prompt.passages[span.source].text[span.start : span.end] == span.text != ""
                second.add(span.source)
    assert asked > 600 and 0.05 < none / asked < 0.25
    assert len(second) > 6, "the place of the answer would be learned, not the question"


def test_lore_is_told_by_columns_of_its_name_or_another() -> None:
    price, independence = (next(one for one in LORE if one.name == name) for name in ("price", "independence"))
    for noun in ("price", "price per night", "ticket price", "cost", "value"):
        assert price.told_by(["population", noun]), noun
    assert independence.told_by(["year of independence"])
    assert not price.told_by(["prices paid", "rate", "days"]) and not price.told_by([])


def test_nothing_that_a_column_tells_is_called_untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The price of a hotel is no answer "none" where the table has its price per night."""
    asked: list[str] = []
    monkeypatch.setattr(questions, "ask", lambda rng, lore, name: asked.append(lore.name) or f"{lore.name} of {name}")
    hotel, country = (next(domain for domain in DOMAINS if domain.one == one) for one in ("hotel", "country"))
    rng = random.Random(4)
    told, without = {"price": "price", "independence": "year of independence"}, set()
    for domain, lore in ((hotel, "price"), (country, "independence")):
        for _ in range(400):
            world = make_table(rng, domain, 5)
            asked.clear()
            question = questions.untold(rng, world, base(world))
            assert question is None or question.sql == questions.NOTHING
            if any(told[lore] in attribute.nouns for attribute in world.columns.values()):
                assert lore not in asked
            else:
                without.update(asked)
    assert without >= set(told), "where no column tells it, it is asked"


def test_an_interview_asks_nothing_that_its_text_tells_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A price beside a figure that is called price, or rate, is neither asked nor asked in vain."""
    kinds = {one.name: one for one in LORE}
    briefs: list[tuple[set[str], dict[str, object], list[str]]] = []
    figures: set[str] = set()
    real = interviewing.brief

    def brief(rng: random.Random, domain: object, name: str, *more: object) -> Brief:
        written = real(rng, domain, name, *more)  # type: ignore[arg-type]
        nouns = {
            noun for attribute in domain.attributes  # type: ignore[attr-defined]
            if set(attribute.nouns) & set(written.figures) for noun in attribute.nouns
        }  # fmt: skip
        briefs.append((nouns, dict(written.lore), []))
        twice = [n for n in written.figures if any(kinds[lore].told_by([n]) for lore in written.lore)]
        figures.update(form.format(n=n, e=name).lower() for form in ("{n} of {e}", "{e}'s {n}") for n in twice)
        return written

    def ask(rng: random.Random, lore: Lore, name: str) -> str:
        briefs[-1][2].append(lore.name)
        return f"{lore.name} of {name}"

    monkeypatch.setattr(interviewing, "brief", brief)
    monkeypatch.setattr(interviewing, "ask", ask)
    rng, double, beside = random.Random(6), 0, 0
    for _ in range(600):
        figures.clear()
        asked_for = " ".join(interviewing.example(rng).values).lower()
        assert not [question for question in figures if question in asked_for]
    for nouns, told, asked in briefs:
        assert not [name for name in asked if kinds[name].told_by(nouns)]
        double += any(kinds[name].told_by(nouns) for name in told)
        beside += bool(nouns and asked)
    assert double > 10 and beside > 50, "there are texts that tell it twice, and others that are asked"


def test_facts_read_as_the_role_shows_them() -> None:
    """Both ways round, in one passage a relation; what is said already is not said again."""
    told = [
        ("France", "borders", "Spain"),
        ("Spain", "borders", "France"),
        ("Paris", "capital_of", "France"),
        ("France", "borders", "Italy"),
    ]
    texts = [passage.text for passage in qa.fact_passages("France", told)]
    assert texts == ["France borders: Spain, Italy", "borders France: Spain", "capital of France: Paris"]
    assert [passage.text for passage in qa.fact_passages("Spain", told)] == ["Spain borders: France"]
    many = [(f"C{number}", "lies_in", "Europe") for number in range(30)]
    assert qa.fact_passages("Europe", many) == []


def test_coder_examples_run_and_are_accepted() -> None:
    tokenizer = llguidance.LLTokenizer("byte")
    rng = random.Random(5)
    found = 0
    for _ in range(400):
        asked = querying.ask(rng)
        _, record = coder.compose(asked.schema, asked.literals, asked.given, asked.request)
        lark = fields(record)["sql"]
        assert isinstance(lark, Grammar)
        matcher = llguidance.LLMatcher(tokenizer, llguidance.LLMatcher.grammar_from_lark(lark.lark))
        tokens = tokenizer.tokenize_str(asked.sql)
        assert matcher.try_consume_tokens(tokens) == len(tokens), (asked.sql, matcher.get_error())
        assert matcher.is_accepting(), asked.sql
        with sqlite3.connect(":memory:") as connection:
            columns = ", ".join(column.name for column in asked.world.table.columns)
            connection.execute(f"CREATE TABLE {asked.world.table.name} ({columns})")
            marks = ", ".join("?" for _ in asked.world.table.columns)
            rows = [[row[column.name] for column in asked.world.table.columns] for row in asked.world.rows]
            connection.executemany(f"INSERT INTO {asked.world.table.name} VALUES ({marks})", rows)
            listed = ", ".join("?" for _ in asked.given)
            result = connection.execute(asked.sql.replace(":given", listed), asked.given).fetchall()
        found += bool(result)
    assert found > 300  # most questions have an answer in their world


def test_a_place_whose_word_is_misspelt_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the linker does not find, the grammar does not let the head write."""
    monkeypatch.setattr(querying.wrappers, "RATE", 1.0)
    monkeypatch.setattr(querying.wrappers, "wrapped", lambda rng, text, *kinds: text.replace("econd", "ecnd"))
    rng = random.Random(4)
    asked = [querying.ask(rng) for _ in range(400)]
    otherwise = re.compile("2nd|runner-up|next", re.IGNORECASE)
    misspelt = [one for one in asked if "ecnd" in one.request and not otherwise.search(one.request)]
    assert not any("OFFSET 1" in one.sql for one in misspelt)
    assert any("OFFSET" in one.sql for one in asked)


def test_coder_literals_stand_in_the_prompt() -> None:
    """No literal has to be made up: every quoted value and number is one that the prompt lists."""
    for example in some("coder", 500):
        message = dict(example.prompt.message)
        listed = message.get("values", "")
        for condition in re.findall(
            r"\w+ (?:=|LIKE) '(?:[^']|'')*'", example.values["sql"].replace(" NOT LIKE", " LIKE")
        ):
            assert condition in listed
        assert (":given" in example.values["sql"]) == ("given" in message)
        for number in re.findall(r"(?:[<>]=?|BETWEEN|AND) (\d+(?:\.\d+)?)", example.values["sql"]):
            assert number in message["numbers"].split(", ")


def test_recommender_examples_rank_by_what_is_shared() -> None:
    for example in some("recommender", 300):
        record = fields(example.record)
        places = record["places"]
        assert isinstance(places, Grades)
        assert tuple(example.values["places"]) == places.options
        assert all(text.split(":")[0] == name for name, text in zip(places.options, places.shown, strict=True))
        assert set(example.values["places"].values()) <= set(places.labels)
        assert len(set(example.values["places"].values())) > 1, "nothing to rank by"
        assert not set(places.options) & set(example.values["liked"])
        assert example.values["liked"]


def test_what_was_disliked_is_not_liked() -> None:
    rng = random.Random(3)
    seen = 0
    for _ in range(300):
        example = ranking.example(rng)
        liked = fields(example.record)["liked"]
        assert isinstance(liked, ListOf) and isinstance(liked.item, Choice)
        seen += len(liked.item.options) > len(example.values["liked"])
    assert seen > 15


def test_domains_are_many_and_geography_is_common() -> None:
    assert len(DOMAINS) >= 40
    assert GEOGRAPHY.one == "country"
    about = sum("countr" in example.prompt.part("tables").split(":")[0] for example in some("coder", 400))
    assert 60 < about < 240


def test_words() -> None:
    assert degrees("large") == ("larger", "largest")
    assert degrees("populous") == ("more populous", "most populous")
    assert degrees("big") == ("bigger", "biggest")
    assert agree("that use(s) the {v}", False) == "that uses the {v}"
    assert agree("are(is) in {v}", False) == "is in {v}"
    assert singular("neighbouring countries") == "neighbouring country"
    assert singular("members of the team") == "member of the team"


def test_figures_are_read_as_they_are_written() -> None:
    rng = random.Random(1)
    for number in (3, 40, 950, 1200, 3500, 45000, 700000, 2000000, 50000000, 1500000000):
        for _ in range(20):
            text = figure(rng, number)
            assert str(number) in numbers(f"more than {text} people"), text


def test_a_slip_leaves_names_alone() -> None:
    rng = random.Random(2)
    slips = {slip(rng, "Which neighbours of Andorra speak Catalan", ("Andorra", "Catalan")) for _ in range(50)}
    assert len(slips) > 10
    assert all("Andorra" in text and "Catalan" in text for text in slips)


def test_a_value_is_found_though_its_sentence_begins_with_it() -> None:
    from understudy.agents.generators.briefs import _last

    assert _last("Irsap is the dish, and ırsap it is", "ırsap") == 23
    assert _last("Irsap is the dish.", "ırsap") == 0, "a capital of ı is an I, and its small letter an i"
    assert _last("the EURO", "euro") == 4
