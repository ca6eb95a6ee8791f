"""Frozen values made and changed at a fraction of the cost that dataclasses has for them: a run makes many."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, TypeVar

T = TypeVar("T")


def evolve(value: T, /, **changes: Any) -> T:
    """A copy of the frozen dataclass ``value`` (one without slots or ``__post_init__``) with ``changes``."""
    made = object.__new__(type(value))
    made.__dict__.update(value.__dict__, **changes)
    return made


def quickly_made(kind: type[T]) -> type[T]:
    """Give a frozen dataclass an ``__init__`` of the same signature that writes its ``__dict__``.

    The one of dataclasses goes through ``object.__setattr__`` for each field. For classes without slots,
    ``__post_init__`` or default factories.
    """
    defaults: dict[str, Any] = {}
    parameters: list[str] = []
    for one in fields(kind):  # type: ignore[arg-type]  # what is decorated is a dataclass
        assert one.default_factory is MISSING and one.init
        if one.default is not MISSING:
            defaults[f"_{one.name}"] = one.default
        parameters.append(one.name if one.default is MISSING else f"{one.name}=_{one.name}")
    lines = [f" values[{one.name!r}] = {one.name}" for one in fields(kind)]  # type: ignore[arg-type]
    source = f"def __init__(self, {', '.join(parameters)}):\n values = self.__dict__\n" + "\n".join(lines)
    made: dict[str, Any] = {}
    exec(source, defaults, made)
    setattr(kind, "__init__", made["__init__"])  # noqa: B010 — a plain assignment is for instances only, to mypy
    return kind
