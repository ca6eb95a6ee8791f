"""How often answers are right: pure measures over what was expected and what was given."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .core.errors import UnderstudyError
from .core.intervals import wilson

MATCHERS = ("contains", "equals", "any_of", "lacks")
"""What may say how an output must be, in place of the value itself."""


@dataclass(frozen=True)
class Rate:
    """``right`` of ``total``, with its 95 % interval.

    >>> Rate(9, 10).interval
    (0.5958, 0.9821)
    """

    right: int
    total: int

    @property
    def share(self) -> float:
        """right / total, or 0 where there is none."""
        return round(self.right / self.total, 4) if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval; (0, 1) where nothing was counted."""
        low, high = wilson(self.right, self.total)
        return (round(low, 4), round(high, 4))

    @classmethod
    def of(cls, flags: Iterable[bool]) -> Rate:
        """How many of ``flags`` are true."""
        told = list(flags)
        return cls(sum(told), len(told))

    @property
    def cell(self) -> str:
        """For a table: ``90 % (60–98)``, or ``–`` where nothing was counted."""
        if not self.total:
            return "–"
        low, high = wilson(self.right, self.total)
        return f"{100 * self.right / self.total:.0f} % ({100 * low:.0f}–{100 * high:.0f})"

    def as_json(self) -> dict[str, Any]:
        """``{"right", "total", "share", "interval"}``."""
        return {"right": self.right, "total": self.total, "share": self.share, "interval": list(self.interval)}

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.share:.1%} ({self.right} of {self.total}, 95 % interval {low:.1%} to {high:.1%})"


@dataclass(frozen=True)
class Case:
    """One evaluated line: where it stands, which fields were right, whether it was answered at all, the request."""

    where: str
    fields: Mapping[str, bool]
    answered: bool
    expected: Any
    output: Any
    seconds: float
    request: Any = None

    @property
    def right(self) -> bool:
        """All fields right."""
        return all(self.fields.values())


def compare_fields(expected: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, bool]:
    """Which of the ``expected`` fields ``output`` has, strings compared without case and outer space.

    >>> compare_fields({"queue": "billing", "urgent": True}, {"queue": "Billing", "urgent": False})
    {'queue': True, 'urgent': False}
    """
    return {name: _same(value, output.get(name)) for name, value in expected.items()}


def meets(expected: Any, output: Any, where: str) -> bool:
    """Whether ``output`` is as a line of an evaluation file expects.

    A string must be contained in the output, a mapping names fields, and ``{"contains": …}``, ``{"equals": …}``,
    ``{"any_of": […]}`` or ``{"lacks": …}`` say otherwise; everything else must be equal.

    >>> meets({"answer": {"contains": ["Lima"]}}, {"answer": "The capital is Lima."}, "questions.jsonl:1")
    True

    Raises UnderstudyError where a matcher is not known.
    """
    if isinstance(expected, Mapping):
        used = [name for name in expected if name in MATCHERS]
        if used and len(used) == len(expected):
            return all(_matches(name, expected[name], output) for name in used)
        if used:
            raise UnderstudyError("matchers and fields are mixed", where=where, mend=f"write one of {MATCHERS}")
        if not isinstance(output, Mapping):
            return False
        missing = sorted(set(expected) - set(output))
        if missing:
            known = ", ".join(map(str, output)) or "none"
            raise UnderstudyError(f"the output has no field {missing[0]!r}", where=where, mend=f"it has: {known}")
        return all(meets(value, output[name], where) for name, value in expected.items())
    if isinstance(expected, str):
        return _matches("contains", expected, output)
    return _same(expected, output)


def _matches(matcher: str, expected: Any, output: Any) -> bool:
    if matcher == "equals":
        return _same(expected, output)
    if matcher == "any_of":
        return any(_matches("contains", option, output) for option in expected)
    text = _folded(output)
    parts = [expected] if isinstance(expected, str) or not isinstance(expected, Sequence) else expected
    found = [_folded(part) in text for part in parts]
    return all(found) if matcher == "contains" else not any(found)


def _same(expected: Any, output: Any) -> bool:
    if isinstance(expected, bool) or isinstance(output, bool):
        return expected is output
    if isinstance(expected, int | float) and isinstance(output, int | float):
        return math.isclose(expected, output, rel_tol=1e-9)
    if isinstance(expected, str) and isinstance(output, str):
        return _folded(expected) == _folded(output)
    if isinstance(expected, list | tuple) and isinstance(output, list | tuple):
        return len(expected) == len(output) and all(map(_same, expected, output))
    return bool(expected == output)


def _folded(value: Any) -> str:
    """Text for comparison: composed characters, no case, single spaces; of containers, all that is in them."""
    if isinstance(value, Mapping):
        return " ".join(_folded(inner) for inner in value.values())
    if isinstance(value, list | tuple):
        return " ".join(_folded(inner) for inner in value)
    return " ".join(unicodedata.normalize("NFC", str(value)).casefold().split())


def summary(cases: Sequence[Case]) -> dict[str, Any]:
    """The figures of an evaluation, ready for JSON.

    ``whole``: all fields right, of all lines. ``answered``: lines not abstained from. ``right_when_answered``:
    right of the answered. ``confident_errors``: answered and wrong, each with its place. ``wrong``: all that was not
    right, with the request.
    """
    names = list(dict.fromkeys(name for case in cases for name in case.fields))
    answered = [case for case in cases if case.answered]
    seconds = sorted(case.seconds for case in cases)
    return {
        "cases": len(cases),
        "whole": Rate(sum(case.right for case in cases), len(cases)).as_json(),
        "fields": {name: _field_rate(name, cases).as_json() for name in names},
        "answered": Rate(len(answered), len(cases)).as_json(),
        "right_when_answered": Rate(sum(case.right for case in answered), len(answered)).as_json(),
        "seconds_median": round(seconds[len(seconds) // 2], 4) if seconds else 0.0,
        "confident_errors": [
            {"where": case.where, "expected": case.expected, "output": case.output}
            for case in answered
            if not case.right
        ],
        "wrong": [
            {
                "where": case.where, "request": case.request, "wanted": case.expected, "given": case.output,
                "answered": case.answered,
            }
            for case in cases
            if not case.right
        ],
    }  # fmt: skip


def _field_rate(name: str, cases: Sequence[Case]) -> Rate:
    asked = [case for case in cases if name in case.fields]
    return Rate(sum(case.fields[name] for case in asked), len(asked))
