"""Functions in the place of roles: what they take, what they give, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Literal

import pytest

from understudy.agents.messages import Finding, Message, Task
from understudy.agents.role import Context
from understudy.core.errors import UnderstudyError
from understudy.workflows import calls
from understudy.workflows.function_role import FunctionRole, Given, function_role


class Draft(Message, message_name="test_function_role.Draft"):
    text: str


class Refusal(Message, message_name="test_function_role.Refusal"):
    why: str


async def nobody(*_: Any) -> Any:
    raise AssertionError("a function asks no head")


def role_of(monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any]) -> FunctionRole:
    monkeypatch.setattr(calls, "_registered", {"mine": function})
    return function_role("mine")


def answer(role: FunctionRole, **fields: Any) -> Message:
    return asyncio.run(role.handle(role.takes(**fields), Context(), nobody))


def asked(request: str) -> str:
    return f"{request}?"


def given(request: str, given: tuple[str, ...]) -> str:
    return request + str(len(given))


def whole(draft: Draft, loud: bool = False) -> Draft:
    return Draft(text=draft.text.upper() if loud else draft.text * 2)


async def count(texts: Sequence[str], least: int = 2) -> int:
    """Counts texts.

    Not more.
    """
    return max(len(texts), least)


def fields(text: str) -> Draft:
    return {"text": text}  # type: ignore[return-value]


def free(value):  # type: ignore[no-untyped-def]
    return value


def either(text: str) -> Draft | Refusal:
    return Draft(text=text) if text else Refusal(why="empty")


def wrong(text: str) -> Draft:
    return Refusal(why=text)  # type: ignore[return-value]


def awaited(text: str) -> Any:
    return count([text])


def rated(text: str) -> Literal["good", "bad"]:
    return text  # type: ignore[return-value]


def numbered(request: int) -> str:
    return str(request + 1)


def perhaps(request: str | None) -> str:
    return request or ""


def unhinted(text: Nowhere) -> Nobody:  # type: ignore[name-defined] # noqa: F821
    return text


FITS: list[tuple[Callable[..., Any], dict[str, Any], Any]] = [
    (asked, {"request": "a", "given": ("b",)}, Finding(answer="a?", values=("a?",))),
    (given, {"request": "a", "given": ("b", "c")}, Finding(answer="a2", values=("a2",))),
    (whole, {"text": "a"}, Draft(text="aa")),
    (fields, {"text": "a"}, Draft(text="a")),
    (either, {"text": ""}, Refusal(why="empty")),
    (free, {"value": "a"}, Finding(answer="a", values=("a",))),
    (free, {"value": [1]}, Given(value=[1])),
    (free, {"value": Draft(text="a")}, Draft(text="a")),
    (awaited, {"text": "a"}, Given(value=2)),
    (unhinted, {"text": 5}, Given(value=5)),
    (numbered, {"request": 5}, Finding(answer="6", values=("6",))),
]


@pytest.mark.parametrize(("function", "message", "expected"), FITS, ids=lambda one: getattr(one, "__name__", None))
def test_what_a_function_makes_of_a_message(
    monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any], message: dict[str, Any], expected: Message
) -> None:
    role = role_of(monkeypatch, function)
    found = answer(role, **message)
    assert found == expected and type(found) is type(expected) and isinstance(found, role.gives)


def test_the_types_of_messages_follow_from_the_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    assert role_of(monkeypatch, asked).takes is role_of(monkeypatch, given).takes is Task
    assert role_of(monkeypatch, perhaps).takes is Task and role_of(monkeypatch, numbered).takes is not Task
    assert role_of(monkeypatch, asked).gives is Finding
    assert role_of(monkeypatch, whole).takes is role_of(monkeypatch, whole).gives is Draft
    assert role_of(monkeypatch, either).gives is role_of(monkeypatch, free).gives is Message
    role = role_of(monkeypatch, count)
    assert role.takes.message_name == "call.mine.takes" and role.gives.message_name == "call.mine.gives"
    assert role.takes(texts=["a"]).least == 2 and role.does == "Counts texts." and role.name == "mine"  # type: ignore[attr-defined]
    assert answer(role, texts=["a", "b", "c"]).value == 3  # type: ignore[attr-defined]
    assert role_of(monkeypatch, free).does == "mine"


@pytest.mark.parametrize(("function", "fields", "expected"), [
    (wrong, {"text": "a"}, "the function 'mine' gave test_function_role.Refusal, not test_function_role.Draft; "
                           "annotate what it returns"),
    (rated, {"text": "fair"}, "the function 'mine' gave a wrong value: Input should be 'good' or 'bad'"),
])
def test_answers_that_are_refused(
    monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any], fields: dict[str, Any], expected: str
) -> None:
    with pytest.raises(UnderstudyError) as caught:
        answer(role_of(monkeypatch, function), **fields)
    assert str(caught.value) == expected


@pytest.mark.parametrize(("function", "expected"), [
    (lambda *texts: texts, "the parameter '*texts' of the function 'mine' is no field of a message"),
    (lambda text, /: text, "the parameter 'text' of the function 'mine' is no field of a message"),
    (lambda copy: copy, "call.mine.takes: a field cannot be called 'copy'; rename the parameter"),
    (lambda _text: 1, "a field cannot be called '_text'"),
    (dict, "the function 'mine' does not tell its parameters; wrap it in a Python function"),
])
def test_functions_that_no_agent_can_be(
    monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any], expected: str
) -> None:
    with pytest.raises(UnderstudyError) as caught:
        role_of(monkeypatch, function)
    assert expected in str(caught.value)
