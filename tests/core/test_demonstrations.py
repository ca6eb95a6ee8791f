"""A demonstration as tokens, and which of them were decisions."""

import pytest

from understudy.core.backbone import Backbone
from understudy.core.demonstrations import render
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Choice, Record, Span, SpanValue, Text
from understudy.core.prompts import Example, Prompt
from understudy.core.reading import read

PROMPT = Prompt(message=(("text", "one two one three"),))


def example(field: object, value: object) -> Example:
    return Example(PROMPT, Record((("it", field),)), {"it": value})  # type: ignore[arg-type]


def test_the_prompt_comes_first_and_carries_no_decision(either: Backbone, everything: Example) -> None:
    reading, rendered = read(everything.prompt, either), render(everything, either)
    assert rendered.ids[: rendered.answer_at] == reading.ids and rendered.role_at == reading.role_at
    assert min(d.at for d in rendered.decisions) > rendered.answer_at
    for decision in rendered.decisions:
        assert len(decision.allowed) != 1
        assert not decision.allowed or rendered.ids[decision.at] in decision.allowed


def test_a_choice_is_decided_where_its_options_part(either: Backbone) -> None:
    options = ("one two", "one three", "two")
    rendered = render(example(Choice(options), "one three"), either)
    ids = {option: (*either.encode(option), either.markers.end) for option in options}
    start = len(rendered.ids) - len(ids["one three"])
    assert rendered.ids[start:] == ids["one three"]
    expected = []
    for depth, token in enumerate(ids["one three"]):
        children = {o[depth] for o in ids.values() if o[:depth] == ids["one three"][:depth]}
        if len(children) > 1:
            expected.append((start + depth, token, children))
    assert [(d.at, rendered.ids[d.at], set(d.allowed)) for d in rendered.decisions] == expected
    assert len(expected) >= 2


def test_a_span_is_decided_among_what_its_source_lets_follow(either: Backbone) -> None:
    rendered = render(example(Span(part="text"), SpanValue(0, 4, 7, "two")), either)
    source = list(read(PROMPT, either).parts["text"].ids)
    two, end = either.encode("two"), either.markers.end
    assert rendered.ids[-len(two) - 1 :] == (*two, end)
    first, last = rendered.decisions[0], rendered.decisions[-1]
    assert first.at == len(rendered.ids) - len(two) - 1 and set(first.allowed) == set(source)
    assert rendered.ids[last.at] == end and set(last.allowed) == {end, either.encode("one")[0]}


def test_text_is_decided_among_the_whole_vocabulary(either: Backbone) -> None:
    rendered = render(example(Text(), "hello you"), either)
    assert [rendered.ids[d.at] for d in rendered.decisions] == [*either.encode("hello you"), either.markers.end]
    assert all(d.allowed == () for d in rendered.decisions)


def test_what_is_wrong_with_a_value_is_said(either: Backbone) -> None:
    with pytest.raises(UnderstudyError, match="'it' cannot be 'four'"):
        render(example(Choice(("one", "two")), "four"), either)
    with pytest.raises(UnderstudyError, match="no value for 'it'"):
        render(Example(PROMPT, Record((("it", Text()),)), {}), either)
