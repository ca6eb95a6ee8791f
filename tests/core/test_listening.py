"""What a decoder tells of an answer while it is written is the answer, in order and whatever else is decoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from understudy.core.backbone import Backbone
from understudy.core.bank import HeadBank
from understudy.core.decoding import Call, Decoder
from understudy.core.fields import Choice, Grades, ListOf, Number, Record, Span, SpanValue, Text
from understudy.core.prompts import Passage, Prompt

QUEUE = Choice(("billing", "bug", "how to"))
TEXT = "I was charged twice this month. Où est l'été? 価格"
RECORDS = (
    Record((("queue", QUEUE), ("said", Text(12)))),
    Record((("tags", ListOf(QUEUE, 1, 3)), ("count", Number(integer=True)))),
    Record((("part", Span(part="text")), ("only", Choice(("one",))))),
    Record((("inner", Record((("where", Span()), ("queue", QUEUE)))),)),
    Record((("graded", Grades(("a", "b"), ("no", "yes"))), ("queue", QUEUE))),
)


def flat(value: Any, path: str = "") -> dict[str, str]:
    """Path → text of every field that is written or chosen."""
    if isinstance(value, dict):
        return {at: said for name, one in value.items() for at, said in flat(one, f"{path}.{name}".strip(".")).items()}
    if isinstance(value, list):
        return {at: said for number, one in enumerate(value) for at, said in flat(one, f"{path}[{number}]").items()}
    return {path: value.text if isinstance(value, SpanValue) else str(value)}


def noted_in(said: list[tuple[str, str]]) -> Callable[[str, str], None]:
    return lambda field, text: said.append((field, text))


@pytest.mark.parametrize("number", range(len(RECORDS)))
def test_what_is_told_is_what_is_filled(
    backbones: Callable[..., Backbone], new_head: Callable[..., Any], number: int
) -> None:
    backbone = backbones()
    bank = HeadBank(backbone.sites)
    bank.add(new_head(backbone, "row", 1))
    prompt = Prompt((Passage("France", "Its capital is Paris."),), (), (("text", TEXT),), "Sorts.")
    told: list[list[tuple[str, str]]] = [[], []]
    calls = [
        Call(prompt, RECORDS[number], head, listen=noted_in(said))
        for head, said in zip(("", "row"), told, strict=True)
    ]
    replies = Decoder(backbone, bank).decode([*calls, Call(prompt, RECORDS[0])])
    silent = Decoder(backbone, bank).decode([replace(call, listen=None) for call in calls])
    for said, reply, quiet in zip(told, replies, silent, strict=False):
        assert reply.values == quiet.values, "who listens changes nothing"
        joined: dict[str, str] = {}
        for field, text in said:
            joined[field] = joined.get(field, "") + text
        wanted = {at: text for at, text in flat(reply.values).items() if not at.startswith("graded")}
        assert joined == wanted
        assert list(joined) == list(wanted), "field after field"
        assert "\ufffd" not in "".join(joined.values())


def test_a_text_comes_token_by_token(backbones: Callable[..., Backbone]) -> None:
    backbone = backbones()
    told: list[str] = []
    said = Record((("said", Text(12)),))
    call = Call(Prompt(message=(("text", TEXT),)), said, listen=lambda _, text: told.append(text))
    reply = Decoder(backbone, HeadBank(backbone.sites)).decode([call])[0]
    assert len(told) > 1 and "".join(told) == reply.values["said"]


def test_who_fails_while_listening_loses_no_answer(backbones: Callable[..., Backbone]) -> None:
    backbone = backbones()
    told: list[str] = []

    def broken(field: str, text: str) -> None:
        told.append(text)
        raise RuntimeError("the window is closed")

    call = Call(Prompt(message=(("text", TEXT),)), RECORDS[0])
    decoder = Decoder(backbone, HeadBank(backbone.sites))
    (reply,) = decoder.decode([replace(call, listen=broken)])
    assert reply.values == decoder.decode([call])[0].values and len(told) == 1, "told once, and no more"
