"""The planner's requests as questions for the reader: with what a step before has found, or about a named country."""

from __future__ import annotations

import random

import pytest

from understudy.agents.generators import (
    composed_requests,
    found_first,
    reading,
    templates,
    written_facts,
    written_requests,
)
from understudy.core.fields import SpanValue


def test_what_was_found_is_given_and_never_named_in_the_request() -> None:
    rng = random.Random(1)
    given, named, graph, texts = 0, 0, 0, 0
    for _ in range(400):
        example = found_first.example(rng)
        answer, request = example.values["answer"], example.prompt.part("question")
        assert "[" not in request and "{" not in request
        if isinstance(answer, SpanValue):
            passage = example.prompt.passages[answer.source]
            assert passage.text[answer.start : answer.end] == answer.text
            graph += passage.source == "graph"
            texts += passage.source == "brief"
        parts = dict(example.prompt.message)
        if "given" in parts and parts["given"] not in request:
            given += 1
            if isinstance(answer, SpanValue):
                passage = example.prompt.passages[answer.source]
                assert parts["given"] in passage.title + passage.text, "the answer is about what was given"
        else:
            named += 1
    assert given > 120 and named > 120 and graph > 80 and texts > 120, (given, named, graph, texts)


def test_a_question_about_a_named_country_is_asked_of_a_found_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found_first, "_CHAINED", 1.0)
    monkeypatch.setattr(found_first, "_COMPOSED", 1.0)
    rng, phrases = random.Random(4), 0
    named = [one for one in composed_requests._extremes() if "{" not in one]
    monkeypatch.setattr(composed_requests, "_extremes", lambda: named)
    for _ in range(60):
        example = found_first.example(rng)
        parts = dict(example.prompt.message)
        assert parts.get("given", "?") not in parts["question"] and not set("[]{}") & set(parts["question"])
        phrases += any(phrase in parts["question"] for phrase in named)
    assert phrases > 20, "what asks for a country by figures stands in the place of its name"


def test_every_kind_is_told_by_several_texts_or_a_fact() -> None:
    kinds = {template.left for template in found_first._templates()}
    assert len(kinds) >= 12 and len(found_first._templates()) > 500
    for kind in kinds - {found_first.UNTOLD}:
        assert kind in written_facts.KINDS or len(found_first._telling(kind)) > 10, kind


def test_each_is_a_request_of_the_planner_s_or_written_for_the_reader() -> None:
    written = {one.right for found in templates.read(*written_requests.FILES).values() for one in found}
    for_the_reader = {one.right for found in templates.read("facts_named").values() for one in found}
    assert {template.right for template in found_first._templates()} <= written | for_the_reader
    assert not any("[" in right for right in for_the_reader)


def test_what_is_named_by_the_way_is_in_the_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    found = templates.parse("## country\n- || Just landed in {place}; who is mayor? We came from {*2} to {*}", "f")
    monkeypatch.setattr(found_first, "_templates", lambda: found)
    monkeypatch.setattr(found_first, "_CHAINED", 0.0)
    rng = random.Random(3)
    capitals = 0
    for _ in range(60):
        example = found_first.example(rng)
        capitals += any(" capital of: " in one.text and one.source == "graph" for one in example.prompt.passages)
        answer = example.values["answer"]
        assert answer is None or answer.text == "", "nothing tells this"
    assert capitals > 30


def test_they_are_among_the_reader_s_examples() -> None:
    rng = random.Random(2)
    pieces = {max(templates.SLOT.split(one.right.replace("[", "").replace("]", "")), key=len).lower()
              for one in found_first._templates()}  # fmt: skip
    pieces = {piece for piece in pieces if len(piece) > 20}
    texts = [reading.example(rng).prompt.part("question").lower() for _ in range(300)]
    assert sum(any(piece in text for piece in pieces) for text in texts) > 15


@pytest.mark.parametrize("line", ["dish || what do they eat", "dish || [one] or [two]", "shoes || what of {*}"])
def test_a_line_without_one_thing_or_of_no_kind_is_refused(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"country": templates.parse(f"## country\n{line}", "facts.txt")}
    monkeypatch.setattr(found_first, "read", lambda *names: found)
    with pytest.raises(ValueError, match=r"facts.txt:2: "):
        found_first._templates.__wrapped__()
