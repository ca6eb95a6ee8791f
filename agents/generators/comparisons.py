"""Questions that compare: most and least, more than another, one or the other, so much per so much."""

from __future__ import annotations

import random

from .asking import Pick, Question, a_column, a_noun, make, opening
from .domains import is_year
from .phrases import degrees, finish, is_plural, lowest, singular, small
from .places_in_order import placed
from .sets import Things
from .worlds import World


def _extreme(rng: random.Random, pick: Pick) -> tuple[str, str, str]:
    """Superlative, or "" for a column without one; the words around the noun; DESC or nothing."""
    ident, attribute = pick
    up = rng.random() < 0.62
    noun = a_noun(rng, pick)
    adjectives = attribute.high if up else attribute.low
    if adjectives and rng.random() < 0.7:
        adjective = rng.choice(adjectives)
        least = not up and adjective in attribute.high
        best = (lowest(adjective) if least else degrees(adjective))[1]
        return best, noun, " DESC" if up else ""
    most = ("highest", "largest", "greatest", "biggest", "top") if up else ("lowest", "smallest", "least")
    if is_year(attribute):
        most = ("latest", "most recent", "last") if up else ("earliest", "first", "oldest")
    if is_plural(noun):
        most = ("most", "most", "highest number of") if up else ("fewest", "least", "lowest number of")
    return "", f"the {rng.choice(most)} {noun}", " DESC" if up else ""


def _extreme_of(rng: random.Random, pick: Pick, things: Things) -> tuple[str, str, str, str, str]:
    """As :func:`_extreme`, with the noun phrases, which may name the figure: the largest *country by population*."""
    if is_year(pick[1]) or rng.random() > 0.1:
        return *_extreme(rng, pick), things.one, things.many
    up, noun = rng.random() < 0.7, a_noun(rng, pick)
    best = rng.choice(("largest", "biggest", "largest", "top") if up else ("smallest", "lowest"))
    return best, noun, " DESC" if up else "", f"{things.one} by {noun}", f"{things.many} by {noun}"


def extreme_phrase(rng: random.Random, world: World, things: Things, several: bool = False) -> str | None:
    """``the largest country of Asia``, ``the two longest rivers``."""
    pick = a_column(rng, world, "n")
    if pick is None:
        return None
    best, noun, _, one, many = _extreme_of(rng, pick, things)
    if several:
        w = small(rng, rng.choice((2, 2, 3, 3, 4, 5)))
        return f"the {w} {best} {many}" if best else f"the {w} {many} with {noun}"
    return f"the {best} {one}" if best else f"the {one} with {noun}"


def superlative(rng: random.Random, world: World, things: Things) -> Question | None:
    """The thing, or the n things, with most or least of something; or an attribute of it."""
    pick = a_column(rng, world, "n")
    if pick is None:
        return None
    best, noun, down, one, many = _extreme_of(rng, pick, things)
    table = f"FROM {world.table.name}{things.where}"
    if rng.random() < 0.28:
        n = rng.choice((2, 3, 3, 4, 5, 5, 10))
        w = small(rng, n)
        forms = (
            [
                f"what are the {w} {best} {many}",
                f"the {w} {best} {many}",
                f"{opening(rng)}the {w} {best} {many}",
                f"top {w} {best} {many}",
                f"which are the {w} {best} {many}",
                f"{w} {best} {many}",
                f"which {w} {many} are the {best}",
            ]
            if best
            else [
                f"the {w} {many} with {noun}",
                f"which {w} {many} have {noun}",
                f"{opening(rng)}the {w} {many} with {noun}",
                f"top {w} {many} by {a_noun(rng, pick)}" if down else f"the {w} {many} with {noun}",
            ]
        )
        sql = f"SELECT {world.key} {table} ORDER BY {pick[0]}{down} LIMIT {n}"
        return make(rng, things, rng.choice(forms), sql, (str(n),))
    shown, asked = world.key, None
    if best and rng.random() < 0.22:
        return placed(rng, world, things, pick, (best, down, one, many))
    if rng.random() < 0.22:
        asked = a_column(rng, world, "n", "c", "l")
    phrase = f"{best} {one}" if best else f"{one} with {noun}"
    if asked and asked[0] != pick[0]:
        other = a_noun(rng, asked)
        shown = asked[0]
        forms = [
            f"what is the {other} of the {phrase}",
            f"{other} of the {phrase}",
            f"what's the {other} of the {phrase}",
            f"give me the {other} of the {phrase}",
            f"the {phrase}: what is its {other}",
            f"the {phrase}'s {other}",
        ]
    elif best:
        forms = [
            f"which {one} is the {best}",
            f"what is the {best} {one}",
            f"{best} {one}",
            f"the {best} {one}",
            f"which is the {best} {one}",
            f"which of the {many} is the {best}",
            f"what's the {best} {one}",
            f"find the {best} {one}",
            f"name the {best} {one}",
            f"which of the {many} is {best}",
            f"tell me the {best} of the {many}",
            f"what {one} is the {best}",
            f"which one of the {many} is the {best}",
        ]
    else:
        forms = [
            f"which {one} has {noun}",
            f"what {one} has {noun}",
            f"{one} with {noun}",
            f"the {one} with {noun}",
            f"which of the {many} has {noun}",
            f"which {one} has got {noun}",
            f"who has {noun} among the {many}",
            f"name the {one} with {noun}",
            f"what is the {one} with {noun}",
        ]
    return make(rng, things, rng.choice(forms), f"SELECT {shown} {table} ORDER BY {pick[0]}{down} LIMIT 1")


def than_named(rng: random.Random, world: World, things: Things) -> Question | None:
    """Compared with a named thing, or with the average."""
    pick = a_column(rng, world, "n")
    if pick is None:
        return None
    up, noun, name = rng.random() < 0.6, a_noun(rng, pick), rng.choice(world.names)
    condition = f"{world.key} = '{name.replace(chr(39), chr(39) * 2)}'"
    inner = f"(SELECT {pick[0]} FROM {world.table.name} WHERE {condition})"
    needed: tuple[str, ...] = (condition,)
    if rng.random() < 0.25:
        name, needed = rng.choice(("average", "the average", "the mean")), ()
        inner = f"(SELECT AVG( {pick[0]}) FROM {world.table.name})"
    adjectives = pick[1].high if up else pick[1].low
    who = rng.choice(
        (
            f"which {things.many} are",
            f"{things.many} that are",
            f"list the {things.many} that are",
            f"what {things.many} are",
            f"find {things.many}",
            f"{things.many}",
        )
    )
    counting = rng.random() < 0.25
    if counting:
        who = rng.choice(
            (f"how many {things.many} are", f"number of {things.many} that are", f"count the {things.many}")
        )
    if adjectives and rng.random() < 0.75:
        more = degrees(adjectives[0])[0] if not (not up and adjectives[0] in pick[1].high) else lowest(adjectives[0])[0]
        text = f"{who} {more} than {name}"
    else:
        having = who.replace(" that are", " that have").removesuffix(" are") + (
            " have" if who.endswith(" are") and "that" not in who else ""
        )
        having = having if having.endswith("have") else having + " with"
        how = (
            rng.choice(("more", "a higher number of") if up else ("fewer", "less"))
            if is_plural(noun)
            else rng.choice(("a higher", "a larger", "a greater") if up else ("a lower", "a smaller"))
        )
        text = f"{having} {how} {noun} than {name}"
    shown = "COUNT(*)" if counting else world.key
    where = f"{things.where} AND " if things.where else " WHERE "
    sql = f"SELECT {shown} FROM {world.table.name}{where}{pick[0]} {'>' if up else '<'} {inner}"
    return make(rng, things, text, sql, extra=needed)


def either(rng: random.Random, world: World, things: Things) -> Question | None:
    """Which of two named things has more."""
    pick = a_column(rng, world, "n")
    if pick is None or things.given or things.linked or things.figures:
        return None
    a, b = rng.sample(world.names, 2)
    first, second = (f"{world.key} = '{name.replace(chr(39), chr(39) * 2)}'" for name in (a, b))
    up, noun = rng.random() < 0.65, a_noun(rng, pick)
    adjectives = pick[1].high if up else pick[1].low
    one = world.domain.one
    if adjectives and rng.random() < 0.75 and not (not up and adjectives[0] in pick[1].high):
        more, most = degrees(rng.choice(adjectives))
        forms = [
            f"which is {more}, {a} or {b}",
            f"which {one} is {more}, {a} or {b}",
            f"is {a} or {b} {more}",
            f"{a} or {b}: which is {more}",
            f"{a} or {b}, which one is {more}",
            f"{a} or {b} - who is {more}",
            f"which one is the {more} of the two, {a} or {b}",
            f"between {a} and {b}, which is {more}",
            f"of {a} and {b}, name the {more} one",
            f"{a} versus {b}: the {most} one please",
            f"who is {more}, {a} or {b}",
            f"what is {more}: {a} or {b}",
            f"which of {a} and {b} is the {most}",
            f"is {a} {more} than {b}",
            f"is {a} {more} than {b}",
        ]
    else:
        m = ("more" if up else "fewer") if is_plural(noun) else ("the higher" if up else "the lower")
        forms = [
            f"which {one} has {m} {noun}, {a} or {b}",
            f"who has {m} {noun}: {a} or {b}",
            f"does {a} or {b} have {m} {noun}",
            f"{a} or {b}: which has {m} {noun}",
            f"between {a} and {b}, which has {m} {noun}",
            f"of {a} and {b}, which {one} has {m} {noun}",
            f"compare {a} with {b}: who has {m} {noun}",
            f"does {a} have {m} {noun} than {b}"
            if is_plural(noun)
            else f"does {a} have a {m.split()[-1]} {noun} than {b}",
        ]
    sql = (
        f"SELECT {world.key} FROM {world.table.name} WHERE ( {first} OR {second})"
        f" ORDER BY {pick[0]}{' DESC' if up else ''} LIMIT 1"
    )
    return Question(finish(rng, rng.choice(forms)), sql, (first, second), keep=(a, b))


def _density(rng: random.Random, world: World) -> Question:
    """The population density of one country."""
    name = rng.choice(world.names)
    condition = f"{world.key} = '{name.replace(chr(39), chr(39) * 2)}'"
    forms = [
        f"what is the population density of {name}",
        f"population density of {name}",
        f"how densely populated is {name}",
        f"how many people per km2 live in {name}",
        f"{name}'s population density",
        f"how dense is the population of {name}",
    ]
    sql = f"SELECT population * 1.0 / area_km2 FROM {world.table.name} WHERE {condition}"
    return Question(finish(rng, rng.choice(forms)), sql, (condition,), keep=(name,))


def ratio(rng: random.Random, world: World, things: Things) -> Question | None:
    """Most or least of one figure per unit of another."""
    numeric = [ident for ident in world.of_kind("n") if not is_year(world.columns[ident])]
    if len(numeric) < 2:
        return None
    dense = "population" in numeric and "area_km2" in numeric and rng.random() < 0.8
    if dense and not things.where and rng.random() < 0.3:
        return _density(rng, world)
    a, b = ("population", "area_km2") if dense else rng.sample(numeric, 2)
    up = rng.random() < 0.7
    na, nb = a_noun(rng, (a, world.columns[a])), singular(a_noun(rng, (b, world.columns[b])))
    most = rng.choice(("most", "highest", "largest") if up else ("least", "lowest", "smallest"))
    forms = [
        f"which {things.one} has the {most} {na} per {nb}",
        f"{things.one} with the {most} {na} per {nb}",
        f"which of the {things.many} has the {most} {na} for its {nb}",
    ]
    if dense:
        d = "most densely" if up else rng.choice(("least densely", "most sparsely"))
        forms = [
            f"what is the {d} populated {things.one}",
            f"which {things.one} is the {d} populated",
            f"which {things.one} has the {'highest' if up else 'lowest'} population density",
            f"the {d} populated of the {things.many}",
        ]
    sql = (
        f"SELECT {world.key} FROM {world.table.name}{things.where} ORDER BY {a} * 1.0 / {b}"
        f"{' DESC' if up else ''} LIMIT 1"
    )
    return make(rng, things, rng.choice(forms), sql)
