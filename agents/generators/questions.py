"""One question about one table, in many wordings, with its SQL."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from ..sql import NOTHING
from .asking import Pick, Question, a_column, a_noun, make, opening
from .comparisons import either, ratio, superlative, than_named
from .differences import together
from .lore import LORE, ask, ask_in_vain
from .phrases import finish, is_plural
from .sets import Things, add_filter, base, given_set
from .thresholds import add_threshold
from .totals import aggregate, grouped, place_of
from .worlds import World


def names(rng: random.Random, world: World, things: Things) -> Question:
    """The names of the things that a set holds."""
    many, verb = things.many, things.verb
    forms = [
        f"{opening(rng)}the {many}",
        f"{opening(rng)}all {many}",
        f"which {many} are there",
        many,
        f"what {many} do we have",
        f"the names of the {many}",
        f"give the name of every {things.one}",
        f"are there any {many}",
        f"all the {many}",
        f"list of {many}",
        f"I am looking for {many}",
    ]
    if verb:
        asked = [
            f"which {things.before} {verb}",
            f"what {things.before} {verb}",
            f"which of the {things.before} {verb}",
            f"tell me which {things.before} {verb}",
            f"which {things.before} {verb}",
            f"do you know which {things.before} {verb}",
        ]
        forms = forms[: rng.randint(1, len(forms))] + asked * 2
    return make(rng, things, rng.choice(forms), f"SELECT {world.key} FROM {world.table.name}{things.where}")


def attribute_of(rng: random.Random, world: World, things: Things) -> Question | None:
    """One or two attributes of one named thing, or of each of a set."""
    pick = a_column(rng, world, "n", "c", "l") if rng.random() < 0.6 else a_column(rng, world, "n")
    if pick is None:
        return None
    noun = a_noun(rng, pick)
    if things.given or (things.linked and rng.random() < 0.5):
        forms = [
            f"what is the {noun} of {things.many}",
            f"the {noun} of the {things.many}",
            f"{noun} of all {things.many}",
            f"what are the {noun} of the {things.many}",
            f"{opening(rng)}the {noun} of each {things.one}",
            f"for each of the {things.many} the {noun}",
            f"show the {noun} for {things.many}",
        ]
        return make(
            rng, things, rng.choice(forms), f"SELECT {world.key}, {pick[0]} FROM {world.table.name}{things.where}"
        )
    name = rng.choice(world.names)
    condition = f"{world.key} = '{name.replace(chr(39), chr(39) * 2)}'"
    sql = f"SELECT {pick[0]} FROM {world.table.name} WHERE {condition}"
    forms = [
        f"what is the {noun} of {name}",
        f"{name} {noun}",
        f"{noun} of {name}",
        f"{name}'s {noun}",
        f"what {noun} does {name} have",
        f"tell me the {noun} of {name}",
        f"what's {name}'s {noun}",
        f"what is {name}'s {noun}",
        f"give me the {noun} of {name}",
        f"find the {noun} for {name}",
        f"look up the {noun} of the {world.domain.one} {name}",
        f"which {noun} has {name}",
    ]
    if pick[1].kind == "n":
        if is_plural(noun):
            forms += [
                f"how many {noun} does {name} have",
                f"how many {noun} are there in {name}",
                f"how many {noun} has {name}",
            ] * 2
        for word in pick[1].high[:1]:
            forms += [f"how {word} is {name}", f"how {word} is the {world.domain.one} {name}"] * 2
        if noun == "population":
            forms += [f"how many live in {name}", f"how many inhabitants does {name} have"] * 2
            forms += [f"people living in {name}: how many", f"{name}: how many people live there"]
            forms += [f"how many people live inside {name}", f"what number of people lives in {name}"]
    if rng.random() < 0.12:
        return _of_two(rng, world, pick, noun)
    second = a_column(rng, world, "n", "c", "l")
    if second and second[0] != pick[0] and rng.random() < 0.15:
        other = a_noun(rng, second)
        sql = f"SELECT {pick[0]}, {second[0]} FROM {world.table.name} WHERE {condition}"
        forms = [
            f"what are the {noun} and the {other} of {name}",
            f"{noun} and {other} of {name}",
            f"what is the {noun} and {other} of {name}",
            f"tell me the {noun} and the {other} of {name}",
        ]
    return Question(finish(rng, rng.choice(forms)), sql, (condition,), keep=(name,))


def _of_two(rng: random.Random, world: World, pick: Pick, noun: str) -> Question:
    """The same attribute of two named things."""
    a, b = rng.sample(world.names, 2)
    first, second = (f"{world.key} = '{name.replace(chr(39), chr(39) * 2)}'" for name in (a, b))
    forms = [
        f"compare the {noun} of {a} and {b}",
        f"what is the {noun} of {a} and of {b}",
        f"{noun} of {a} and {b}",
        f"what are the {noun} of {a} and {b}",
        f"the {noun} of {a} compared with {b}",
        f"give me the {noun} of both {a} and {b}",
        f"{noun}: {a} and {b}",
    ]
    sql = f"SELECT {world.key}, {pick[0]} FROM {world.table.name} WHERE ( {first} OR {second})"
    return Question(finish(rng, rng.choice(forms)), sql, (first, second), keep=(a, b))


def count(rng: random.Random, world: World, things: Things) -> Question:
    """How many."""
    forms = [
        f"how many {things.many} are there",
        f"number of {things.many}",
        f"count the {things.many}",
        f"what is the number of {things.many}",
        f"how many {things.many} do we have",
        f"how many {things.many}",
        f"the number of {things.many}",
        f"in total, how many {things.many} are there",
        f"count all {things.many}",
    ]
    place = place_of(world, things)
    if place and rng.random() < 0.4:
        many = things.before or world.domain.many
        forms = [
            f"how many {many} does {place} have",
            f"how many {many} are there in {place}",
            f"number of {many} in {place}",
        ]
    elif things.verb:
        forms = forms[: rng.randint(1, 9)] + [f"how many {things.before} {things.verb}"] * 6
    return make(rng, things, rng.choice(forms), f"SELECT COUNT(*) FROM {world.table.name}{things.where}")


def untold(rng: random.Random, world: World, things: Things) -> Question | None:
    """What no column of the table tells: of one thing, of the most, of all."""
    if things.given:
        return None
    known = {noun for attribute in world.columns.values() for noun in attribute.nouns}
    known |= {ident.replace("_", " ") for ident in world.columns}
    absent = [
        (attribute.idents[0], attribute) for attribute in world.domain.attributes
        if attribute.kind != "c" and not known & {*attribute.nouns, *(i.replace("_", " ") for i in attribute.idents)}
    ]  # fmt: skip
    name = rng.choice(world.names)
    draw = rng.random()
    if draw < 0.3 or not absent:
        able = [one for one in LORE if not one.told_by(known)]
        asked = rng.choice(able) if rng.random() < 0.4 else None
        text = ask(rng, asked, name) if asked else ask_in_vain(rng, name)
        return Question(finish(rng, text), NOTHING, keep=(name,))
    pick = rng.choice(absent)
    noun = rng.choice(pick[1].nouns)
    if draw < 0.6:
        forms = [f"what is the {noun} of {name}", f"{noun} of {name}", f"{name}'s {noun}"]
        forms.append(f"tell me the {noun} of {name}")
        if is_plural(noun):
            forms.append(f"how many {noun} does {name} have")
        forms += [f"how {word} is {name}" for word in pick[1].high[:1] if pick[1].kind == "n"]
        return Question(finish(rng, rng.choice(forms)), NOTHING, keep=(name,))
    if pick[1].kind != "n":
        return None
    most = rng.choice(("highest", "lowest", "most", "largest"))
    forms = [
        f"which {things.one} has the {most} {noun}",
        f"{rng.choice(('average', 'total', 'mean'))} {noun} of the {things.many}",
        f"top {rng.choice(('three', '5', 'ten'))} {things.many} by {noun}",
        f"{things.many} with a {noun} of more than {rng.randint(2, 900)}",
    ]
    question = make(rng, things, rng.choice(forms), NOTHING)
    return replace(question, conditions=(), figures=())


Asker = Callable[[random.Random, World, Things], Question | None]


_KINDS: tuple[tuple[Asker, float], ...] = (
    (names, 4.0),
    (attribute_of, 3.0),
    (count, 2.5),
    (aggregate, 3.5),
    (superlative, 4.5),
    (than_named, 1.6),
    (either, 1.0),
    (together, 0.7),
    (grouped, 1.5),
    (ratio, 0.5),
    (untold, 1.5),
)


_ASKERS = [kind for kind, _ in _KINDS]


_WEIGHTS = [weight for _, weight in _KINDS]


def question(rng: random.Random, world: World, given: bool) -> Question | None:
    """A question of a random kind over ``world``, or None where the draw does not fit its columns."""
    asker = rng.choices(_ASKERS, _WEIGHTS)[0]
    things: Things | None = given_set(rng, world) if given else base(world)
    wanted = rng.choices((0, 1, 2), (3, 5, 1.6) if not given else (4, 5, 0.6))[0]
    if asker is names and wanted == 0 and (not given or rng.random() < 0.8):
        wanted = 1
    for _ in range(wanted):
        if things is None:
            return None
        things = add_threshold(rng, world, things) if rng.random() < 0.25 else add_filter(rng, world, things)
    return None if things is None else asker(rng, world, things)


def about(rng: random.Random, world: World, things: Things) -> Question | None:
    """A question about a set that is given in words, perhaps restricted further."""
    wanted: Things | None = things
    asker = rng.choices(_ASKERS, _WEIGHTS)[0]
    if asker is untold or asker in (either, together, attribute_of) and rng.random() < 0.7:
        return None
    for _ in range(1 if asker is names else rng.choice((0, 0, 0, 1))):
        wanted = add_threshold(rng, world, things) if rng.random() < 0.25 else add_filter(rng, world, things)
        if wanted is None:
            return None
    return asker(rng, world, wanted) if wanted is not None else None


def narrowed(rng: random.Random, world: World) -> Things | None:
    """Everything in the table, or a part of it by one value."""
    things = base(world)
    return add_filter(rng, world, things) if rng.random() < 0.55 else things
