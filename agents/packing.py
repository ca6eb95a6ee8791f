"""Messages, and any value a step may take or give, as JSON and back.

In JSON a message is its fields beside ``"$type"``:

    >>> from understudy.agents.messages import Task
    >>> to_json(Task(request="Which neighbours of France use the euro?"))
    {'$type': 'Task', 'request': 'Which neighbours of France use the euro?', 'given': []}
    >>> from_json(to_json(Task(request="a", given=("b",))))
    Task(request='a', given=('b',))

:func:`pack` and :func:`unpack` do the same for any value: messages, JSON values, tuples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_jsonable_python

from .messages import Message, MessageError, first_mistake, message_type

DEEPEST = 100
"""Levels of lists, dicts and messages in a value that is kept: so much is read back on any stack."""

_LARGEST = 10**4300  # Python writes and reads no longer numbers in decimal


def to_json(message: Message) -> dict[str, Any]:
    """The message as JSON values, with the name of its type; messages inside it keep theirs.

    Raises MessageError for a field that cannot be written, or that is nested more than ``DEEPEST`` levels deep.
    """
    return _message(message, 0)


def _message(message: Message, depth: int) -> dict[str, Any]:
    packed: dict[str, Any] = {"$type": message.message_name}
    for name in type(message).model_fields:
        value = getattr(message, name)
        kind = type(value)
        packed[name] = value if kind is str or kind is bool or value is None else _field(value, depth + 1)
    return packed


def from_json(data: Mapping[str, Any]) -> Message:
    """The message that :func:`to_json` wrote. Raises MessageError for an unknown type or a wrong field."""
    name = data.get("$type") if isinstance(data, Mapping) else None
    if not isinstance(name, str):
        raise MessageError("this is no message: it has no '$type'")
    kind = message_type(name)
    fields = {key: unpack(value) for key, value in data.items() if key != "$type"}
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise MessageError(first_mistake(error), where=name) from error


def pack(value: Any, where: str | None = None, depth: int = 0) -> Any:
    """Any value a step may take or give, as JSON: a message, None, bool, int, float, str, list, tuple, dict.

    ``unpack(pack(value))`` equals ``value`` and has its types. Raises MessageError for everything else, and for what
    is nested more than ``DEEPEST`` levels deep. ``depth``: of what the value is in.
    """
    kind = type(value)
    if value is None or kind is str or kind is bool or (kind is int and -_LARGEST < value < _LARGEST):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"$float": str(value)}
    if depth > DEEPEST:
        raise _too_deep(where)
    depth += 1
    if isinstance(value, Message):
        return _message(value, depth)
    if kind is list:
        return [pack(item, where, depth) for item in value]
    if kind is tuple:
        return {"$tuple": [pack(item, where, depth) for item in value]}
    if kind is dict and all(type(key) is str for key in value):
        return {("$" + key if key.startswith("$") else key): pack(item, where, depth) for key, item in value.items()}
    if kind is int:
        raise _too_large(where)
    raise MessageError(
        f"a value of type {kind.__name__} cannot be kept in the journal",
        where=where,
        mend="use a Message, or strings, numbers, lists, tuples and dicts with string keys",
    )


def refuse(value: Any, where: str | None = None, depth: int = 0) -> None:
    """Raise MessageError for a value that :func:`pack` would refuse, without packing it."""
    kind = type(value)
    if value is None or kind is str or kind is bool or kind is float:
        return
    if (kind is list or kind is tuple) and depth <= DEEPEST:
        for item in value:
            refuse(item, where, depth + 1)
    elif kind is dict and depth <= DEEPEST and all(type(key) is str for key in value):
        for item in value.values():
            refuse(item, where, depth + 1)
    else:
        pack(value, where, depth)


def unpack(data: Any, *, plain: bool = False) -> Any:
    """The value that :func:`pack` wrote; ``plain``: messages as dicts, for a reader that lacks their types.

    Raises MessageError for what :func:`pack` does not write.
    """
    if not isinstance(data, (dict, list)):
        return data
    try:
        if isinstance(data, list):
            return [unpack(item, plain=plain) for item in data]
        if "$type" in data:
            if not plain:
                return from_json(data)
            return {key: unpack(item, plain=True) for key, item in data.items() if key != "$type"}
        if "$float" in data:
            return float(data["$float"])
        if "$tuple" in data:
            return tuple(unpack(item, plain=plain) for item in data["$tuple"])
        return {key.removeprefix("$"): unpack(item, plain=plain) for key, item in data.items()}
    except RecursionError:
        raise MessageError("a value that is nested too deeply") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise MessageError(f"a value that is not as it was written: {error}") from error


def _field(value: Any, depth: int) -> Any:
    """As :func:`pack`, but shorter: the type of the field brings back tuples, sets, dates and the like."""
    if type(value) is int:
        if -_LARGEST < value < _LARGEST:
            return value
        raise _too_large(None)
    if depth > DEEPEST and isinstance(value, Message | list | tuple | set | frozenset | Mapping):
        raise _too_deep(None)
    if isinstance(value, Message):
        return _message(value, depth)
    if isinstance(value, list | tuple | set | frozenset):
        return [_field(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        named = ((k if type(k) is str else _key(k), item) for k, item in value.items())
        return {("$" + key if key.startswith("$") else key): _field(item, depth + 1) for key, item in named}
    if type(value) is float and not math.isfinite(value):
        return {"$float": str(value)}
    try:
        return to_jsonable_python(value)
    except ValueError as error:
        raise MessageError(f"a field of type {type(value).__name__} cannot be written as JSON") from error


def _too_large(where: str | None) -> MessageError:
    return MessageError("a whole number of more than 4300 digits cannot be kept in the journal", where=where)


def _too_deep(where: str | None) -> MessageError:
    return MessageError(f"a value that is nested more than {DEEPEST} levels deep cannot be kept", where=where)


def _key(key: Any) -> str:
    try:
        return str(to_jsonable_python(key))
    except ValueError as error:
        raise MessageError(f"a key of type {type(key).__name__} cannot be written as JSON") from error
