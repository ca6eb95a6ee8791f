"""Whole requests put to the reader: about a named country, or about one that an earlier step has found.

A line is ``dish || what do [the most crowded of {continent}] eat``: the kind of fact that is asked for, and the
request as somebody wrote it for the planner. Where it has a mark, what the mark stands for is given, as in a plan whose
last step reads the whole request; else it is about ``{*}``. ``{place}`` is its capital and ``{*2}`` another country,
both named by the way: what is known of them stands in the evidence too. ``-``: nothing tells this.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from functools import cache, lru_cache

from ...core.prompts import Example, Passage
from ..qa import fact_passage
from . import composed_requests, written_facts, written_passages
from .templates import SLOT, Template, fill, read, said, world_for
from .written_requests import MARKED

FILES = ("facts_country", "facts_named")
UNTOLD = "-"
_WORDS = re.compile(r"[^\W\d_]{4,}")
_CHAINED = 0.4  # of the requests, those that follow what an earlier step found
_COMPOSED = 0.5  # of these, those that ask a question about a named country of one that was found


@cache
def _templates() -> tuple[Template, ...]:
    """All lines. Raises ValueError where one is neither about a named country nor about one that was found."""
    found = tuple(template for templates in read(*FILES).values() for template in templates)
    for template in found:
        if len(MARKED.findall(template.right)) != ("{*}" not in template.right or "[" in template.right):
            raise ValueError(f"{template.where}: {template.right!r} needs one name or one mark")
        if template.left not in (*written_facts.KINDS, UNTOLD) and not _telling(template.left):
            raise ValueError(f"{template.where}: no text and no fact tells {template.left!r}")
    return found


@cache
def _telling(kind: str) -> tuple[written_passages.Told, ...]:
    """The texts about places that tell this."""
    return tuple(told for told in written_passages.read() if told.places and kind in told.values)


@cache
def _places() -> tuple[written_passages.Told, ...]:
    """The texts about places."""
    return tuple(told for told in written_passages.read() if told.places)


@cache
def _rare() -> frozenset[str]:
    """The words that stand in some of the texts about places, and in few of them."""
    counts = Counter(word for told in _places() for word in set(_WORDS.findall(told.text.lower())))
    return frozenset(word for word, count in counts.items() if count < 0.1 * len(_places()))


@lru_cache(2048)
def _silent(template: Template) -> tuple[written_passages.Told, ...]:
    """The texts about places that have none of the telling words of a question: they do not answer it."""
    words = set(_WORDS.findall(SLOT.sub(" ", template.right).lower())) & _rare()
    return tuple(told for told in _places() if not words & set(_WORDS.findall(told.text.lower())))


def example(rng: random.Random) -> Example:
    """One request with the evidence for it: a text that tells it, or a fact of the graph."""
    chained = rng.random() < _CHAINED
    template = rng.choice([one for one in _templates() if ("[" in one.right) == chained])
    if chained and rng.random() < _COMPOSED:
        template = composed_requests.of_found(rng)
    fillings = fill(rng, world_for(rng, template), (template.right,))
    request = MARKED.sub(r"\1", said(template.right, fillings))
    kind = template.left
    given: tuple[str, ...] = ()
    if "[" in template.right:
        name = written_passages.name_for(rng, rng.choice(_places()))
        while name in request:
            name = written_passages.name_for(rng, rng.choice(_places()))
        given = (name,)
    else:
        name = fillings["{*}"].words
    beside: list[Passage] = []
    if "{place}" in fillings and rng.random() < 0.8:
        beside.append(fact_passage(fillings["{place}"].words, "capital of", [name]))
    if "{*2}" in fillings and rng.random() < 0.8:
        beside += written_passages.facts(rng, fillings["{*2}"].words)[: rng.randint(1, 3)]
    if kind in written_facts.KINDS and (rng.random() < 0.5 or not _telling(kind)):
        return written_facts.asked(rng, kind, name, request, given, beside)
    told = rng.choice(_telling(kind) if kind != UNTOLD else _silent(template))
    return written_passages.asked(rng, told, kind, name, request, given, beside)
