"""Questions for the second, the third …: a place in an order."""

from __future__ import annotations

import random

from .asking import Pick, Question, a_noun, make, opening
from .sets import Things
from .worlds import World

_ORDINALS = {2: ("second", "second", "2nd"), 3: ("third", "third", "3rd"), 4: ("fourth", "4th"), 5: ("fifth", "5th")}


def placed(
    rng: random.Random, world: World, things: Things, pick: Pick, words: tuple[str, str, str, str]
) -> Question:
    """The second, the third …: the thing, or its figure."""
    best, down, one, many = words
    place = rng.choice((2, 2, 2, 3, 3, 4, 5))
    nth = rng.choice(_ORDINALS[place]) + rng.choice((" ", " ", " ", "-")) + best
    figure = rng.random() < 0.15
    forms = [
        f"which {one} is the {nth}",
        f"what is the {nth} {one}",
        f"the {nth} {one}",
        f"{nth} {one}",
        f"name the {nth} {one}",
        f"which is the {nth} of the {many}",
        f"of the {many}, which is the {nth}",
        f"{opening(rng)}the {nth} {one}",
        f"who comes as the {nth} of all {many}",
    ]
    if figure:
        noun = a_noun(rng, pick)
        forms = [f"what is the {noun} of the {nth} {one}", f"{noun} of the {nth} {one}"]
    shown = pick[0] if figure else world.key
    sql = f"SELECT {shown} FROM {world.table.name}{things.where} ORDER BY {pick[0]}{down} LIMIT 1 OFFSET {place - 1}"
    return make(rng, things, rng.choice(forms), sql)
