"""Kinds: what is known of a value before the run, read from type hints, message types and constants.

A kind says as much as can be relied on and no more: what a hint says that is not understood here is ANYTHING.
"""

from __future__ import annotations

import collections.abc as abc
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from .vector import Vector


@dataclass(frozen=True)
class Kind:
    """What is known of a value. The base itself: nothing."""

    def __str__(self) -> str:
        return "anything"


ANYTHING = Kind()
"""Nothing is known: it fits everywhere."""


@dataclass(frozen=True)
class Plain(Kind):
    """An instance of a class."""

    cls: type

    def __str__(self) -> str:
        return "None" if self.cls is type(None) else str(getattr(self.cls, "message_name", self.cls.__name__))


@dataclass(frozen=True)
class Constant(Kind):
    """One value: a choice."""

    value: str | int | bytes

    def __eq__(self, other: object) -> bool:
        # 1 is no choice of True.
        return isinstance(other, Constant) and (type(self.value), self.value) == (type(other.value), other.value)

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))

    def __str__(self) -> str:
        return repr(self.value)


@dataclass(frozen=True)
class Many(Kind):
    """A list, or another collection, of items of one kind."""

    item: Kind
    cls: type = list

    def __str__(self) -> str:
        if self.item == ANYTHING:
            return self.cls.__name__
        return f"{self.cls.__name__}[{self.item}{', ...' if self.cls is tuple else ''}]"


@dataclass(frozen=True)
class Row(Kind):
    """A tuple, or a list, of a known length."""

    items: tuple[Kind, ...]
    cls: type = tuple

    def __str__(self) -> str:
        return f"{self.cls.__name__}[{', '.join(map(str, self.items)) or '()'}]"


@dataclass(frozen=True)
class Mapped(Kind):
    """A mapping whose keys are not known, with values of one kind."""

    value: Kind
    cls: type = dict

    def __str__(self) -> str:
        return self.cls.__name__ if self.value == ANYTHING else f"{self.cls.__name__}[str, {self.value}]"


@dataclass(frozen=True)
class Fields(Kind):
    """A dict whose keys are known; ``perhaps``: those that may be missing."""

    fields: tuple[tuple[str, Kind], ...]
    perhaps: frozenset[str] = frozenset()
    name: str = ""

    def __str__(self) -> str:
        return self.name or f"{{{', '.join(f'{name}: {kind}' for name, kind in self.fields)}}}"


@dataclass(frozen=True)
class OneOf(Kind):
    """One of several kinds; made by :func:`one_of`."""

    members: tuple[Kind, ...]

    def __str__(self) -> str:
        return " | ".join(map(str, self.members))


NONE = Plain(type(None))
TEXT = Plain(str)
WHOLE = Plain(int)
TRUTH = Plain(bool)

_NOTHING_SAID = (Any, object, typing.NoReturn, typing.Never, typing.Self)
_INSIDE = (typing.Required, typing.NotRequired, typing.Final, typing.ClassVar)
_LARGEST = 50
"""Items of a constant that are looked at, and choices that are kept apart."""


def one_of(kinds: Iterable[Kind]) -> Kind:
    """The kind of a value that is of one of ``kinds``; of none, ANYTHING."""
    found: dict[Kind, None] = {}
    for kind in kinds:
        found.update(dict.fromkeys(kind.members if isinstance(kind, OneOf) else (kind,)))
    if len(found) > _LARGEST:
        return ANYTHING
    return OneOf(tuple(found)) if len(found) > 1 else next(iter(found), ANYTHING)


def members(kind: Kind) -> tuple[Kind, ...]:
    """The kinds that a value of ``kind`` may be of."""
    return kind.members if isinstance(kind, OneOf) else (kind,)


def without_none(kind: Kind) -> Kind:
    """``kind`` where the value is not None; NONE stays."""
    return one_of([one for one in members(kind) if one != NONE] or [NONE])


def kind_of(hint: Any) -> Kind:
    """What a type hint says; a text in its place (one that could not be resolved) says nothing."""
    try:
        hash(hint)
    except TypeError:  # an Annotated with a list, say
        return _understood(hint)
    return _kind_of(hint)


@lru_cache(2048)
def _kind_of(hint: Any) -> Kind:
    return _understood(hint)


def _understood(hint: Any) -> Kind:
    try:
        return _read(hint)
    except Exception:  # hints are other people's objects, and a check must not fail over them
        return ANYTHING


def _read(hint: Any) -> Kind:
    if hint is None or hint is type(None):
        return NONE
    if any(hint is one for one in _NOTHING_SAID) or isinstance(hint, str | typing.TypeVar | typing.ForwardRef):
        return ANYTHING
    origin, inside = get_origin(hint), get_args(hint)
    if origin is Union or origin is types.UnionType:
        return one_of(map(kind_of, inside))
    if origin is Literal:
        return one_of(kind_of_value(value) for value in inside)
    if origin is Annotated:
        # What a validator makes of a value is not known.
        converted = any(hasattr(one, "func") or hasattr(one, "__get_pydantic_core_schema__") for one in inside[1:])
        return ANYTHING if converted else kind_of(inside[0])
    if any(origin is one for one in _INSIDE) and inside:
        return kind_of(inside[0])
    if origin is None and not isinstance(hint, type):
        meant = getattr(hint, "__supertype__", None) or getattr(hint, "__value__", None)  # NewType, type X = …
        return ANYTHING if meant is None else kind_of(meant)
    cls = origin or hint
    return _of_class(cls, inside, hint) if isinstance(cls, type) else ANYTHING


def _of_class(cls: type, inside: tuple[Any, ...], hint: Any) -> Kind:
    if getattr(cls, "_is_protocol", False):
        return ANYTHING
    if typing.is_typeddict(cls):
        hints = typing.get_type_hints(cls)
        return Fields(tuple((name, kind_of(one)) for name, one in hints.items()), cls.__optional_keys__)  # type: ignore[attr-defined]
    if cls is tuple and (inside or hint == tuple[()]):
        return Many(kind_of(inside[0]), tuple) if inside[1:] == (...,) else Row(tuple(map(kind_of, inside)))
    if issubclass(cls, abc.Mapping):
        if cls in _PLAIN_MAPPINGS:
            return Mapped(kind_of(inside[1]) if len(inside) == 2 else ANYTHING, cls)
        return Plain(cls)
    if cls in _COLLECTIONS:
        return Many(kind_of(inside[0]) if len(inside) == 1 else ANYTHING, cls)
    return Plain(cls)


_PLAIN_MAPPINGS = frozenset({dict, abc.Mapping, abc.MutableMapping})
_COLLECTIONS = frozenset({
    list, tuple, set, frozenset, Vector, abc.Sequence, abc.MutableSequence, abc.Set, abc.MutableSet, abc.Collection,
    abc.Iterable, abc.Iterator, abc.Reversible, abc.Container,
})  # fmt: skip


def kind_of_value(value: Any, depth: int = 0) -> Kind:
    """The kind of a constant."""
    if value is None:
        return NONE
    cls = type(value)
    if cls in (bool, int, str, bytes):
        return Constant(value)
    if depth > 5:
        return ANYTHING
    if cls in (list, tuple, Vector):
        some = [kind_of_value(one, depth + 1) for one in value[:_LARGEST]]
        return Many(one_of(some) if len(value) <= _LARGEST else ANYTHING, cls)
    if cls is dict and all(isinstance(key, str) for key in value):
        return Fields(tuple((key, kind_of_value(one, depth + 1)) for key, one in value.items()))
    return Mapped(ANYTHING) if isinstance(value, Mapping) else Plain(cls)
