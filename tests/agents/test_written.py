"""What people wrote for the generators: every line gives examples that a role can be asked."""

from __future__ import annotations

import random
from itertools import islice

import llguidance
import pytest

from understudy.agents.generators import templates, written_passages, written_queries, written_requests
from understudy.agents.generators.domains import DOMAINS
from understudy.agents.generators.planning import example as planned
from understudy.agents.links import numbers, places
from understudy.agents.sql import NOTHING, Literals, grammar
from understudy.core.fields import SpanValue

QUERIES = [one for found in templates.read(*written_queries.FILES).values() for one in found]
REQUESTS = [one for found in templates.read(*written_requests.FILES).values() for one in found]


def asked(template: templates.Template, rng: random.Random) -> bool:
    """Whether a draw of it is linked; then its SQL must be accepted."""
    world = templates.world_for(rng, template)
    question = written_queries.asked(rng, world, template)
    assert "{" not in question.text and not {"[", "{"} & set(question.sql), (template.where, question)
    given = {world.table.name: world.key} if question.given else {}
    literals = Literals(world.index.link(question.text), numbers(question.text), given, places(question.text))
    known = {condition.sql() for condition in literals.conditions}
    if not known.issuperset(question.conditions) or not set(literals.numbers).issuperset(question.figures):
        return False
    tokenizer = llguidance.LLTokenizer("byte")
    matcher = llguidance.LLMatcher(tokenizer, llguidance.LLMatcher.grammar_from_lark(grammar(world.schema, literals)))
    tokens = tokenizer.tokenize_str(question.sql)
    assert matcher.try_consume_tokens(tokens) == len(tokens), (template.where, question.sql)
    assert matcher.is_accepting(), (template.where, question.sql)
    return True


@pytest.mark.parametrize("part", range(5))
def test_every_query_is_accepted_by_the_grammar_of_its_question(part: int) -> None:
    rng = random.Random(part)
    for template in QUERIES[part :: 5 * 4]:  # a quarter; all of them by test_all_queries
        assert any(asked(template, rng) for _ in range(30)), template


@pytest.mark.slow
def test_all_queries() -> None:
    rng = random.Random(1)
    for template in QUERIES:
        assert any(asked(template, rng) for _ in range(30)), template


def test_every_domain_is_asked_about_in_many_ways() -> None:
    assert len(QUERIES) > 2400 and len(REQUESTS) > 1700
    for domain in DOMAINS:
        assert len(templates.read(*written_queries.FILES)[domain.one]) >= 20, domain.one
        assert len(templates.read(*written_requests.FILES)[domain.one]) >= 10, domain.one
        named = {noun for one in templates.read(*written_queries.FILES)[domain.one] for noun in one.columns}
        assert {attribute.nouns[0] for attribute in domain.attributes} <= named, domain.one


def test_a_table_that_lacks_the_column_tells_nothing() -> None:
    template = next(one for one in QUERIES if one.right == "SELECT [population] FROM t WHERE [*] = {*}")
    rng = random.Random(3)
    without = templates.world_for(rng, template, ["population"])
    assert all(one.nouns[0] != "population" for one in without.columns.values())
    assert written_queries.asked(rng, without, template, "population").sql == NOTHING
    assert written_queries.asked(rng, templates.world_for(rng, template), template).sql != NOTHING


def test_the_second_figure_of_a_column_is_the_larger() -> None:
    template = next(one for one in QUERIES if "BETWEEN {population} AND {population2}" in one.right)
    rng = random.Random(4)
    for _ in range(40):
        sql = written_queries.asked(rng, templates.world_for(rng, template), template).sql
        low, high = sql.split(" BETWEEN ")[1].split(" AND ")[:2]
        assert float(low) < float(high.split()[0]), sql


def test_every_request_has_the_words_of_its_steps() -> None:
    rng = random.Random(5)
    several = 0
    for template in REQUESTS:
        request = written_requests.asked(rng, templates.world_for(rng, template), template)
        assert not set("{}[]") & set(request.text), template
        assert all(part.words.strip() and part.words in request.text for part in request.parts), template
        several += len(request.parts) > 1
        if ">" in template.left:
            assert request.parts[-1].words == request.text and request.parts[-1].needs
    assert several > 500


def test_written_requests_are_among_the_examples() -> None:
    rng = random.Random(6)
    texts = [planned(rng).prompt.part("request").lower() for _ in range(300)]
    plain = [one.right.replace("[", "").replace("]", "") for one in REQUESTS]
    pieces = {max(templates.SLOT.split(text), key=len).lower() for text in plain}
    assert sum(any(len(piece) > 12 and piece in text for piece in pieces) for text in texts) > 90


def test_answers_stand_in_their_texts() -> None:
    rng = random.Random(7)
    kinds = {"told": 0, "in vain": 0, "none": 0}
    for _ in range(600):
        example = written_passages.example(rng)
        answer = example.values["answer"]
        if answer is None:
            kinds["none"] += 1
            continue
        assert isinstance(answer, SpanValue)
        text = example.prompt.passages[answer.source].text
        assert text[answer.start : answer.end] == answer.text
        kinds["told" if answer.text else "in vain"] += 1
    assert kinds["told"] > 400 and kinds["in vain"] > 30 and kinds["none"] > 10, kinds


def test_values_are_exchanged_and_years_drawn_anew() -> None:
    rng = random.Random(8)
    told = next(one for one in written_passages.read() if {"dish", "independence"} <= set(one.values))
    shown = [written_passages.show(rng, told, "Tiomland") for _ in range(60)]
    for kind in ("dish", "independence"):
        assert len({one.text[slice(*one.places[kind])] for one in shown}) > 10
    assert all("{" not in one.text and "Tiomland" in one.text for one in shown)


def test_interviews_ask_several_texts() -> None:
    rng = random.Random(9)
    for _ in range(100):
        passages, posed, untold = written_passages.interview(rng)
        assert len({one.title for one in passages}) == len(passages)
        for question, at, place in posed:
            assert place is not None and passages[at].text[slice(*place)] and "{" not in question
        assert all(place is None for _, _, place in untold)


@pytest.mark.parametrize(
    ("text", "what"),
    [("who is it || SELECT", "is no template of a domain"), ("## country\nno bars here", "is no template")],
)
def test_a_line_that_is_no_template_is_refused(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        templates.parse(text, "file.txt")


def test_a_text_that_is_asked_for_what_it_does_not_mark_is_refused() -> None:
    with pytest.raises(ValueError, match="of no kind: \\['dish'\\]"):
        written_passages.parse("# Tiom\n{it} eats {food=rice}.\ndish ? what do they eat in {it}", True)


def test_a_request_whose_marks_do_not_fit_its_steps_is_refused() -> None:
    (template,) = templates.parse("## country\nqa>coder || how many people live around {*}", "file.txt")
    with pytest.raises(ValueError, match="needs 1 marked parts, not 0"):
        written_requests.asked(random.Random(0), templates.world_for(random.Random(0), template), template)


def test_examples_are_the_same_for_the_same_seed() -> None:
    def some(seed: int) -> list[str]:
        rng = random.Random(seed)
        return [written_passages.example(rng).prompt.part("question") for _ in range(20)]

    assert some(1) == some(1) != some(2)
    assert len(list(islice(written_passages.read(), 5))) == 5
