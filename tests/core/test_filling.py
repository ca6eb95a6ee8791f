"""Every value goes into tokens and comes back out of the decoder's own procedure."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from understudy.core.backbone import Backbone
from understudy.core.constraints import Guided, after_blank, number_grammar, text_grammar
from understudy.core.demonstrations import Rendered, render
from understudy.core.errors import UnderstudyError
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
)
from understudy.core.filling import Choose, Filler, Write
from understudy.core.prompts import Example, Passage, Prompt
from understudy.core.reading import read


def replay(example: Example, rendered: Rendered, backbone: Backbone) -> dict[str, Any]:
    """Drive the filling without values, as a model would that always writes the teacher's next token."""
    reading = read(example.prompt, backbone)
    left = list(rendered.ids[len(reading.ids) :])
    end = backbone.markers.end

    def expect(ids: tuple[int, ...]) -> None:
        assert tuple(left[: len(ids)]) == tuple(ids)
        del left[: len(ids)]

    filling, answer = Filler(backbone, reading).record(example.record), None
    try:
        while True:
            action, answer = filling.send(answer), None
            if isinstance(action, Write):
                expect(action.ids)
            elif isinstance(action, Choose):
                fits = [i for i, option in enumerate(action.options) if tuple(left[: len(option)]) == option]
                assert len(fits) == 1, f"{action.path}: {fits} are all what the teacher wrote"
                expect(action.options[answer := fits[0]])
            else:
                written: list[int] = []
                while (token := left[0]) != end:
                    assert token in action.constraint.allowed(), f"{action.path} may not say {token} after {written}"
                    action.constraint.advance(token)
                    written.append(left.pop(0))
                assert end in action.constraint.allowed(), f"{action.path} may not end after {written}"
                answer = tuple(written)
    except StopIteration as stop:
        assert not left, "the teacher wrote more than the filling asked for"
        return stop.value


def plain(value: Any) -> Any:
    """Spans by their text: the first of two equal runs of a source stands for both."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.text if isinstance(value, SpanValue) else value


def back(backbone: Backbone, field: Field, value: Any, prompt: Prompt | None = None) -> Any:
    prompt = prompt or Prompt(message=(("text", "Hello"),), role="Answers.")
    example = Example(prompt, Record((("it", field),)), {"it": value})
    return replay(example, render(example, backbone), backbone)["it"]


def test_a_record_of_every_kind_of_field_comes_back(either: Backbone, everything: Example) -> None:
    found = replay(everything, render(everything, either), either)
    assert plain(found) == plain(everything.values)
    assert found["capital"] == everything.values["capital"] and found["animal"] == everything.values["animal"]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (Choice(("a", "a b", "a b c", "", "Ünïcode 🦊", "你好")), ["a", "a b", "a b c", "", "Ünïcode 🦊", "你好"]),
        (Number(integer=True), [0, 7, -1, 10, 999_999_999_999]),
        (Number(), [0.0, 0.5, -12.25, 3.0, 50_000_000.0, 0.000001 * 125000]),
        (Text(40), ["a", "Hello, world!", "e\u0301 \u00e9", "你好 👩‍👩‍👧", 'say "it\'s" <b> \\ {x}', "a  b", "42"]),
        (Grammar('start: "a"+ ("b" | "é")', 24), ["ab", "aaaaé"]),
        (ListOf(Choice(("a", "b")), 0, 3), [[], ["a"], ["a", "a", "b"]]),
        (ListOf(Choice(("a", "b")), 2, 2), [["b", "a"]]),
        (ListOf(Choice(("a", "b", "c")), 1, 8, distinct=True), [["c"], ["c", "a", "b"]]),
        (ListOf(Text(8), 0, 2), [["one two", "three"]]),
        (ListOf(ListOf(Choice(("a", "b"))), 0, 3), [[["a"], [], ["b", "a"]]]),
        (ListOf(Record((("n", ListOf(Earlier())), ("one", Choice(("x", "y"))))), 1, 3), [
            [{"n": [], "one": "x"}, {"n": [1], "one": "y"}, {"n": [1, 2], "one": "x"}]]),
        (ListOf(Record((("n", ListOf(Earlier(), 0, 1)),)), 3, 12), [[{"n": []}] + [{"n": [i]} for i in range(1, 12)]]),
        (Record((("a", Record((("b", Number()),))),)), [{"a": {"b": 1.5}}]),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, list) else "",
)  # fmt: skip
def test_values_come_back(either: Backbone, field: Field, values: list[Any]) -> None:
    for value in values:
        assert back(either, field, value) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The capital of Peru is Lima.", ["Lima", "The capital", "Peru is Lima.", "."]),
        ("first line\nsecond\tline\r\nthird", ["line\nsecond", "second\tline", "line\r\nthird", "third"]),
        ("  two  blanks ", ["two", "two  blanks", "blanks"]),
        ("你好，世界", ["你好", "世界"]),
        ("fox 🦊 and family 👩‍👩‍👧!", ["🦊", "fox 🦊 and", "👩‍👩‍👧"]),
        ("cafe\u0301 Zürich ﷽ İstanbul", ["cafe\u0301", "Zürich", "İstanbul"]),
        ("1,234.5 m² — 'quoted'", ["1,234.5", "quoted"]),
    ],
)
def test_the_text_of_a_span_is_the_slice_of_its_source(either: Backbone, text: str, words: list[str]) -> None:
    # A span may only begin and end where tokens do: this one's first and last tokens are whole words or bytes.
    for word in words:
        start = text.index(word)
        value = SpanValue(0, start, start + len(word), word)
        for field, prompt in (
            (Span(part="text"), Prompt(message=(("text", text), ("more", text + "!")))),
            (Span(optional=True), Prompt((Passage("Title", text), Passage("", "other")))),
        ):
            found = back(either, field, value, prompt)
            assert text[found.start : found.end] == found.text
            assert found.text == word


def test_a_span_keeps_its_passage_and_none_is_none(either: Backbone) -> None:
    prompt = Prompt((Passage("", "one two"), Passage("", "two one")))
    assert back(either, Span(optional=True), SpanValue(1, 0, 3, "two"), prompt) == SpanValue(1, 0, 3, "two")
    assert back(either, Span(optional=True), None, prompt) is None
    assert back(either, ListOf(Span()), [SpanValue(1, 4, 7, "one"), SpanValue(0, 0, 3, "one")], prompt) == [
        SpanValue(1, 4, 7, "one"), SpanValue(0, 0, 3, "one"),
    ]  # fmt: skip


def test_a_passage_may_be_looked_at_in_vain(either: Backbone) -> None:
    """A span without text: the passage is named, then nothing is copied; what comes back is None."""
    prompt = Prompt((Passage("Peru", "one two"), Passage("Chile", "two one")))
    assert back(either, Span(optional=True), SpanValue(1, 0, 0, ""), prompt) is None
    looked, at_once = (
        render(Example(prompt, Record((("it", Span(optional=True)),)), {"it": value}), either)
        for value in (SpanValue(1, 0, 0, ""), None)
    )
    assert len(looked.decisions) > len(at_once.decisions), "where to look, and that it is not there"


def test_a_span_reads_only_passages_of_its_headings(either: Backbone) -> None:
    prompt = Prompt((Passage("Peru", "one two"), Passage("Chile", "two one"), Passage("Cuba", "two one")))
    reading = read(prompt, either)

    def first(*headings: str) -> Choose:
        filling = Filler(either, reading).record(Record((("it", Span(optional=True, headings=headings)),)))
        assert isinstance(next(filling), Write)
        choice = filling.send(None)
        assert isinstance(choice, Choose)
        return choice

    assert first().labels == ("Peru", "Chile", "Cuba", "")
    assert first("Chile").labels == ("Chile",) and first("Cuba", "Peru").labels == ("Peru", "Cuba")
    with pytest.raises(UnderstudyError, match="no passage headed 'Laos' or 'Mali'"):
        first("Laos", "Mali")
    of_chile = Span(optional=True, headings=("Chile",))
    assert back(either, of_chile, SpanValue(1, 0, 3, "two"), prompt) == SpanValue(1, 0, 3, "two")
    for value in (None, SpanValue(0, 0, 3, "one")):
        with pytest.raises(UnderstudyError, match="needs a span of a passage headed Chile"):
            back(either, of_chile, value, prompt)


def test_an_optional_span_without_any_passage_is_none(either: Backbone) -> None:
    assert back(either, Span(optional=True), None) is None
    with pytest.raises(UnderstudyError, match="no text to take its span from"):
        back(either, Span(), SpanValue(0, 0, 1, "a"))


def test_what_is_decided_is_what_a_head_learns(backbones: Callable[..., Backbone]) -> None:
    backbone = backbones()
    word = {name: backbone.encode(name)[0] for name in ("qa", "coder")}
    assert word["qa"] != word["coder"]
    prompt = Prompt(message=(("text", "go"),))
    record = Record((("only", Choice(("x",))), ("who", ListOf(Choice(("qa", "coder")), 1, 2, distinct=True))))
    rendered = render(Example(prompt, record, {"only": "x", "who": ["coder", "qa"]}), backbone)
    marks = backbone.markers
    decided = [(rendered.ids[d.at], set(d.allowed)) for d in rendered.decisions]
    # the first item's choice, then "one more or the end"; the second item has one option left, and two are the most
    assert decided == [(word["coder"], set(word.values())), (marks.item[0], {marks.item[0], marks.end})]
    assert all(d.at >= rendered.answer_at > rendered.role_at for d in rendered.decisions)
    assert rendered.ids[rendered.role_at] == marks.role[0]


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        (Choice(("a", "b")), "c", "'it' cannot be 'c'; choose among a, b"),
        (ListOf(Choice(("a", "b")), 1, 2), [], "takes 1 to 2 items, not 0"),
        (ListOf(Choice(("a", "b")), 0, 8, distinct=True), ["a", "b", "a"], "takes 0 to 2 items, not 3"),
        (ListOf(Choice(("a", "b")), 0, 8, distinct=True), ["a", "a"], "cannot be 'a'"),
        (ListOf(Record((("n", ListOf(Earlier())),))), [{"n": [1]}], "takes 0 to 0 items, not 1"),
        (Span(part="text"), None, "needs a span"),
        (Span(part="text", max_tokens=2), SpanValue(0, 0, 11, "a b c d e f"), "longer than 2 tokens"),
        (Span(part="text"), SpanValue(0, 50, 55, "where"), "'where' is not in its source"),
    ],
)
def test_values_that_do_not_fit_their_field_are_refused(either: Backbone, field: Field, value: Any, why: str) -> None:
    with pytest.raises(UnderstudyError, match=why):
        back(either, field, value, Prompt(message=(("text", "a b c d e f"),)))


def test_each_option_gets_a_grade_and_a_teacher_writes_its_label(either: Backbone) -> None:
    field = Grades(("Chad", "South Sudan"), ("0", "1", "2"))
    example = Example(
        Prompt(message=(("text", "go"),)), Record((("places", field),)), {"places": {"South Sudan": "2", "Chad": "0"}}
    )
    rendered = render(example, either)
    text = either.decode(rendered.ids[rendered.answer_at :])
    assert text.index("Chad") < text.index("0") < text.index("South Sudan") < text.index("2")
    assert len(rendered.decisions) == 2
    with pytest.raises(UnderstudyError, match="'places' lacks a grade for 'Chad'; give it one of 0, 1, 2"):
        render(replace(example, values={"places": {"South Sudan": "2"}}), either)


@pytest.mark.parametrize("count", [9, 10, 23])
def test_any_number_of_passages_can_be_told_apart(either: Backbone, count: int) -> None:
    prompt = Prompt(tuple(Passage("", f"number {at}") for at in range(count)))
    for at in {0, 1, count - 1}:
        value = SpanValue(at, 0, 6, "number")
        assert back(either, Span(optional=True), value, prompt) == value


def test_a_missing_value_is_named(either: Backbone, everything: Example) -> None:
    values = {**everything.values, "steps": [{"who": "qa", "asks": SpanValue(0, 0, 5, "Which")}]}
    with pytest.raises(UnderstudyError, match=r"no value for 'steps\[0\]\.needs'"):
        render(replace(everything, values=values), either)


def test_a_grammar_accepts_exactly_its_language(either: Backbone) -> None:
    def accepts(lark: str, text: str) -> bool:
        guided = Guided(either.tokenizer, lark, either.markers.end, 100)
        for token in either.encode(text):
            if token == either.markers.end or token not in guided.allowed():
                return False
            guided.advance(token)
        return either.markers.end in guided.allowed()

    numbers = {"0": True, "-12": True, "1.5": True, "01": False, "1.": False, "": False, "1e5": False, "½": False}
    assert {text: accepts(number_grammar(False), text) for text in numbers} == numbers
    assert not accepts(number_grammar(True), "1.5") and accepts(number_grammar(True), "15")
    assert accepts(text_grammar(4), "über 🦊") and not accepts(text_grammar(4), "two\nlines")
    assert not accepts(text_grammar(1), "123456789") and accepts(text_grammar(1), "12345678")
    assert accepts(after_blank('// a comment\nstart: "SELECT" " x"?'), "SELECT x")
    with pytest.raises(UnderstudyError, match="no rule named start"):
        after_blank('begin: "a"')
    with pytest.raises(UnderstudyError, match="grammar of a field is not valid"):
        Guided(either.tokenizer, 'start: "a" nowhere', either.markers.end, 4)
