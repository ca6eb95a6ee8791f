"""Expressions: what they say of messages, and what they refuse."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from understudy.workflows.expressions import Expression, ExpressionError, Ref
from understudy.workflows.refs import length


class Finding(BaseModel):
    answer: str
    sources: tuple[str, ...] = ()

    def secret(self) -> str:
        return "reached"


@dataclass(frozen=True)
class Item:
    agent: str
    needs: tuple[int, ...] = ()


SCOPE: dict[str, Any] = {
    "input": {"request": "hello", "from": "Lima"},
    "plan": {"steps": [Item("qa"), Item("coder", (1,))], "confidence": 0.75},
    "work": [Finding(answer="a", sources=("s1", "s2")), Finding(answer="b", sources=("s3",))],
    "partial": [Finding(answer="a", sources=("s1",)), None],
    "review": {"approved": False},
    "item": Item("qa"),
}


@pytest.mark.parametrize(("text", "value"), [
    ("input.request", "hello"),
    ("input['from']", "Lima"),
    ("plan.steps[1].agent", "coder"),
    ("plan.steps[-1].needs", (1,)),
    ("plan.steps.agent", ["qa", "coder"]),
    ("plan.steps.needs", [1]),
    ("work.sources", ["s1", "s2", "s3"]),
    ("work.answer", ["a", "b"]),
    ("partial.sources", ["s1"]),
    ("len(work) > 1 and not review.approved", True),
    ("review.approved or plan.confidence < 0.5", False),
    ("0.5 < plan.confidence <= 0.75", True),
    ("item.agent in ['qa', 'coder']", True),
    ("item.agent not in ('qa',)", False),
    ("review.approved == false", True),
    ("null", None),
    ("-1", -1),
    ("{'a': 1, 'b': [item.agent]}", {"a": 1, "b": ["qa"]}),
    ("  input.request  ", "hello"),
    ("len(\n  work\n)", 2),
])
def test_the_value_of(text: str, value: Any) -> None:
    assert Expression.parse(text).evaluate(SCOPE) == value


@pytest.mark.parametrize(("text", "what"), [
    ("", "empty"),
    ("   ", "empty"),
    ("plan.", "cannot read"),
    ("a b", "cannot read"),
    ("plan.from", "cannot read"),
    ("__import__('os')", "private name '__import__'|call other than len"),
    ("open('x')", "call other than len"),
    ("len(work, work)", "call other than len"),
    ("input.__class__", "private attribute '__class__'"),
    ("input.a.__class__.b", "private attribute"),
    ("work[0].secret()", "call other than len"),
    ("lambda: 1", "lambda"),
    ("1 + 1", "arithmetic"),
    ("[x for x in work]", "comprehensions"),
    ("work[0:1]", "slices"),
    ("f'{input}'", "f-strings"),
    ("(x := 1)", "assignment"),
    ("b'x'", "JSON does not have"),
    ("1j", "JSON does not have"),
    ("...", "JSON does not have"),
    ("a is b", "'is'"),
    ("9" * 3000, "too long"),
    ("(" * 900 + ")" * 900, "cannot read|too deeply"),
    ("not " * 490 + "a", None),
    ("a\0b", "cannot read"),
])
def test_refused_when_read(text: str, what: str | None) -> None:
    if what is None:
        Expression.parse(text)
        return
    with pytest.raises(ExpressionError, match=what):
        Expression.parse(text)


@pytest.mark.parametrize(("text", "what"), [
    ("plann.steps", "no value named 'plann'; did you mean 'plan'"),
    ("plan.stepz", "has no 'stepz'; did you mean 'steps'"),
    ("work[0].secret", "Finding has no 'secret'"),
    ("work[5]", "no element 5: a list has 2"),
    ("work['a']", "a list has no element 'a'"),
    ("input[0]", "a mapping has no element 0"),
    ("plan.confidence < 'a'", "cannot compare a number with a text"),
    ("len(plan.confidence)", "a number has no length"),
    ("input.request.upper", "a text has no 'upper'"),
    ("partial[1].answer", "nothing"),
    ("1 in 2", "cannot compare"),
])
def test_refused_when_evaluated(text: str, what: str) -> None:
    with pytest.raises(ExpressionError, match=what) as caught:
        Expression.parse(text).evaluate(SCOPE)
    assert caught.value.where == f"expression '{text}'"


def test_names_offsets_and_paths() -> None:
    expression = Expression.parse("  len(work) > 1 and plan.steps[0].agent == input.who")
    assert expression.names() == {"work", "plan", "input"}
    assert expression.offset_of("work") == 6
    assert expression.offset_of("plan") == 20
    assert expression.paths() == (("work",), ("plan", "steps"), ("input", "who"))


def test_the_offset_of_an_error_counts_characters_not_bytes() -> None:
    with pytest.raises(ExpressionError) as caught:
        Expression.parse("a == 'é' and b._c")
    assert caught.value.offset == len("a == 'é' and ")


def test_refs_write_expressions() -> None:
    plan, work, review = Ref("plan"), Ref("work"), Ref("review")
    assert str(plan.steps[0].agent) == "plan.steps[0].agent"
    assert str(plan["from"]) == "plan['from']"
    condition = (length(work) > 1) & ~(review.approved == True) | (plan.confidence <= 0.5)  # noqa: E712
    assert Expression.of(condition).evaluate(SCOPE) is True
    assert Expression.of((plan.confidence > 0.5) & (plan.confidence != 0.75)).evaluate(SCOPE) is False
    assert Expression.of(work[0].answer == "a").evaluate(SCOPE) is True


def test_a_ref_has_no_value_yet() -> None:
    plan = Ref("plan")
    with pytest.raises(ExpressionError, match="no value before"):
        bool(plan.steps)
    with pytest.raises(ExpressionError, match="each"):
        list(plan.steps)
    with pytest.raises(AttributeError):
        _ = plan._hidden
    assert copy.copy(plan) is not None and len({plan, Ref("plan").steps}) == 2


@pytest.mark.parametrize("value", ["text", 1, None, True, [1, {"a": "b"}], {"deep": {"er": [None]}}])
def test_constants(value: Any) -> None:
    expression = Expression.of(value)
    assert expression.evaluate({}) == value
    assert not expression.names()
    assert pickle.loads(pickle.dumps(expression)).evaluate({}) == value


def test_an_expression_crosses_a_process_boundary() -> None:
    expression = Expression.parse("work.sources")
    again = pickle.loads(pickle.dumps(expression))
    assert again == expression and again.evaluate(SCOPE) == ["s1", "s2", "s3"]
    assert Expression.of(expression) is expression


PIECES = ["plan", ".", "steps", "[", "]", "0", "not ", " and ", "len(", ")", "==", "'", " ", "work", "_", "é"]


@given(st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_any_text_is_an_expression_or_an_expression_error(text: str) -> None:
    try:
        Expression.parse(text).evaluate(SCOPE)
    except ExpressionError as error:
        assert str(error)
