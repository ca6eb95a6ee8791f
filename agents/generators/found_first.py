"""Whole requests put to the reader: about a named country, or about one that an earlier step has found.

A line is ``dish || what do [the most crowded of {continent}] eat``: the kind of fact that is asked for, and the
request as somebody wrote it for the planner. Where it has a mark, what the mark stands for is given, as in a plan whose
last step reads the whole request; else it is about ``{*}``.
"""

from __future__ import annotations

import random
from functools import cache

from ...core.prompts import Example
from . import written_facts, written_passages
from .templates import Template, fill, read, said, world_for
from .written_requests import MARKED

FILE = "facts_country"


@cache
def _templates() -> tuple[Template, ...]:
    """All lines. Raises ValueError where one is neither about a named country nor about one that was found."""
    found = tuple(template for templates in read(FILE).values() for template in templates)
    for template in found:
        if len(MARKED.findall(template.right)) != ("{*}" not in template.right or "[" in template.right):
            raise ValueError(f"{template.where}: {template.right!r} needs one name or one mark")
        if template.left not in written_facts.KINDS and not _telling(template.left):
            raise ValueError(f"{template.where}: no text and no fact tells {template.left!r}")
    return found


@cache
def _telling(kind: str) -> tuple[written_passages.Told, ...]:
    """The texts about places that tell this."""
    return tuple(told for told in written_passages.read() if told.places and kind in told.values)


def example(rng: random.Random) -> Example:
    """One request with the evidence for it: a text that tells it, or a fact of the graph."""
    template = rng.choice(_templates())
    fillings = fill(rng, world_for(rng, template), (template.right,))
    request = MARKED.sub(r"\1", said(template.right, fillings))
    kind = template.left
    given: tuple[str, ...] = ()
    if "[" in template.right:
        places = [told for told in written_passages.read() if told.places]
        name = written_passages.name_for(rng, rng.choice(places))
        while name in request:
            name = written_passages.name_for(rng, rng.choice(places))
        given = (name,)
    else:
        name = fillings["{*}"].words
    if kind in written_facts.KINDS and (rng.random() < 0.5 or not _telling(kind)):
        return written_facts.asked(rng, kind, name, request, given)
    return written_passages.asked(rng, rng.choice(_telling(kind)), kind, name, request, given)
