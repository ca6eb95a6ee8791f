"""Whatever the record, the texts and the weights: the message that comes out is a valid one."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from understudy.core.backbone import Backbone
from understudy.core.bank import HeadBank
from understudy.core.decoding import Call, Decoder
from understudy.core.demonstrations import render
from understudy.core.fields import (
    Choice,
    Earlier,
    Field,
    Grades,
    Grammar,
    ListOf,
    Number,
    Record,
    Span,
    SpanValue,
    Text,
)  # fmt: skip
from understudy.core.heads import Head
from understudy.core.prompts import Example, Passage, Prompt
from understudy.core.reading import read

# Two grammars and, independently, the same two languages as regular expressions. A grammar that can go on for ever
# is bounded by the context alone, so none of these can.
GRAMMARS = {
    'start: "GET " COLUMN (" > " /[0-9]{1,3}/)?\nCOLUMN: "name" | "é 🦊"': r"GET (name|é 🦊)( > [0-9]{1,3})?",
    'start: item ("," item)?\nitem: "x"{1,3} | "(x)"': r"(x{1,3}|\(x\))(,(x{1,3}|\(x\)))?",
}
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12).map(
    lambda text: text.replace("<|", "<")
)
SENTENCES = st.lists(
    WORDS | st.sampled_from(["Lima", "你好", "🦊", "e\u0301", "\n", "42"]), min_size=1, max_size=8
).map(" ".join)
NAMES = st.sampled_from(["answer", "who", "größe", "a b"])

LEAVES: st.SearchStrategy[Field] = st.one_of(
    st.builds(Choice, st.lists(SENTENCES, min_size=1, max_size=5, unique_by=str.strip).map(tuple)),
    st.builds(
        Span, part=st.sampled_from([None, "text", "other"]), optional=st.booleans(), max_tokens=st.integers(1, 9)
    ),
    st.builds(Text, max_tokens=st.integers(1, 6)),
    st.builds(Number, integer=st.booleans()),
    st.builds(
        Grades,
        st.lists(SENTENCES, max_size=3, unique_by=str.strip).map(tuple),
        st.sampled_from([("0", "1", "2"), ("low", "high"), ("one",)]),
    ),
    st.builds(Grammar, lark=st.sampled_from(sorted(GRAMMARS)), max_tokens=st.integers(1, 12)),
)


def records(item: st.SearchStrategy[Field], most: int) -> st.SearchStrategy[Record]:
    return st.lists(st.tuples(NAMES, item), min_size=1, max_size=most, unique_by=lambda one: one[0]).map(
        lambda fields: Record(tuple(fields))
    )


def lists(item: st.SearchStrategy[Field]) -> st.SearchStrategy[Field]:
    bounds = st.tuples(st.integers(0, 2), st.integers(0, 2))
    return st.builds(
        lambda item, b, distinct: ListOf(item, b[0], max(1, sum(b)), distinct and isinstance(item, Choice | Earlier)),
        item, bounds, st.booleans(),
    )  # fmt: skip


EARLIER: st.SearchStrategy[Field] = st.builds(ListOf, st.just(Earlier()), st.integers(0, 1), st.just(3), st.booleans())
RECORDS = records(LEAVES | lists(LEAVES) | lists(records(LEAVES | EARLIER, 2)) | records(LEAVES, 2), 4)


def check(field: Field, value: Any, prompt: Prompt, at: int = 0) -> None:
    """Fails unless ``value`` is one of ``field``; written against the documentation of the fields alone."""
    if isinstance(field, Choice):
        assert value in field.options
    elif isinstance(field, Span):
        if value is None:
            assert field.optional
            return
        assert isinstance(value, SpanValue)
        sources = [p.text for p in prompt.passages] if field.part is None else [prompt.part(field.part)]
        assert sources[value.source][value.start : value.end] == value.text
        assert 0 <= value.start <= value.end
    elif isinstance(field, Text):
        assert isinstance(value, str) and not re.search(r"[\n\r\x00-\x1f]", value)
    elif isinstance(field, Grades):
        assert tuple(value) == field.options
        assert all(-1e-6 <= grade <= len(field.labels) - 1 + 1e-6 for grade in value.values())
    elif isinstance(field, Number):
        assert type(value) is (int if field.integer else float)
    elif isinstance(field, Grammar):
        assert re.fullmatch(GRAMMARS[field.lark], value)
    elif isinstance(field, Earlier):
        assert type(value) is int and 1 <= value <= at
    elif isinstance(field, Record):
        assert list(value) == [name for name, _ in field.fields]
        for name, inner in field.fields:
            check(inner, value[name], prompt, at)
    else:
        room = field.at_most
        if isinstance(field.item, Earlier):
            room = min(room, at)
        if isinstance(field.item, Choice) and field.distinct:
            room = min(room, len(field.item.options))
        assert min(field.at_least, room) <= len(value) <= room
        if field.distinct:
            assert len(set(value)) == len(value)
        for number, item in enumerate(value):
            check(field.item, item, prompt, at if isinstance(field.item, Earlier) else number)


@pytest.fixture(scope="module")
def backbone(tiny_backbone: Path) -> Backbone:
    return Backbone.load(str(tiny_backbone))


def decoder_of(backbone: Backbone, seed: int) -> Decoder:
    """A decoder whose head shakes the backbone hard: other weights, other answers."""
    generator = torch.Generator().manual_seed(seed)
    pairs = {
        site: (torch.randn(wide, 2, generator=generator), torch.randn(2, out, generator=generator))
        for site, (wide, out) in backbone.sites.items()
    }
    bank = HeadBank(backbone.sites, rank=2)
    bank.add(Head("wild", pairs))
    return Decoder(backbone, bank)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(RECORDS, SENTENCES, SENTENCES), min_size=1, max_size=3), st.integers(0, 2**31), st.booleans())
def test_every_decoded_message_is_valid(
    backbone: Backbone, drawn: list[tuple[Record, str, str]], seed: int, bare: bool
) -> None:
    calls = [
        Call(
            Prompt((Passage("", text), Passage("One", other)), (), (("text", other), ("other", text))),
            record,
            "" if bare else "wild",
        )
        for record, text, other in drawn
    ]
    for call, reply in zip(calls, decoder_of(backbone, seed).decode(calls), strict=True):
        check(call.record, reply.values, call.prompt)
        assert 0 <= reply.confidence <= 1
        for pick in reply.picks:
            assert 0 <= pick.probability <= 1 + 1e-6
            assert not pick.options or sum(pick.options.values()) == pytest.approx(1, abs=1e-4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SENTENCES, st.data())
def test_a_span_of_any_text_survives_its_tokens(backbone: Backbone, text: str, data: st.DataObject) -> None:
    """The tokens that cover a span stand for at least its characters, and for their slice of the source."""
    prompt = Prompt(message=(("text", text),))
    assume(text)
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    value = SpanValue(0, start, end, text[start:end])
    source = read(prompt, backbone).parts["text"]
    if not value.text.strip() or not any(a < end and b > start for a, b in source.offsets):
        return  # blanks alone have no token of their own
    found = source.span(0, *source.cover(value))
    assert found.text == text[found.start : found.end]
    assert value.text.strip() in found.text
    record = Record((("it", Span(part="text", max_tokens=400)),))
    assert render(Example(prompt, record, {"it": value}), backbone).ids
