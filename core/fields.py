"""The schema of an answer: the fields that one decoder fills, with the values known at call time.

Every message is built from these fields, one after the other; the head makes the choices, the schema carries what is
known. The shapes of the values:

======== ==========================================================
field    value
======== ==========================================================
Choice   one of ``options`` (str)
Grades   dict of option → expected grade (float); a teacher gives the grades' labels
Span     :class:`SpanValue`, or None where ``optional`` and not found
Text     str
Number   int or float
Grammar  str that the grammar accepts
ListOf   list of the item's values
Earlier  int, 1-based position of an earlier item of the enclosing list
Record   dict of field name → value
======== ==========================================================
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """One of ``options``, scored over all of them by log-probability."""

    options: tuple[str, ...]


@dataclass(frozen=True)
class Grades:
    """A grade for each of ``options``, one after the other: what a ranking is made of.

    ``labels`` stand for 0, 1, 2, …; the value of an option is the mean of its grade under the head's probabilities.
    ``shown``: what is written of each option where its name alone does not say enough to grade it.
    """

    options: tuple[str, ...]
    labels: tuple[str, ...] = tuple("0123456789")
    shown: tuple[str, ...] = ()


@dataclass(frozen=True)
class SpanValue:
    """Characters ``start`` to ``end`` of a source: passage number ``source`` (from 0), or a message part (source 0).

    Where a demonstration's span is optional, one without text says that this passage is about it and does not tell it.
    """

    source: int
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Span:
    """A run of characters of the passages, or of the message part named ``part``.

    ``optional``: the head may say that it is not there. ``max_tokens`` bounds its length. ``headings``: those of the
    passages of which it names one and reads it; all passages where there are none. ``whole``: what the head copies
    of the message part cuts no word, as it never cuts one of a passage.
    """

    part: str | None = None
    optional: bool = False
    max_tokens: int = 48
    headings: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True)
class Text:
    """Free text of one line, at most ``max_tokens`` tokens."""

    max_tokens: int = 32


@dataclass(frozen=True)
class Number:
    """A number in decimal notation; ``integer`` forbids a fraction."""

    integer: bool = False


@dataclass(frozen=True)
class Grammar:
    """Text that a Lark grammar accepts, in the dialect of llguidance (rule ``start``)."""

    lark: str
    max_tokens: int = 96


@dataclass(frozen=True)
class Earlier:
    """The 1-based position of an item before this one in the enclosing list."""


@dataclass(frozen=True)
class ListOf:
    """Between ``at_least`` and ``at_most`` items; ``distinct`` forbids the same choice twice."""

    item: Field
    at_least: int = 0
    at_most: int = 8
    distinct: bool = False


@dataclass(frozen=True)
class Record:
    """Named fields in the order in which they are decided."""

    fields: tuple[tuple[str, Field], ...]


Field = Choice | Grades | Span | Text | Number | Grammar | Earlier | ListOf | Record
