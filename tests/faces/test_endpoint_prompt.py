"""What a language model is told and shown before it fills a record."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from understudy.agents.generators import GENERATORS
from understudy.core.fields import Choice, Earlier, Grades, Grammar, ListOf, Number, Record, Span, Text
from understudy.core.prompts import Example, Passage, Prompt
from understudy.endpoint_prompt import TASKS, conversation, describe


def test_everything_that_a_head_reads_is_in_the_message() -> None:
    prompt = Prompt((Passage("Peru", "Lima is old."), Passage("", "x")), ("hello",), (("question", "?"),), "answer")
    record = Record((("answer", Span(optional=True)), ("kind", Choice(("a", "b")))))
    other = Example(prompt, Record((record.fields[0], ("kind", Choice(("c",))))), {"answer": None, "kind": "c"})
    turns = conversation([other], prompt, record)
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user"]
    system, first, shown, last = (turn["content"] for turn in turns)
    assert system.splitlines()[0] == TASKS["answer"] and "or null if the passages do not say" in system
    read = "Passage 1 (Peru): Lima is old.\nPassage 2: x\nEarlier turn: hello\nquestion: ?\n"
    # The options are not the same in both, so that each message tells its own.
    assert '"kind": as each message describes it' in system
    assert first == read + 'Field "kind": one of "c"' and last == read + 'Field "kind": one of "a", "b"'
    assert json.loads(shown) == {"answer": None, "kind": "c"}


def test_without_demonstrations_all_is_described_at_the_beginning() -> None:
    prompt = Prompt(message=(("text", "hello"),), role="sorts messages")
    system, asked = conversation([], prompt, Record((("queue", Choice(("bug", "über"))),)))
    first, _, queue = system["content"].splitlines()
    assert (first, queue) == ("sorts messages", '"queue": one of "bug", "über"')
    assert asked == {"role": "user", "content": "text: hello"}


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (Grades(("x", "y"), shown=("x: red", "y: blue")), '"x", "y" an integer from 0 to 9; of these is known: x: red'),
        (Grades(("x",), ("bad", "good")), "an integer from 0 to 1 (0 for bad, 1 for good)"),
        (Span(), 'an object {"passage": its number, "text": words copied word for word from that passage}'),
        (Span("text", optional=True), 'word for word from the part "text" of the message, null if not there'),
        (Text(), "a text of one line"),
        (Number(), "a number"),
        (Number(integer=True), "an integer"),
        (Grammar('start: "SELECT " "x"'), "one SELECT over one of the tables named in the message"),
        (Grammar('start: "a" | "b"'), 'this Lark grammar accepts: start: "a" | "b"'),
        (ListOf(Choice(("a", "b")), 1, 8, distinct=True), 'a list of 1 to 2 items, none of them twice, each one of'),
        (ListOf(Earlier(), 0, 3), "a list of 0 to 3 items, each the number (from 1) of an earlier item"),
        (Record((("a", Text()), ("b", Number()))), 'an object of "a": a text of one line; "b": a number'),
    ],
)
def test_each_field_is_described(field: Any, text: str) -> None:
    assert text in describe(Record((("it", field),)))["it"]


def test_the_coder_is_told_how_to_abstain_and_how_to_name_a_place_in_an_order() -> None:
    told = describe(GENERATORS["coder"](random.Random(0)).record)["sql"]
    assert told.endswith("where no column tells what is asked it is SELECT NULL")
    assert "for the second in an order it ends in LIMIT 1 OFFSET 1, for the third in LIMIT 1 OFFSET 2" in told


@pytest.mark.parametrize("role", ["planner", "coder", "qa", "recommender"])
def test_the_shipped_roles_are_told_all_that_they_choose_from(role: str) -> None:
    rng = random.Random(0)
    *shown, asked = (GENERATORS[role](rng) for _ in range(5))
    assert asked.prompt.role in TASKS
    system, *turns = (turn["content"] for turn in conversation(shown, asked.prompt, asked.record))
    assert system.startswith(TASKS[asked.prompt.role])
    for example, said in zip([*shown, asked], turns[::2], strict=True):
        parts = [f"{name}: {text}" for name, text in example.prompt.message]
        parts += [passage.text for passage in example.prompt.passages]
        for _, field in example.record.fields:
            parts += field.shown if isinstance(field, Grades) else ()
            if isinstance(field, ListOf) and isinstance(field.item, Choice):
                parts += map(json.dumps, field.item.options)
        assert [part for part in parts if part not in said] == []
