"""Refs: values that a later step will have, for composing workflows in Python."""

from __future__ import annotations

from typing import Any, NoReturn

from .values import ExpressionError


class Ref:
    """A value that a later step will have, for composing workflows in Python: ``plan.steps[0]``.

    Comparisons and ``&``, ``|``, ``~`` build conditions. A field whose name is not an identifier of Python is
    reached with ``ref["name"]``.

    >>> print((Ref("plan").confidence > 0.5) & ~Ref("review").approved)
    (plan.confidence > 0.5) and (not review.approved)
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __getattr__(self, name: str) -> Ref:
        if name.startswith("_"):
            raise AttributeError(name)
        return Ref(f"{self._inner()}.{name}")

    def __getitem__(self, key: str | int | Ref) -> Ref:
        return Ref(f"{self._inner()}[{_written(key)}]")

    def __eq__(self, other: object) -> Ref:  # type: ignore[override]  # a Ref builds a condition, as query builders do
        return self._compared("==", other)

    def __ne__(self, other: object) -> Ref:  # type: ignore[override]
        return self._compared("!=", other)

    def __lt__(self, other: Any) -> Ref:
        return self._compared("<", other)

    def __le__(self, other: Any) -> Ref:
        return self._compared("<=", other)

    def __gt__(self, other: Any) -> Ref:
        return self._compared(">", other)

    def __ge__(self, other: Any) -> Ref:
        return self._compared(">=", other)

    def __and__(self, other: Ref) -> Ref:
        return Ref(f"{self._inner()} and {other._inner()}")

    def __or__(self, other: Ref) -> Ref:
        return Ref(f"{self._inner()} or {other._inner()}")

    def __invert__(self) -> Ref:
        return Ref(f"not {self._inner()}")

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        raise ExpressionError(f"'{self._text}' has no value before the workflow runs",
                              mend="use & | ~ in conditions, and when= for a route")

    def __iter__(self) -> NoReturn:
        raise ExpressionError(f"'{self._text}' cannot be looped over before the workflow runs",
                              mend="use flow.each(…)")

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Ref({self._text!r})"

    def _inner(self) -> str:
        return f"({self._text})" if " " in self._text else self._text

    def _compared(self, sign: str, other: object) -> Ref:
        return Ref(f"{self._inner()} {sign} {_written(other)}")


def length(ref: Ref) -> Ref:
    """``len`` of a value that a later step will have."""
    return Ref(f"len({ref._text})")


def _written(value: object) -> str:
    return value._inner() if isinstance(value, Ref) else repr(value)
