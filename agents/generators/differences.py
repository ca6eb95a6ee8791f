"""By how much one thing has more than another, and what both have together."""

from __future__ import annotations

import random

from .asking import Question, a_column, a_noun, make
from .domains import is_year
from .phrases import degrees, finish, is_plural
from .sets import Things
from .worlds import World


def together(rng: random.Random, world: World, things: Things) -> Question | None:
    """The difference of a figure of two named things, or their sum; of a whole set that of its ends."""
    pick = a_column(rng, world, "n")
    if pick is None:
        return None
    ident, attribute = pick
    noun = a_noun(rng, pick)
    spread = f"SELECT MAX( {ident}) - MIN( {ident}) FROM {world.table.name}"
    if things.given or things.linked or things.figures:
        forms = [
            f"what is the difference between the highest and the lowest {noun} of the {things.many}",
            f"how far apart are the largest and the smallest {noun} among the {things.many}",
            f"range of {noun} over the {things.many}",
        ]
        return make(rng, things, rng.choice(forms), spread + things.where)
    a, b = rng.sample(world.names, 2)
    first, second = (f"{world.key} = '{name.replace(chr(39), chr(39) * 2)}'" for name in (a, b))
    where = f" WHERE ( {first} OR {second})"
    if rng.random() < 0.4 and not is_year(attribute):
        text = rng.choice(_sums(noun, a, b))
        sql = f"SELECT SUM( {ident}) FROM {world.table.name}{where}"
    else:
        adjectives = [*attribute.high, *(word for word in attribute.low if word not in attribute.high)]
        text = rng.choice(_differences(rng, noun, adjectives, a, b))
        sql = spread + where
    return Question(finish(rng, text), sql, (first, second), keep=(a, b))


def _sums(noun: str, a: str, b: str) -> list[str]:
    return [
        f"{noun} of {a} and {b} together", f"what do {a} and {b} have in {noun} taken together",
        f"add up the {noun} of {a} and {b}", f"total {noun} of {a} plus {b}", f"{a} + {b}: {noun} in all",
        f"if {a} and {b} were one, what would the {noun} be", f"sum of the {noun} of {a} and of {b}",
        f"combined {noun} for {a} and {b}", f"{noun} of {a} plus that of {b}",
    ]  # fmt: skip


def _differences(rng: random.Random, noun: str, adjectives: list[str], a: str, b: str) -> list[str]:
    forms = [
        f"difference in {noun} between {a} and {b}", f"what is the difference between {a} and {b} in {noun}",
        f"by how much do {a} and {b} differ in {noun}", f"how far apart are {a} and {b} in {noun}",
        f"{noun} of {a} minus {noun} of {b}", f"from the {noun} of {a} subtract that of {b}",
        f"how many more {noun} has {a} than {b}" if is_plural(noun) else f"how much higher is {a}'s {noun} than {b}'s",
        f"{a} against {b}: the gap in {noun}", f"by what margin does {a} lead {b} in {noun}",
    ]  # fmt: skip
    if adjectives:
        more = degrees(rng.choice(adjectives))[0]
        forms += [f"how much {more} is {a} than {b}", f"by how much is {a} {more} than {b}"] * 2
    return forms
