"""What a fact of the graph answers is asked in people's words, beside a text that does not tell it."""

from __future__ import annotations

import random
import re

from understudy.agents.generators import reading, written_facts, written_passages
from understudy.core.demonstrations import render
from understudy.core.fields import SpanValue
from understudy.origin import folder_of


def test_every_relation_is_asked_in_many_ways_beside_many_silent_texts() -> None:
    for kind in written_facts._RELATIONS:
        assert len(set(written_facts._asked()[kind])) >= 25, kind
        assert len(written_facts._silent(kind)) >= 25, kind


def test_the_answer_is_the_whole_fact_and_no_text_about_the_place_has_it() -> None:
    rng = random.Random(1)
    beside, telling, relations = 0, 0, set[str]()
    for _ in range(300):
        example = written_facts.example(rng)
        answer, passages = example.values["answer"], example.prompt.passages
        assert isinstance(answer, SpanValue)
        fact = passages[answer.source]
        head, _, told = fact.text.partition(": ")
        assert fact.source == "graph" and told == answer.text == fact.text[answer.start : answer.end]
        kind = next(kind for kind, edge in written_facts._RELATIONS.items() if edge in head)
        relations.add(kind)
        own = [one for one in passages if one.source == "brief" and one.title in head]
        beside += bool(own)
        for text in own:
            words = text.text.replace(text.title, "")
            telling += bool(re.search(rf"\b({written_facts._TELLS[kind]})", words, re.IGNORECASE))
        assert len({one.text for one in passages}) == len(passages)
    assert relations == set(written_facts._RELATIONS) and 180 < beside < 290
    assert telling <= 5, "now and then an exchanged value has such a word"


def test_they_are_among_the_reader_s_examples_and_can_be_learned() -> None:
    from understudy.core.backbone import Backbone

    rng, backbone = random.Random(2), Backbone.load(str(folder_of("default")))
    found = 0
    for _ in range(200):
        example = reading.example(rng)
        answer = example.values["answer"]
        if not isinstance(answer, SpanValue) or example.prompt.passages[answer.source].source != "graph":
            continue
        question = example.prompt.part("question").lower()
        texts = {one.lower() for asked in written_facts._asked().values() for one in asked}
        found += any(max(re.split(r"\{it\}", one), key=len).strip("? .") in question for one in texts if len(one) > 25)
        assert render(example, backbone).decisions
    assert found > 5


def test_where_the_capital_stands_as_graphs_have_it_the_text_may_tell_the_answer() -> None:
    """Where it stood only beside what a fact answers, the reader answered all else with capitals as well."""
    rng = random.Random(9)
    shown = told = 0
    for _ in range(300):
        example = written_passages.example(rng)
        answer = example.values["answer"]
        if any(one.text.startswith("capital of ") for one in example.prompt.passages):
            shown += 1
            told += isinstance(answer, SpanValue) and bool(answer.text)
            assert answer is None or not example.prompt.passages[answer.source].text.startswith("capital of ")
    assert shown > 40 and told > 0.6 * shown, (shown, told)
