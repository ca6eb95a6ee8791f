"""The values that expressions meet, and how a field or an element of them is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from ..core.errors import UnderstudyError
from ..core.errors import hint as hint
from .vector import Vector

UNSET: Any = object()
"""Stands for a value that was not given, where None is one."""


class _Untaken:
    """What a step would have given that no road of the run led to; so is all that is asked of it."""

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return other is self or other is None

    def __hash__(self) -> int:
        return hash(None)

    def __repr__(self) -> str:
        return "null"


UNTAKEN: Any = _Untaken()
"""Stands for steps that a run has not come to, while an expression is evaluated: null, and all its fields are."""


def untaken(scope: Any, name: str) -> bool:
    """Whether ``name`` is a step that no road of the run has led to; a scope that is a plain mapping knows of none."""
    ask = getattr(scope, "untaken", None)
    return ask is not None and bool(ask(name))


def settled(value: Any) -> Any:
    """The value with null where it is :data:`UNTAKEN`, in the lists and mappings that expressions make as well."""
    if value is UNTAKEN:
        return None
    if type(value) is list:
        return [settled(one) for one in value]
    if type(value) is dict:
        return {key: settled(one) for key, one in value.items()}
    return value


class ExpressionError(UnderstudyError):
    """An expression that cannot be read, or that does not fit the values it meets.

    ``offset`` counts characters from the start of the expression's text to the part in question.
    """

    def __init__(self, what: str, *, where: str | None = None, mend: str | None = None,
                 offset: int = 0) -> None:
        super().__init__(what, where=where, mend=mend)
        self.offset = offset


def attribute(value: Any, name: str) -> Any:
    """The field ``name`` of a message or mapping; of every element of a list (lists are joined).

    An element that is None, a branch that brought nothing, is passed over. Raises ExpressionError.
    """
    if value is UNTAKEN:
        return UNTAKEN
    if isinstance(value, list | tuple | Vector):
        found: list[Any] = []
        for one in value:
            if one is not None and one is not UNTAKEN:
                part = attribute(one, name)
                found.extend(part) if isinstance(part, list | tuple | Vector) else found.append(part)
        return found
    names = field_names(value)
    if name not in names:
        raise ExpressionError(f"{kind(value)} has no '{name}'", mend=hint(name, names))
    return value[name] if isinstance(value, Mapping) else getattr(value, name)


def element(value: Any, key: Any) -> Any:
    """``value[key]``: an element of a list (negative: from its end), or a field. Raises ExpressionError."""
    if value is UNTAKEN:
        return UNTAKEN
    if isinstance(key, str) and not isinstance(value, list | tuple | Vector | str):
        return attribute(value, key)
    if not isinstance(value, list | tuple | Vector | str) or not isinstance(key, int):
        raise ExpressionError(f"{kind(value)} has no element {key!r}")
    if not -len(value) <= key < len(value):
        raise ExpressionError(f"no element {key}: {kind(value)} has {len(value)}")
    return value[key]


def field_names(value: Any) -> tuple[str, ...]:
    """What attributes an expression may take of ``value``: declared fields only, never methods."""
    if isinstance(value, Mapping):
        return tuple(str(key) for key in value)
    if is_dataclass(value):
        return tuple(one.name for one in fields(value))
    return tuple(getattr(type(value), "model_fields", ()))


def kind(value: Any) -> str:
    """What ``value`` is, in words for an error."""
    if value is None or value is UNTAKEN:
        return "nothing (null)"
    if isinstance(value, bool):
        return "a boolean"
    plain = {str: "a text", int: "a number", float: "a number", list: "a list", tuple: "a list",
             Vector: "a list", dict: "a mapping"}
    return plain.get(type(value), type(value).__name__)


def length(value: Any) -> int:
    """How many elements, characters or fields ``value`` has. Raises ExpressionError."""
    if not isinstance(value, list | tuple | Vector | str | Mapping):
        raise ExpressionError(f"{kind(value)} has no length")
    return len(value)
