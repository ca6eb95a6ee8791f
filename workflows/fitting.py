"""Fitting: whether a value of one kind may stand where another is wanted.

Beside type checkers this has a third answer: what cannot be decided before the run is no mistake. That is why it is
not left to beartype's ``is_subhint``, which answers yes or no, refuses ``list[int]`` for ``list[float]``, raises for
protocols, and takes longer to import than a graph may take to check.
"""

from __future__ import annotations

import collections.abc as abc
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from enum import Enum, IntEnum
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from ..agents.messages import Message
from .kinds import ANYTHING, NONE, Constant, Fields, Kind, Many, Mapped, OneOf, Plain, Row, kind_of, one_of
from .vector import Vector


class Fit(IntEnum):
    """How a kind fits where another is wanted."""

    NEVER = 0
    """No value does."""
    PARTLY = 1
    """Some that are said to come do not."""
    PERHAPS = 2
    """It is not known."""
    ALWAYS = 3


def fit(given: Kind, wanted: Kind, *, field: bool = False) -> Fit:
    """How ``given`` fits ``wanted``: a parameter of a function, or a ``field`` of a message, which also converts."""
    if given is ANYTHING or wanted is ANYTHING:
        return Fit.PERHAPS
    if given == wanted:
        return Fit.ALWAYS
    if isinstance(given, OneOf):
        return _some(fit(one, wanted, field=field) for one in given.members)
    if isinstance(wanted, OneOf):
        return max(fit(given, one, field=field) for one in wanted.members)
    match given:
        case Constant(value=value):
            return _constant(value, wanted, field)
        case Plain(cls=cls):
            return _plain(cls, wanted, field)
        case Many():
            return _many(given, wanted, field)
        case Row():
            return _row(given, wanted, field)
        case Fields() | Mapped():
            return _mapped(given, wanted, field)
    return Fit.PERHAPS


def misfits(given: Kind, wanted: Kind, *, field: bool = False) -> Kind:
    """Those members of ``given`` that do not fit ``wanted``."""
    parts = given.members if isinstance(given, OneOf) else (given,)
    return one_of([one for one in parts if fit(one, wanted, field=field) < Fit.PERHAPS] or [given])


def _some(fits: Iterable[Fit]) -> Fit:
    """How a value of one of several kinds fits."""
    every = list(fits)
    low, high = min(every), max(every)
    return low if low == high or low >= Fit.PERHAPS else Fit.PARTLY


def _all(fits: Iterable[Fit]) -> Fit:
    """How a value fits all of whose parts have to."""
    return min(fits, default=Fit.ALWAYS)


def _constant(value: Any, wanted: Kind, field: bool) -> Fit:
    if isinstance(wanted, Constant):
        same = value == wanted.value and type(value) is type(wanted.value)
        return Fit.ALWAYS if same else Fit.PERHAPS if value == wanted.value else Fit.NEVER
    return _plain(type(value), wanted, field)


def _plain(cls: type, wanted: Kind, field: bool) -> Fit:
    match wanted:
        case Plain(cls=other):
            return _classes(cls, other, field)
        case Constant(value=value):
            equal = cls in _NUMBERS and type(value) in _NUMBERS  # 1.0 may be the choice of 1
            return Fit.PERHAPS if equal else min(_classes(cls, type(value), field), Fit.PERHAPS)
        case Many(cls=other, item=item):
            if cls is str:  # a text is a sequence of texts, though not for every field
                letters = fit(Plain(str), item) if _subclass(str, other) else _related(str, other)
                return min(letters, Fit.PERHAPS) if field else letters
            if field and _subclass(cls, BaseModel):  # pydantic takes one for the list of its fields
                return min(fit(Row((Plain(str), ANYTHING)), item, field=True), Fit.PERHAPS)
            return Fit.PERHAPS if _subclass(cls, other) or (field and _iterable(cls)) else _related(cls, other)
        case Row():
            named = _subclass(cls, tuple)  # a NamedTuple
            return Fit.PERHAPS if named or (field and cls is not str and _iterable(cls)) else _related(cls, tuple)
        case Mapped() | Fields():
            return Fit.PERHAPS if _subclass(cls, abc.Mapping) else _related(cls, dict)
    return Fit.PERHAPS


def _many(given: Many, wanted: Kind, field: bool) -> Fit:
    match wanted:
        case Many():
            if not _same_sort(given.cls, wanted.cls, field):
                return Fit.NEVER
            return fit(given.item, wanted.item, field=field)
        case Row(items=items):
            if not _same_sort(given.cls, tuple, field):
                return Fit.NEVER
            # How many come is not known.
            return min(_all(fit(given.item, one, field=field) for one in items), Fit.PERHAPS)
        case Plain(cls=other):
            if _subclass(other, tuple):  # a NamedTuple
                return Fit.PERHAPS if _same_sort(given.cls, tuple, field) else Fit.NEVER
            return _classes(given.cls, other, field)
        case Constant(value=value):
            return min(_classes(given.cls, type(value), field), Fit.PERHAPS)
        case Mapped() | Fields():
            return _related(given.cls, dict)
    return Fit.PERHAPS


def _row(given: Row, wanted: Kind, field: bool) -> Fit:
    items = given.items
    if isinstance(wanted, Row):
        if len(items) != len(wanted.items):
            return Fit.NEVER
        return _all(fit(one, other, field=field) for one, other in zip(items, wanted.items, strict=True))
    if isinstance(wanted, Many):
        if not _same_sort(given.cls, wanted.cls, field):
            return Fit.NEVER
        return _all(fit(one, wanted.item, field=field) for one in items)
    return _many(Many(one_of(items), given.cls), wanted, field)


def _mapped(given: Fields | Mapped, wanted: Kind, field: bool) -> Fit:
    cls = given.cls if isinstance(given, Mapped) else dict
    match wanted:
        case Mapped(value=value):
            if isinstance(given, Mapped):
                return fit(given.value, value, field=field)
            return _all(fit(one, value, field=field) for _, one in given.fields)
        case Fields(fields=pairs, perhaps=perhaps):
            if isinstance(given, Mapped):
                return Fit.PERHAPS
            needed = {name: (kind, name not in perhaps) for name, kind in pairs}
            return _by_key(given, needed, more=True, field=field)
        case Plain(cls=other) if is_dataclass(other) or _subclass(other, BaseModel):
            shape = needs_of(other) if isinstance(given, Fields) else None
            return Fit.PERHAPS if shape is None else min(_by_key(given, shape, field=True), Fit.PERHAPS)
        case Plain(cls=other):
            return _classes(cls, other, field)
        case Constant():
            return Fit.NEVER
        case Many(cls=other):
            return Fit.PERHAPS if not field and _subclass(cls, other) else _related(cls, other)
        case Row():
            return Fit.NEVER
    return Fit.PERHAPS


def _by_key(given: Kind, needed: dict[str, tuple[Kind, bool]], *, more: bool = False, field: bool) -> Fit:
    """How a dict with known keys fits: ``needed`` is key → its kind, and whether it has to be there."""
    assert isinstance(given, Fields)
    there = dict(given.fields)
    if any(must and name not in there for name, (_, must) in needed.items()):
        return Fit.NEVER
    if not more and any(name not in needed and name not in given.perhaps for name in there):
        return Fit.NEVER
    return _all(fit(kind, needed[name][0], field=field) for name, kind in there.items() if name in needed)


@lru_cache(512)
def needs_of(cls: Any) -> dict[str, tuple[Kind, bool]] | None:
    """The fields of a message type: name → kind, and whether it is required. None: they are not all known.

    A field with a validator that sees the value before pydantic does takes ANYTHING.
    """
    if not _subclass(cls, Message):
        return None
    decorators = cls.__pydantic_decorators__
    early = [one for one in decorators.model_validators.values() if one.info.mode != "after"]
    infos = cls.model_fields
    named = any(info.alias is not None or info.validation_alias is not None for info in infos.values())
    if early or named or cls.model_config.get("extra") != "forbid" or cls.model_config.get("alias_generator"):
        return None
    before = {
        name
        for one in decorators.field_validators.values()
        if one.info.mode != "after"
        for name in one.info.fields
    }
    loose = bool(cls.model_config.get("coerce_numbers_to_str"))
    found = {}
    for name, info in infos.items():
        converted = loose or "*" in before or name in before or _validated(info)
        found[name] = (ANYTHING if converted else kind_of(info.annotation), info.is_required())
    return found


def field_kinds(cls: type) -> dict[str, Kind]:
    """The fields of a message type or a dataclass as they are read."""
    if _subclass(cls, BaseModel):
        infos = getattr(cls, "model_fields", {}).items()
        return {name: ANYTHING if _validated(info) else kind_of(info.annotation) for name, info in infos}
    if is_dataclass(cls):
        from typing import get_type_hints

        try:
            hints = get_type_hints(cls)
        except Exception:  # a hint that cannot be resolved
            hints = {}
        return {one.name: kind_of(hints.get(one.name, Any)) for one in fields(cls)}
    return {}


def _validated(info: Any) -> bool:
    return any(hasattr(one, "func") for one in info.metadata)


def _classes(cls: type, other: type, field: bool) -> Fit:
    if _subclass(cls, other) or (other is float and _subclass(cls, int)):
        return Fit.ALWAYS
    if other is complex and _subclass(cls, int | float):
        return Fit.ALWAYS
    if _subclass(other, cls):
        return Fit.PERHAPS
    if _subclass(cls, Message) and _subclass(other, Message):
        # The types of a role that was loaded twice have one name.
        return Fit.PERHAPS if cls.message_name == other.message_name else Fit.NEVER  # type: ignore[attr-defined]
    return _field_classes(cls, other) if field else Fit.NEVER


_NUMBERS = (int, float, bool)


def _field_classes(cls: type, other: type) -> Fit:
    """How pydantic takes an instance of ``cls`` where ``other``, another class, is wanted."""
    odd = cls is NONE.cls or _subclass(cls, BaseModel) or cls in (list, tuple, set, frozenset, dict, Vector)
    if other is str:
        return Fit.NEVER if odd or cls in _NUMBERS else Fit.PERHAPS
    if other in _NUMBERS or other is NONE.cls:
        return Fit.NEVER if odd or (other is NONE.cls and cls in (*_NUMBERS, str)) else Fit.PERHAPS
    if _subclass(other, Message):
        return Fit.NEVER if needs_of(other) is not None and (cls in (*_NUMBERS, str) or odd and cls is not dict) \
            else Fit.PERHAPS
    if _subclass(other, Enum) and odd:
        return Fit.NEVER
    return Fit.PERHAPS


def _related(cls: type, other: type) -> Fit:
    """How two classes fit of which the first is no subclass of the second."""
    return Fit.PERHAPS if _subclass(other, cls) else Fit.NEVER


def _same_sort(cls: type, other: type, field: bool) -> bool:
    """Whether one collection may stand for another. Lists and tuples may: a journal and a step look at items only."""
    if _subclass(cls, other) or _subclass(other, cls):
        return True
    if field:
        return other is not abc.Iterator
    return _subclass(cls, abc.Sequence) and _subclass(other, abc.Sequence)


def _iterable(cls: type) -> bool:
    return _subclass(cls, abc.Iterable)


def _subclass(cls: Any, other: Any) -> bool:
    try:
        return issubclass(cls, other)
    except TypeError:  # a class that answers no such question
        return False
