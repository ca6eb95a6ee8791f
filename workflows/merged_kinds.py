"""Kinds of merged outputs: what a rule of :mod:`.merging` makes of the kinds that meet in a join."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..agents.messages import Message
from .annotations import signature_of
from .inference import field_of, joined
from .kinds import (
    ANYTHING,
    NONE,
    TEXT,
    TRUTH,
    WHOLE,
    Constant,
    Fields,
    Kind,
    Many,
    Plain,
    Row,
    members,
    one_of,
    without_none,
)

NUMBER = Plain(float)


def merged_kind(rule: Any, given: Mapping[str, Kind]) -> tuple[Kind, str]:
    """What a merge rule makes of ``given`` (step → kind), and why it cannot; "" where that is not certain."""
    if not isinstance(rule, str):
        return signature_of(rule).gives, ""
    brought = {name: without_none(kind) for name, kind in given.items() if kind != NONE}
    some = any(NONE not in members(kind) and kind is not ANYTHING for kind in given.values())
    one = one_of(brought.values()) if some else one_of((*brought.values(), NONE))
    mistake = next(_unfit(rule, brought), "")
    if mistake:
        return ANYTHING, mistake
    match rule:
        case "list":
            return Row(tuple(given.values()), list), ""
        case "dict":
            return Fields(tuple(given.items())), ""
        case "first" | "last" | "majority" | "best":
            return one, ""
        case "all" | "any":
            return TRUTH, ""
        case "union":
            return Many(joined(one_of(brought.values()))), ""
        case "concat" if brought and all(_are(kind, _is_list) for kind in brought.values()):
            return Many(joined(one_of(brought.values()))), ""
        case "concat" if some and all(_are(kind, _is_text) for kind in brought.values()):
            return TEXT, ""
        case "sum" if all(_are(kind, _is_number) for kind in brought.values()):
            return WHOLE if all(_are(kind, _is_whole) for kind in brought.values()) else NUMBER, ""
    return ANYTHING, ""


def _unfit(rule: str, brought: Mapping[str, Kind]) -> Iterator[str]:
    """Why the rule certainly cannot merge."""
    sure = {name: kind for name, kind in brought.items() if ANYTHING not in members(kind)}
    for name, kind in sure.items():
        if rule == "concat" and not any(_is_list(part) or _is_text(part) or _open(part) for part in members(kind)):
            yield f"'concat' takes lists or texts, and {name} gives {kind}"
        if rule == "sum" and not any(_is_number(part) or _open(part) for part in members(kind)):
            yield f"'sum' takes numbers, and {name} gives {kind}"
        if rule == "best" and not any(_open(part) for part in members(kind)) and field_of(kind, "confidence") is None:
            yield f"'best' takes values with a number under 'confidence', and {name} gives {kind}"
    texts = [name for name, kind in sure.items() if _are(kind, _is_text)]
    lists = [name for name, kind in sure.items() if _are(kind, _is_list)]
    if rule == "concat" and texts and lists:
        yield f"'concat' takes lists with lists and texts with texts, and {texts[0]} gives a text, {lists[0]} a list"


def _are(kind: Kind, of_sort: Callable[[Kind], bool]) -> bool:
    return all(of_sort(part) for part in members(kind))


def _is_list(kind: Kind) -> bool:
    return isinstance(kind, Row) or (isinstance(kind, Many) and not issubclass(kind.cls, set | frozenset))


def _is_text(kind: Kind) -> bool:
    return (isinstance(kind, Plain) and kind.cls is str) or (isinstance(kind, Constant) and isinstance(kind.value, str))


def _is_number(kind: Kind) -> bool:
    return _is_whole(kind) or kind == NUMBER


def _is_whole(kind: Kind) -> bool:
    if isinstance(kind, Constant):
        return type(kind.value) is int
    return isinstance(kind, Plain) and issubclass(kind.cls, int) and kind.cls is not bool


def _open(kind: Kind) -> bool:
    """Whether a class may derive from this one that is a list, a text or a number after all."""
    known = (bool, bytes, int, float, str, type(None), Message)
    return kind is ANYTHING or (isinstance(kind, Plain) and not issubclass(kind.cls, known))
