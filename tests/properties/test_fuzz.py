"""Ten thousand inputs from outside, most of them wrong: a message, a run, or an UnderstudyError; never anything else.

Each example of Hypothesis is ten inputs, since making an example takes longer than trying it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.agents.messages import (
    Envelope,
    Finding,
    Message,
    Plan,
    Query,
    Ranking,
    Task,
)
from understudy.agents.packing import from_json, pack, to_json, unpack
from understudy.agents.requests import message_from
from understudy.core.errors import UnderstudyError
from understudy.workflows.events import RunAccepted
from understudy.workflows.flow import Workflow
from understudy.workflows.journal import Journal


class Loose(Message, message_name="test_fuzz.Loose"):
    """A message that takes whatever it is given."""

    anything: Any
    number: int | float = 0
    inner: Message | None = None


@dataclass(frozen=True)
class Power:
    """Stands for ``factor * 10**exponent`` until it is tried: Hypothesis could not print the number itself."""

    factor: int
    exponent: int


@dataclass(frozen=True)
class Nest:
    """Stands for ``value`` in so many levels of lists and dicts, likewise."""

    value: Any
    levels: int


@dataclass(frozen=True)
class Form:
    """Stands for the fields of a message of ``kind``, right but for some: (number of the field, its value)."""

    kind: type[Message]
    changes: list[tuple[int, Any]]
    more: dict[str, Any]

    def fields(self, kind: type[Message]) -> dict[str, Any]:
        names = list(kind.model_fields)
        made = {name: RIGHT.get(name, "a") for name, info in kind.model_fields.items() if info.is_required()}
        made |= {"recipient": "a"} if kind is Envelope else {}
        made |= {names[number % len(names)]: value for number, value in self.changes}
        return {key: real(value) for key, value in (made | self.more).items()}


def real(value: Any) -> Any:
    """``value`` with what is stood for in it."""
    if isinstance(value, Power):
        return value.factor * 10**value.exponent
    if isinstance(value, Nest):
        made = real(value.value)
        for level in range(value.levels):
            made = [made] if level % 2 else {"values": made}
        return made
    if isinstance(value, Form):
        return {"$type": value.kind.message_name} | value.fields(value.kind)
    if type(value) is list:
        return [real(item) for item in value]
    return {key: real(item) for key, item in value.items()} if type(value) is dict else value


KINDS: list[type[Message]] = [Task, Finding, Plan, Query, Ranking, Envelope, Loose]
FIELDS = sorted({name for kind in KINDS for name in kind.model_fields} | {"agent", "needs"})
RIGHT: dict[str, Any] = {
    "steps": [{"agent": "a", "request": "b"}], "columns": ["a"], "rows": [["a", 1, None]], "attempts": 1,
    "liked": [], "places": [], "body": {"$type": "Task", "request": "a"},
}  # fmt: skip
WORDS = ["", "a", "yes", "nan", "1e999", "\ud800", "\x00", "9" * 5000, "Nope", *(kind.message_name for kind in KINDS)]
NUMBERS = [2**63, -(2**64), Power(1, 400), Power(9, 4299), Power(-1, 4300), Power(1, 5000), math.inf, -math.inf, -0.0]
MARKS = ["$type", "$tuple", "$float", "$$type", "$", "values"]

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(), st.sampled_from(WORDS), st.sampled_from(NUMBERS),
    st.text(st.characters(exclude_categories=()), max_size=3),
)  # fmt: skip
keys = st.sampled_from(MARKS + FIELDS) | st.text(max_size=2)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=6
) | st.builds(Nest, scalars, st.sampled_from([90, 99, 100, 101, 102, 400, 700, 3000]))
likely = st.sampled_from(["a", 1, 0.5, True, ["a"], [1], [["a", 1, None]], {"$float": "nan"}, [], None])
forms: st.SearchStrategy[Form] = st.deferred(
    lambda: st.builds(
        Form, st.sampled_from(KINDS), st.lists(st.tuples(st.integers(0, 50), likely | values | forms), max_size=2),
        st.just({}) | st.just({}) | st.dictionaries(keys, values, max_size=1),
    )  # fmt: skip
)
oddities = st.sampled_from([object(), {1: 2}, {"a": {1}}, b"x", (1, (2, "\udfff")), 1j, Task, Task(request="a"),
                            Loose(anything={"$type": (1, [2])}), Loose(anything=math.nan)])  # fmt: skip


def tens(inputs: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(inputs, min_size=10, max_size=10)


def fuzz(examples: int) -> Callable[[Any], Any]:
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


def refused_or(work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """What ``work`` gives, or None where it refuses in a sentence."""
    try:
        return work(*arguments, **named)
    except UnderstudyError as error:
        assert error.what and str(error)
        return None


@fuzz(350)
@given(tens(forms | values))
def test_json_is_a_message_or_is_refused(inputs: list[Any]) -> None:
    for data in map(real, inputs):
        message = refused_or(from_json, data)
        if message is None:
            continue
        assert type(message) in (*KINDS, Message)
        written = refused_or(to_json, message)
        if written is not None:  # what can be written is read again, and is the same
            text = json.dumps(written, allow_nan=False)
            assert json.dumps(to_json(from_json(json.loads(text)))) == text


@fuzz(150)
@given(tens(values | oddities))
def test_a_value_is_kept_or_is_refused(inputs: list[Any]) -> None:
    for value in map(real, inputs):
        written = refused_or(pack, value)
        if written is not None:
            text = json.dumps(written, allow_nan=False)
            back = unpack(json.loads(text))
            assert type(back) is type(value) and json.dumps(pack(back)) == text


@fuzz(200)
@given(st.sampled_from(KINDS), tens(forms | values | oddities))
def test_a_request_is_a_message_or_is_refused(takes: type[Message], inputs: list[Any]) -> None:
    for form in inputs:
        request = form.fields(takes) if isinstance(form, Form) else real(form)
        message = refused_or(message_from, takes, request, "here")
        assert message is None or isinstance(message, takes)


@pytest.fixture(scope="module")
def journal() -> Iterator[Journal]:
    with Journal() as book:
        yield book


def one_step(takes: type[Message] | None) -> Workflow:
    async def step(value: Any) -> Any:
        return value

    flow = Workflow("fuzzed", takes=takes)
    flow.step(step)
    return flow


@fuzz(200)
@given(st.sampled_from([Task, None]), tens(forms | values | oddities))
def test_an_input_is_run_or_is_refused_before_there_is_a_run(
    journal: Journal, takes: type[Message] | None, inputs: list[Any]
) -> None:
    flow = one_step(takes)
    for form in inputs:
        value = form.fields(Task) if isinstance(form, Form) else real(form)
        if takes is Task and isinstance(form, Form):
            value = refused_or(message_from, Task, value, "here") or value
        result = refused_or(flow.run_sync, value, journal=journal, run_id="r")
        if result is None:
            assert journal.next_number("r") == 0, "a refused input is in the journal"
            continue
        assert result.status == "completed" and (takes is None or isinstance(value, Task))
        accepted = journal.events("r")[0]
        assert isinstance(accepted, RunAccepted) and json.dumps(pack(accepted.input)) == json.dumps(pack(value))
        journal.forget("r")


ASKED: list[dict[str, Any]] = [{}, {"choices": ["yes", 1, None]}, {"gives": Task}, {"gives": Loose}]


@fuzz(100)
@given(st.sampled_from(ASKED), tens(st.tuples(st.just("ask") | st.sampled_from(WORDS), forms | values | oddities)))
def test_an_answer_is_taken_or_is_refused_and_the_question_stays(
    journal: Journal, asked: dict[str, Any], inputs: list[tuple[str, Any]]
) -> None:
    flow = Workflow("asking")
    flow.ask("may it?", **asked)
    for key, value in inputs:
        value = real(value)
        if not journal.next_number("q"):
            assert flow.run_sync(1, journal=journal, run_id="q").status == "waiting"
        before = journal.next_number("q")
        result = refused_or(flow.resume_sync, "q", journal=journal, answers={key: value})
        if result is None:
            assert journal.next_number("q") == before, "a refused answer is in the journal"
        else:
            assert result.status == "completed" and key == "ask"
            journal.forget("q")
    journal.forget("q")
