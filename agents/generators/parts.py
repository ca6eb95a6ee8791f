"""A request and the steps that answer it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A step to be: the kind of work, the words of the request that ask for it, positions of what it needs."""

    kind: str
    words: str
    needs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Request:
    """A request and its steps."""

    text: str
    parts: tuple[Part, ...]
    keep: tuple[str, ...] = ()
