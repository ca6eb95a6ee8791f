"""Values as JSON and back: what an answer must be to fill a record, and what is said of one that does not."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from understudy.agents.generators import GENERATORS
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Choice, Earlier, Grades, Grammar, ListOf, Number, Record, Span, SpanValue, Text
from understudy.core.prompts import Example, Passage, Prompt
from understudy.endpoint_values import InvalidAnswer, as_json, values_of


def right(example: Example) -> dict[str, Any]:
    """The values with which a decoder would answer: a grade is a number there, not its label."""
    fields = dict(example.record.fields)
    return {
        name: {option: float(grade) for option, grade in value.items()} if isinstance(fields[name], Grades) else value
        for name, value in example.values.items()
        if not isinstance(value, SpanValue) or value.text
    } | {name: None for name, value in example.values.items() if isinstance(value, SpanValue) and not value.text}


@pytest.mark.parametrize("role", ["planner", "coder", "qa", "recommender"])
def test_values_go_to_json_and_back(role: str) -> None:
    rng = random.Random(1)
    for example in (GENERATORS[role](rng) for _ in range(100)):
        answer = json.dumps(as_json(example.values, example.record))
        found = values_of(answer, example.prompt, example.record)
        if role == "qa" and (span := found["answer"]) is not None:
            # The same words of the same passage, where they stand first.
            text, given = example.prompt.passages[span.source].text, example.values["answer"]
            assert text[span.start : span.end] == span.text == given.text
            assert (span.source, span.start <= given.start) == (given.source, True)
        else:
            assert found == right(example)


PROMPT = Prompt(
    (Passage("", "Limassol, Lima and lima beans"), Passage("", "In Lima. In PERU, in Chile.")), (),
    (("request", "Rain in Spain, rain in Oslo"),),
)  # fmt: skip
STEPS = ListOf(Record((("needs", ListOf(Earlier(), 0, 2, distinct=True)),)), 1, 3)
SQL = Grammar('start: "SELECT " ("AVG( " | "MIN( ") "x" " * 1.0"? ")" " FROM t" (" WHERE a = " ("\'b c\'" | "1"))?')


@pytest.mark.parametrize(
    ("field", "given", "value"),
    [
        (Choice(("Yes", "no")), "yes", "Yes"),
        (Choice(("a", "A")), "A", "A"),
        (Grades(("x", "y"), ("low", "high")), {"X": 1, "y": 0.0}, {"x": 1.0, "y": 0.0}),
        (Span(), {"passage": 1, "text": "Lima"}, SpanValue(0, 10, 14, "Lima")),  # not the beginning of Limassol
        (Span(), {"passage": 2, "text": "peru"}, SpanValue(1, 12, 16, "PERU")),
        (Span(), "Chile", SpanValue(1, 21, 26, "Chile")),
        (Span(optional=True), None, None),
        (Span("request"), "rain in Oslo", SpanValue(0, 15, 27, "rain in Oslo")),
        (Span("request"), "SPAIN", SpanValue(0, 8, 13, "Spain")),
        (Text(), "é ", "é "),
        (Number(), 3, 3.0),
        (Number(integer=True), -4.0, -4),
        (SQL, "SELECT AVG(x)\n FROM  t;", "SELECT AVG( x) FROM t"),
        (SQL, "SELECT MIN( x*1.0 ) FROM t WHERE a='b c' ;", "SELECT MIN( x * 1.0) FROM t WHERE a = 'b c'"),
        (STEPS, [{"needs": []}, {"needs": [1]}, {"needs": [2, 1]}], None),
    ],
)
def test_answers_that_fill_a_field(field: Any, given: Any, value: Any) -> None:
    found = values_of(json.dumps({"it": given, "more": 1}), PROMPT, Record((("it", field),)))["it"]
    assert found == (given if field is STEPS else value)
    assert type(found) is type(value) or field is STEPS


@pytest.mark.parametrize(
    ("field", "given", "complaint"),
    [
        (Choice(("yes", "no")), True, """'it' is not one of "yes", "no": true"""),
        (Choice(("ab", "AB")), "Ab", "is not one of"),
        (Grades(("x", "y")), {"x": 1}, "'it' lacks a grade for 'y'"),
        (Grades(("x",)), {"x": 10}, "'it.x' is not an integer from 0 to 9: 10"),
        (Grades(("x",)), {"x": "5"}, "'it.x' is not an integer"),
        (Grades(("x",)), {"x": True}, "'it.x' is not an integer: true"),
        (Grades(("x",)), {"x": 1, "z": 1}, """is not one of "x": "z\""""),
        (Span(), {"passage": 2, "text": "Limassol"}, "does not stand word for word in passage 2"),
        (Span(), {"passage": 3, "text": "Lima"}, "'it.passage' is not the number of a passage, 1 to 2: 3"),
        (Span(), {"passage": 2, "text": "IN"}, "does not stand word for word"),  # three times, in other cases
        (Span(), "Lima", "stands in 2 passages"),
        (Span(), None, "'it' is not words that are copied: null"),
        (Span(optional=True), "", "is not words that are copied, nor null"),
        (Span("request"), "Lima", "does not stand word for word in the part 'request' of the message"),
        (Text(), "a\nb", "is not a text of one line"),
        (Text(), "\ud800", "is not a text of one line"),
        (Text(), 3, "is not a text of one line"),
        (Number(), True, "is not a number: true"),
        (Number(), "3", "is not a number"),
        (Number(), 1e999, "is not one JSON object (Infinity is not a number of JSON)"),
        (Span(), {"text": "Lima"}, "'it.passage' is not an integer: null"),
        (Number(), 10**400, "has more than twelve digits"),
        (Number(integer=True), 3.5, "is not an integer: 3.5"),
        (SQL, "SELECT SUM(x) FROM t", """after "SELECT" cannot come "SUM(x) FROM t\""""),
        (SQL, "SELECT MAX(x) FROM t", """after "SELECT M" cannot come "AX(x) FROM t", there comes "IN( x\""""),
        (SQL, "SELECT MIN(x)", """after "SELECT MIN( x)" the text cannot end, there comes " FROM t\""""),
        (SQL, "SELECT MIN(x) FROM t WHERE a = 2", 'cannot come "2"'),
        (ListOf(Text(), 2, 3), ["a"], "has 1 items, not 2 to 3"),
        (ListOf(Text()), "a", "is not a list"),
        (ListOf(Choice(("a", "b")), distinct=True), ["a", "A"], "has the same item twice"),
        (STEPS, [{"needs": [1]}], "'it[0].needs' has 1 items, not 0 to 0"),
        (STEPS, [{"needs": []}, {"needs": [2]}], "'it[1].needs[0]' is not a number from 1 to 1: 2"),
        (STEPS, [{"needs": []}, {}], "the field 'it[1].needs' is missing"),
        (STEPS, [3], "'it[0]' is not an object: 3"),
        (Record((("a", Text()),)), [], "'it' is not an object: []"),
    ],
)
def test_answers_that_fill_no_field(field: Any, given: Any, complaint: str) -> None:
    with pytest.raises(InvalidAnswer) as caught:
        values_of(json.dumps({"it": given}), PROMPT, Record((("it", field),)))
    assert complaint in str(caught.value)
    str(caught.value).encode()


@pytest.mark.parametrize("answer", ["", "[]", "```json\n{}\n```", "[" * 100_000, '{"it": NaN}', "null"])
def test_what_is_no_object_is_no_answer(answer: str) -> None:
    with pytest.raises(InvalidAnswer, match="is not one JSON object|is not an object"):
        values_of(answer, PROMPT, Record((("it", Number()),)))


def test_a_number_beyond_all_numbers_is_refused() -> None:
    with pytest.raises(InvalidAnswer, match="'it' has more than twelve digits before the point: Infinity"):
        values_of('{"it": 1e999}', PROMPT, Record((("it", Number()),)))


def test_a_grammar_that_is_none_is_not_the_models_fault() -> None:
    with pytest.raises(UnderstudyError, match="the grammar of field 'it' is not valid") as caught:
        values_of('{"it": "x"}', PROMPT, Record((("it", Grammar("start: nothing")),)))
    assert not isinstance(caught.value, InvalidAnswer)


def test_a_demonstration_without_a_value_is_told() -> None:
    with pytest.raises(UnderstudyError, match="no value for 'days'"):
        as_json({"queue": "bug"}, Record((("queue", Text()), ("days", Number()))))
