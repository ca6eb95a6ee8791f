"""In what values differ: the lines that a person reads."""

from typing import Any

import pytest

from understudy import Finding, Task
from understudy.testing.differences import brief, differences


class Unprintable:
    def __repr__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("expected", "got", "told"),
    [
        (1, 1, []),
        (1, 2, ["it: expected 1, got 2"]),
        ([1, 2], (1, 2), []),
        ([1, 2], [1], ["it: expected 2 items, got 1: [1]"]),
        ({"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}, ["it.a.b: expected 1, got 2"]),
        ({"a": 1}, 5, ["it: expected the fields a, got 5"]),
        ({"a": 1}, {}, ["it: it has no field 'a'; it has none"]),
        ([Task(request="a")], [Task(request="b")], ["it[0].request: expected 'a', got 'b'"]),
        ({"answer": str}, Finding(answer="x"), []),
        ({"confidence": lambda value: value > 0.5}, Finding(answer="x"), []),
        (lambda value: 1 / 0, 3, ["it: ZeroDivisionError: division by zero, of 3"]),
        ("a\nb", "a\nc", ["it: expected -, got +", "      a", "    - b", "    + c"]),
    ],
)
def test_differences(expected: Any, got: Any, told: list[str]) -> None:
    assert differences(expected, got) == told


def test_a_value_in_a_line() -> None:
    assert brief(Finding(answer="x", confidence=0.5)) == "Finding(answer='x', confidence=0.5)"
    assert brief([Task(request="x")]) == "[Task(request='x')]"
    assert brief("x" * 500, 20) == "'" + "x" * 18 + "…"
    assert brief(Unprintable()) == "a Unprintable"
