"""In what a value differs from the one that was expected, as lines that a person can read."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..agents.messages import Message
from ..workflows.values import hint

_LONG = 50  # characters; two longer texts are shown under each other, with what differs marked


def differences(expected: Any, got: Any, path: str = "it") -> list[str]:
    """Where ``got`` is not as ``expected``; empty where it is.

    A mapping expects the fields that it names, and lets the others be; a type expects an instance; a function is called
    and has to give something true, or None. Anything else expects an equal value.

    >>> differences({"a": 1, "b": [2, 3]}, {"a": 1, "b": [2, 4], "c": 5})
    ['it.b[1]: expected 3, got 4']
    """
    return list(_found(expected, got, path))


def _found(expected: Any, got: Any, path: str) -> Iterator[str]:
    if isinstance(expected, type):
        if not isinstance(got, expected):
            yield f"{path}: expected a {expected.__name__}, got {brief(got)}"
    elif isinstance(expected, Mapping):
        yield from _fields(expected, got, path)
    elif isinstance(expected, Message):
        if type(got) is not type(expected):
            yield f"{path}: expected {brief(expected)}, got {brief(got)}"
        else:
            for name in type(expected).model_fields:
                yield from _found(getattr(expected, name), getattr(got, name), f"{path}.{name}")
    elif callable(expected):
        yield from _tried(expected, got, path)
    elif isinstance(expected, str) and isinstance(got, str):
        yield from _texts(expected, got, path)
    elif isinstance(expected, Sequence) and isinstance(got, Sequence) and not isinstance(got, str):
        for number, (wanted, one) in enumerate(zip(expected, got, strict=False)):
            yield from _found(wanted, one, f"{path}[{number}]")
        if len(expected) != len(got):
            yield f"{path}: expected {len(expected)} items, got {len(got)}: {brief(got)}"
    elif expected != got:
        yield f"{path}: expected {brief(expected)}, got {brief(got)}"


def _fields(expected: Mapping[Any, Any], got: Any, path: str) -> Iterator[str]:
    names = got if isinstance(got, Mapping) else getattr(type(got), "model_fields", None)
    if names is None:
        yield f"{path}: expected the fields {', '.join(map(str, expected))}, got {brief(got)}"
        return
    for name, wanted in expected.items():
        if name not in names:
            yield f"{path}: it has no field {name!r}; {hint(str(name), map(str, names)) or 'it has none'}"
        else:
            yield from _found(wanted, got[name] if isinstance(got, Mapping) else getattr(got, name), f"{path}.{name}")


def _tried(expected: Any, got: Any, path: str) -> Iterator[str]:
    try:
        holds = expected(got)
    except Exception as error:
        yield f"{path}: {type(error).__name__}: {error}, of {brief(got)}"
        return
    if holds is not None and not holds:
        yield f"{path}: {getattr(expected, '__name__', 'what is expected')} does not hold of {brief(got)}"


def _texts(expected: str, got: str, path: str) -> Iterator[str]:
    if expected == got:
        return
    if max(len(expected), len(got)) <= _LONG and "\n" not in expected + got:
        yield f"{path}: expected {expected!r}, got {got!r}"
        return
    yield f"{path}: expected -, got +"
    for line in difflib.ndiff(expected.splitlines(), got.splitlines()):
        yield f"    {line.rstrip()}"


def brief(value: Any, longest: int = 160) -> str:
    """``value`` in a line: of a message the fields that were given, cut where it is long."""
    text = _brief(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _brief(value: Any) -> str:
    if isinstance(value, Message):
        named = [name for name in type(value).model_fields if name in value.model_fields_set]
        return f"{value.message_name}({', '.join(f'{name}={_brief(getattr(value, name))}' for name in named)})"
    if isinstance(value, list | tuple):
        left, right = "[]" if isinstance(value, list) else ("(", ",)" if len(value) == 1 else ")")
        return f"{left}{', '.join(map(_brief, value))}{right}"
    if callable(value):
        return str(getattr(value, "__name__", value))
    try:
        return repr(value)
    except Exception:
        return f"a {type(value).__name__}"
