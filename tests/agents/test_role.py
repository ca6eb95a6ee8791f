"""Roles from files and from Python: their messages, prompts, records and demonstrations."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from understudy.agents.messages import Filled, Message, filled
from understudy.agents.packing import from_json, to_json
from understudy.agents.requests import message_from
from understudy.agents.role import Context, Demonstration, Role, role_from_document, role_named
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Choice, ListOf, Number, Record, Text
from understudy.core.prompts import Prompt

DOCUMENT: dict[str, Any] = {
    "schema": "understudy/role/v1",
    "role": "sorter",
    "does": "Sorts letters.",
    "takes": {"text": "text", "pages": "integer", "known": "boolean"},
    "gives": {
        "queue": ["billing", "bug"],
        "urgent": "boolean",
        "note": "text",
        "hours": "number",
        "count": "integer",
        "tags": {"list": ["a", "b"]},
    },
    "demonstrations": [
        {
            "takes": {"text": "I was charged twice", "pages": 2, "known": True},
            "gives": {"queue": "billing", "urgent": True, "note": "refund", "hours": 1.5, "count": 2, "tags": ["b"]},
        }
    ],
}


@dataclass
class Reply:
    """What a decoder would answer."""

    values: Mapping[str, Any]
    confidence: float = 0.75
    tokens: int = 1
    seconds: float = 0.0
    picks: tuple[Any, ...] = field(default=())


def the_role(**changes: Any) -> Role:
    return role_from_document({**DOCUMENT, **changes}, Path("."))


def test_the_record_follows_what_is_given() -> None:
    assert the_role().record == Record(
        (
            ("queue", Choice(("billing", "bug"))),
            ("urgent", Choice(("yes", "no"))),
            ("note", Text()),
            ("hours", Number()),
            ("count", Number(integer=True)),
            ("tags", ListOf(Choice(("a", "b")), distinct=True)),
        )
    )


def test_a_demonstration_is_what_a_call_is() -> None:
    role = the_role()
    (example,) = role.examples()
    message = role.takes(text="I was charged twice", pages=2, known=True)
    assert (example.prompt, example.record) == role.prepare(message, Context())
    assert example.prompt == Prompt(
        message=(("text", "I was charged twice"), ("pages", "2"), ("known", "yes")), role="Sorts letters."
    )
    assert example.values == {
        "queue": "billing", "urgent": "yes", "note": "refund", "hours": 1.5, "count": 2, "tags": ["b"],
    }  # fmt: skip


def test_an_answer_is_a_message_of_the_role() -> None:
    role = the_role()

    async def ask(prompt: Prompt, record: Record) -> Reply:
        assert record == role.record
        return Reply(role.examples()[0].values)

    given = asyncio.run(role.handle(role.takes(text="x", pages=1, known=False), Context(), ask))
    told = {"queue": "billing", "urgent": True, "note": "refund", "hours": 1.5, "count": 2, "tags": ("b",)}
    assert given == role.gives(**told, confidence=0.75)
    assert filled(given) == told | {"tags": ["b"]} and isinstance(given, Filled) and not given.abstained
    assert from_json(json.loads(json.dumps(to_json(given)))) == given


def test_messages_of_a_role_are_strict() -> None:
    role = the_role()
    for wrong in ({"text": 5}, {"text": "x", "pages": "many"}, {"text": "x", "pages": 1, "known": False, "more": 1}):
        with pytest.raises(ValidationError):
            role.takes.model_validate(wrong)
    with pytest.raises(ValidationError):
        role.gives.model_validate({**DOCUMENT["demonstrations"][0]["gives"], "queue": "howto"})


def test_the_document_makes_the_role_again() -> None:
    document = json.loads(json.dumps(the_role().document()))
    again = role_from_document(document, Path("."))
    assert again.examples() == the_role().examples()
    assert again.document() == document


@pytest.mark.parametrize("kind", ["text", "number", "integer", "boolean", ["a", "b"], {"list": "text"}])
def test_lists_of_every_type_stay_in_the_document(kind: Any) -> None:
    gives = {"found": {"list": kind}}
    assert the_role(gives=gives, demonstrations=[]).document()["gives"] == gives


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_demonstrations_beside_the_file(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "shown.jsonl").write_text(json.dumps(DOCUMENT["demonstrations"][0]) + "\n\n", encoding="utf-8")
    (tmp_path / "shown.csv").write_text(
        "takes.text,pages,known,queue,urgent,note,hours,count,tags\n"
        "I was charged twice,2,yes,billing,true,refund,1.5,2,b\n",
        encoding="utf-8",
    )
    (tmp_path / "role.yaml").write_text(json.dumps({**DOCUMENT, "demonstrations": f"shown{suffix}"}), encoding="utf-8")
    assert Role.load(tmp_path / "role.yaml").examples() == the_role().examples()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gives": {"queue": "texts"}}, "no field type 'texts'"),
        ({"gives": {"queue": ["one"]}}, "no field type"),
        ({"gives": {}}, "needs fields"),
        ({"takes": {"model_dump": "text"}}, "cannot be called 'model_dump'"),
        ({"takes": {"two words": "text"}}, "cannot be called"),
        ({"gives": {"confidence": "number"}}, "cannot be called 'confidence'; choose another name: how sure the head"),
        ({"does": ""}, "'does' needs a text"),
        ({"extra": 1}, "unknown key 'extra'"),
        ({"schema": "understudy/role/v9"}, "understudy/role/v1"),
        ({"demonstrations": 5}, "a list or the name of a file"),
        ({"demonstrations": [{"takes": {}}]}, "demonstration 1"),
        ({"demonstrations": "none.jsonl"}, "none.jsonl"),
    ],
)
def test_mistakes_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UnderstudyError, match=message):
        the_role(**changes)


def test_a_demonstration_that_does_not_fit_is_named() -> None:
    shown = [
        DOCUMENT["demonstrations"][0],
        {"takes": {"text": "x", "pages": 1, "known": True}, "gives": {"queue": "bug"}},
    ]
    with pytest.raises(UnderstudyError, match="sorter, demonstration 2: urgent"):
        the_role(demonstrations=shown).examples()


@pytest.mark.parametrize("text", ["role: [", "- a\n- b\n", "\x00"])
def test_broken_files_are_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "role.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnderstudyError, match="role.yaml"):
        Role.load(path)
    with pytest.raises(UnderstudyError, match="cannot be read"):
        Role.load(tmp_path / "none.yaml")


class Letter(Message):
    """A message of a Python program."""

    text: str


class Verdict(Message):
    """What a Python program's role gives."""

    mood: Literal["good", "bad"]
    words: list[str]
    confidence: float


def test_a_role_made_in_python_has_its_record() -> None:
    shown = Demonstration({"text": "nice"}, {"mood": "good", "words": ["nice"], "confidence": 1.0})
    role = Role("mood", "Tells the mood.", Letter, Verdict, demonstrations=(shown,))
    assert dict(role.record.fields)["mood"] == Choice(("good", "bad"))
    assert role.examples()[0].values["words"] == ["nice"]

    async def ask(prompt: Prompt, record: Record) -> Reply:
        return Reply(role.examples()[0].values, confidence=0.1)

    found = asyncio.run(role.handle(Letter(text="x"), Context(), ask))
    assert found == Verdict(mood="good", words=["nice"], confidence=1.0)  # a field of its own, not the head's


class Odd(Message):
    """A message that no head can fill."""

    anything: dict[str, int]


def test_a_type_that_no_head_can_fill_is_refused() -> None:
    with pytest.raises(UnderstudyError, match="cannot fill a field of type dict"):
        Role("odd", "x", Letter, Odd)


def test_shipped_roles_are_known_by_name() -> None:
    assert [role_named(name).name for name in ("planner", "coder", "qa", "recommender")] == [
        "planner", "coder", "qa", "recommender",
    ]  # fmt: skip
    with pytest.raises(UnderstudyError, match="no shipped role 'plan'"):
        role_named("plan")


def test_a_date_in_a_role_file_is_a_text_and_a_number_that_is_too_long_is_told(tmp_path: Path) -> None:
    file = tmp_path / "role.yaml"
    text = "role: when\ndoes: says when\ntakes: {text: text}\ngives: {day: text}\ndemonstrations:\n"
    file.write_text(f"{text}  - {{takes: {{text: 2020-01-31}}, gives: {{day: 2020-01-31}}}}\n", encoding="utf-8")
    (one,) = Role.load(file).demonstrations
    assert (one.takes, one.gives) == ({"text": "2020-01-31"}, {"day": "2020-01-31"})
    file.write_text(f"{text}  - {{takes: {{text: {'9' * 5000}}}, gives: {{day: a}}}}\n", encoding="utf-8")
    with pytest.raises(UnderstudyError, match="YAML: .*digits.*; quote it"):
        Role.load(file)


def test_what_a_learned_role_gave_becomes_another_message_without_its_doubt() -> None:
    class Sorted(Filled, message_name="test.Sorted"):
        text: str

    class Read(Message, message_name="test.Read"):
        text: str

    assert message_from(Read, Sorted(text="a", confidence=0.2), "here") == Read(text="a")
    assert message_from(Read, {"text": "a"}, "here") == Read(text="a")
    with pytest.raises(UnderstudyError, match="confidence"):
        message_from(Read, {"text": "a", "confidence": 0.2}, "here")


def test_a_role_of_message_types_has_no_head_fill_its_doubt() -> None:
    class Asked(Message, message_name="test.Asked"):
        text: str

    class Told(Filled, message_name="test.Told"):
        urgent: bool

    role = Role("teller", "Tells.", Asked, Told)
    assert [name for name, _ in role.record.fields] == ["urgent"]
    assert role.document()["gives"] == {"urgent": "boolean"}
    assert issubclass(role_from_document(role.document(), Path(".")).gives, Filled)


def test_a_type_that_no_head_fills_is_named() -> None:
    class Asked(Message, message_name="test.Asked2"):
        text: str

    class Told(Message, message_name="test.Told2"):
        path: Path

    with pytest.raises(UnderstudyError, match=r"^test.Told2.path: a head cannot fill a field of type Path; use str"):
        Role("teller", "Tells.", Asked, Told)


def test_a_type_that_leaves_a_head_nothing_or_takes_its_doubt_is_refused() -> None:
    class Asked(Message, message_name="test.Asked3"):
        text: str

    class Empty(Filled, message_name="test.Empty"):
        pass

    class Own(Filled, message_name="test.Own"):
        confidence: Literal["low", "high"]  # type: ignore[assignment]

    with pytest.raises(UnderstudyError, match="test.Empty: there is no field for a head to fill"):
        Role("r", "Does.", Asked, Empty)
    with pytest.raises(UnderstudyError, match="test.Own: a field cannot be called 'confidence'"):
        Role("r", "Does.", Asked, Own)
