"""What people say round a request: why they ask, whom they greet, thanks. It changes nothing of what is asked.

A line of ``texts/wrappers.txt`` is ``kind || We are at a quiz. @``; ``@`` stands for the request.
"""

from __future__ import annotations

import random
from functools import cache

from .domains import GEOGRAPHY, Domain
from .templates import text_of

RATE = 0.18
"""Of the examples, those with something said round the request."""
#: Round any question, round two wants, round a wish for a recommendation, round a question about countries.
ANY, TWO, TASTE, COUNTRY = "any", "two", "taste", "country"
_FIRST = frozenset(
    "a are at by can could did do does find for from give have how i'd in is list name of on show tell the to was what "
    "what's when where which who whose with would".split()
)
"""First words that are no names, so that they can be written small."""


@cache
def read() -> dict[str, tuple[str, ...]]:
    """What is said, by kind. Raises ValueError where a line is of no kind or has no one place for the request."""
    found: dict[str, list[str]] = {kind: [] for kind in (ANY, TWO, TASTE, COUNTRY)}
    for number, line in enumerate(text_of("wrappers").splitlines(), start=1):
        kind, _, said = (part.strip() for part in line.partition("||"))
        if line.strip():
            if kind not in found or said.count("@") != 1:
                raise ValueError(f"wrappers.txt:{number}: {line!r} is no kind || words with one @")
            found[kind].append(said)
    return {kind: tuple(lines) for kind, lines in found.items()}


def questions(domain: Domain) -> tuple[str, ...]:
    """The kinds of what is said round a question about things of ``domain``."""
    return (ANY, COUNTRY) if domain is GEOGRAPHY else (ANY,)


def around(rng: random.Random, request: str, *kinds: str) -> tuple[str, str, str]:
    """What stands before it, the request as it then is written (as long or shorter at its end), what stands after."""
    before, _, after = rng.choice([line for kind in kinds for line in read()[kind]]).partition("@")
    if after.startswith((",", ";", " -", " (", ":")) or after[:2].strip().islower():
        request = request.rstrip("?.! ")
    if before.rstrip().endswith((",", ":", "-", "–")) and request.split(" ")[0].lower() in _FIRST:
        request = request[0].lower() + request[1:]
    return before, request, after


def wrapped(rng: random.Random, request: str, *kinds: str) -> str:
    """The request with what is said round it."""
    return "".join(around(rng, request, *kinds))
