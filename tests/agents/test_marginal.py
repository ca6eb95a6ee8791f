"""An answer's probability is summed over the passages on which it may rest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from understudy.agents.emitting import shower
from understudy.agents.marginal import LEAST, MOST, marginal
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Record, Span, SpanValue
from understudy.core.prompts import Passage, Prompt
from understudy.core.rows import Picked

PROMPT = Prompt(passages=(Passage("", "nothing"),), message=(("question", "?"),), role="answer")
RECORD = Record((("answer", Span(optional=True, max_tokens=9)),))


@dataclass(frozen=True)
class Reply:
    values: dict[str, Any]
    confidence: float
    picks: tuple[Picked, ...] = ()
    tokens: int = 1
    seconds: float = 0.0


@dataclass
class Head:
    """``passages``: how likely each is, ``""`` none; ``readings``: what each then gives, and how surely."""

    passages: Mapping[str, float]
    readings: Mapping[str, tuple[str, float]]
    asked: list[tuple[str, ...]] = field(default_factory=list)
    watched: list[bool] = field(default_factory=list)

    async def ask(self, prompt: Prompt, record: Record) -> Reply:
        ((name, span),) = record.fields
        assert isinstance(span, Span) and span.optional and span.max_tokens == 9
        self.asked.append(span.headings)
        self.watched.append(shower.get() is not None)
        picks: tuple[Picked, ...] = ()
        heading, chance = (span.headings or ("",))[0], 1.0
        if not span.headings:
            heading = max(self.passages, key=lambda one: self.passages[one])
            chance = self.passages[heading]
            picks = (Picked("answer#", heading, chance, self.passages),)
            if not heading:
                return Reply({name: None}, chance, picks)
        text, sure = self.readings[heading]
        at = list(self.passages).index(heading)
        return Reply({name: SpanValue(at, 0, len(text), text)}, chance * sure, picks)


def answer(head: Head) -> tuple[str | None, float]:
    span, chance = asyncio.run(marginal(head.ask, PROMPT, RECORD, lambda span: span.text.lower()))
    return span.text if span else None, chance


def test_a_surer_answer_of_the_second_passage_wins() -> None:
    head = Head({"Hungary": 0.54, "Hungary pays with": 0.41, "": 0.05},
                {"Hungary": ("Budapest", 0.2), "Hungary pays with": ("forint", 0.9)})  # fmt: skip
    assert answer(head) == ("forint", pytest.approx(0.369))
    assert head.asked == [(), ("Hungary pays with",)]


def test_passages_that_say_the_same_make_it_surer_in_the_likelier_words() -> None:
    head = Head({"capital of Mali": 0.5, "Mali": 0.4, "": 0.1},
                {"capital of Mali": ("Bamako", 0.9), "Mali": ("bamako", 0.8)})  # fmt: skip
    assert answer(head) == ("Bamako", pytest.approx(0.77))


def test_passages_that_do_not_tell_it_are_summed_as_well() -> None:
    head = Head({"a": 0.4, "b": 0.35, "": 0.25}, {"a": ("yes", 0.9), "b": ("", 0.8)})
    assert answer(head) == (None, pytest.approx(0.25 + 0.28))


def test_an_answer_may_beat_the_likeliest_choice_of_no_passage() -> None:
    head = Head({"": 0.4, "a": 0.3, "b": 0.3}, {"a": ("yes", 0.9), "b": ("yes", 0.8)})
    assert answer(head) == ("yes", pytest.approx(0.51))


def test_only_likely_passages_are_read_and_not_too_many() -> None:
    some = {str(at): 0.9 / 6 for at in range(6)} | {"": 0.1 - LEAST / 2, "little": LEAST / 2}
    head = Head(some, dict.fromkeys(some, ("x", 1.0)))
    answer(head)
    assert len(head.asked) == 1 + MOST and ("little",) not in head.asked
    sure = Head({"a": 0.95, "b": 0.05}, {"a": ("x", 1.0)})
    assert answer(sure) == ("x", pytest.approx(0.95)) and sure.asked == [()]


def test_only_the_first_reading_is_watched() -> None:
    head = Head({"a": 0.6, "b": 0.4}, {"a": ("x", 0.5), "b": ("y", 0.5)})
    token = shower.set(lambda part: None)
    try:
        answer(head)
    finally:
        shower.reset(token)
    assert head.watched == [True, False]


def test_a_decoder_that_tells_no_chances_is_asked_once() -> None:
    asked = []

    async def ask(prompt: Prompt, record: Record) -> Reply:
        asked.append(record)
        return Reply({"answer": SpanValue(0, 0, 2, "it")}, 0.7)

    found = asyncio.run(marginal(ask, PROMPT, RECORD, lambda span: span.text))
    assert found == (SpanValue(0, 0, 2, "it"), 0.7) and asked == [RECORD]


def test_a_further_passage_that_is_refused_loses_no_answer() -> None:
    head = Head({"a": 0.6, "b": 0.4}, {"a": ("x", 0.5)})

    async def ask(prompt: Prompt, record: Record) -> Reply:
        ((_, span),) = record.fields
        if isinstance(span, Span) and span.headings:
            raise UnderstudyError("too long")
        return await head.ask(prompt, record)

    assert asyncio.run(marginal(ask, PROMPT, RECORD, lambda span: span.text)) == (SpanValue(0, 0, 1, "x"), 0.3)
