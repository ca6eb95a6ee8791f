"""Functions and messages with which mistakes of types are made."""

from __future__ import annotations

from typing import Any

from understudy.agents.messages import Message


def text(said: str) -> str:
    """Takes and gives a text."""
    return said


def number(value: Any) -> int:
    """Gives a number."""
    return len(repr(value))


def texts(value: Any) -> list[str]:
    """Gives a list of texts."""
    return [repr(value)]


def pair(left: str, right: str) -> str:
    """Takes two texts by their names."""
    return left + right


def positional(said: str, /) -> str:
    """Takes a text that has no name."""
    return said


async def later(outputs: Any) -> Any:
    """Has to be awaited."""
    return outputs


def half(value: int) -> int:
    """Takes a number."""
    return value // 2


class Given(Message, message_name="test_catalogue.Given"):
    """A message with a field that a Task has, and one that it has not."""

    given: int
    other: str


class Odd(Message, message_name="test_catalogue.Odd"):
    """A message with a field that nobody gives."""

    nobody: str

    @staticmethod
    def perhaps(value: Any) -> int | None:
        """Gives a number, or nothing."""
        return None

    @staticmethod
    def made(value: Any) -> Odd:
        """Gives such a message."""
        return Odd(nobody=repr(value))
