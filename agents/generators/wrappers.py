"""What people say round a request: why they ask, whom they greet, thanks. It changes nothing of what is asked.

A line of ``texts/wrappers.txt`` is ``kind || We are at a quiz. @``; ``@`` stands for the request. Those of the kind
``named`` name values of a table that have nothing to do with it: ``I come from {*}, my {continent~} accent is bad. @``
"""

from __future__ import annotations

import random
from functools import cache

from .domains import GEOGRAPHY, Domain
from .templates import Template, fill, fits, said, text_of
from .worlds import World

RATE = 0.18
"""Of the examples, those with something said round the request."""
BESIDE = 0.4
"""Of these, those in which it names values that are not asked about."""
#: Round any question, two wants, a wish for a recommendation, a question about countries; the same naming values.
ANY, TWO, TASTE, COUNTRY, NAMED = "any", "two", "taste", "country", "named"
_FIRST = frozenset(
    "a are at by can could did do does find for from give have how i'd in is list name of on show tell the to was what "
    "what's when where which who whose with would".split()
)
"""First words that are no names, so that they can be written small."""


@cache
def read() -> dict[str, tuple[str, ...]]:
    """What is said, by kind. Raises ValueError where a line is of no kind or has no one place for the request."""
    found: dict[str, list[str]] = {kind: [] for kind in (ANY, TWO, TASTE, COUNTRY, NAMED)}
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
    return _put_in(rng.choice([line for kind in kinds for line in read()[kind]]), request)


def beside_the_point(rng: random.Random, request: str, world: World) -> tuple[str, str, str] | None:
    """As :func:`around`, naming values of ``world`` that the request itself does not name; None where that can't be."""
    able = [one for one in (Template(GEOGRAPHY, line, "", "") for line in read()[NAMED]) if fits(one, world)]
    if not able:
        return None
    template = rng.choice(able)
    fillings = fill(rng, world, (template.left,))
    linked = world.index.link(request)
    if any(one.condition in linked or one.words.lower() in request.lower() for one in fillings.values()):
        return None
    return _put_in(said(template.left, fillings), request)


def _put_in(line: str, request: str) -> tuple[str, str, str]:
    before, _, after = line.partition("@")
    if after.startswith((",", ";", " -", " (", ":")) or after[:2].strip().islower():
        request = request.rstrip("?.! ")
    if before.rstrip().endswith((",", ":", "-", "–")) and request.split(" ")[0].lower() in _FIRST:
        request = request[0].lower() + request[1:]
    return before, request, after


def wrapped(rng: random.Random, request: str, *kinds: str) -> str:
    """The request with what is said round it."""
    return "".join(around(rng, request, *kinds))
