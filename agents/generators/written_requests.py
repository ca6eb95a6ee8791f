"""Requests in the words of people who wrote them down, and who answers them."""

from __future__ import annotations

import random
import re
from functools import cache

from .casts import FACTS, FIGURES, TASTE
from .domains import Domain
from .parts import Part, Request
from .templates import SLOT, Template, fill, read, said, world_for
from .worlds import World

FILES = ("planner_country", "planner_things")
_WHO = {"coder": FIGURES, "qa": FACTS, "taste": TASTE}
MARKED = re.compile(r"\[([^\[\]]*)\]")
"""The words of a step in a written request."""
_NO_NEIGHBOURS = re.compile(
    r"continent|money|currency|language|\bpay|spoke|ruled|split|broke|became|colonial|union|\bas\b|used to|outnumber",
    re.IGNORECASE,
)


def request(rng: random.Random, domain: Domain) -> tuple[World, Request] | None:
    """A written request about a world of this domain; None where nobody wrote any."""
    able = read(*FILES).get(domain.one, ())
    if not able:
        return None
    template = rng.choice(able)
    world = world_for(rng, template)
    return world, asked(rng, world, template)


def asked(rng: random.Random, world: World, template: Template) -> Request:
    """The template's request over ``world``. Raises ValueError where its steps and its marks do not agree."""
    fillings = fill(rng, world, (template.right,))
    marked = said(template.right, fillings)
    keep = tuple(filling.words for filling in fillings.values() if filling.condition)
    words = MARKED.findall(marked)
    text = MARKED.sub(r"\1", marked)
    chain = ">" in template.left
    kinds = [_WHO[name.strip()] for name in re.split(r"[>+]", template.left)]
    if len(kinds) == 1:
        return Request(text, (Part(kinds[0], text),), keep)
    if len(words) != len(kinds) - chain:
        raise ValueError(f"{template.where}: {template.left} needs {len(kinds) - chain} marked parts, not {len(words)}")
    if chain:
        words = [*words, text]
    parts = tuple(
        Part(kind, part, (number,) if chain and number else ())
        for number, (kind, part) in enumerate(zip(kinds, words, strict=True))
    )
    return Request(text, parts, keep)


@cache
def first_words(slot: str) -> tuple[str, ...]:
    """What the reader is asked for in the first of two steps, where it is asked by this slot alone.

    Of ``{*}`` those that ask for its neighbours, of ``{region}``, ``{dish}`` and ``{place}`` (a capital) what is there.
    """
    found = []
    for template in read("planner_country")["country"]:
        first, chain, _ = template.left.partition(">")
        words = MARKED.findall(template.right)
        if chain and first.strip() == "qa" and len(words) == 1 and SLOT.findall(words[0]) == SLOT.findall(slot):
            found.append(words[0])
    return tuple(words for words in found if slot != "{*}" or not _NO_NEIGHBOURS.search(words))
