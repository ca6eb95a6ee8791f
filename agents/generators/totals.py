"""Questions for one figure about many: averages, sums, and figures for each value of a column."""

from __future__ import annotations

import random

from .asking import Question, a_column, a_noun, make
from .domains import is_year
from .phrases import finish, is_plural
from .sets import Things
from .worlds import World

_AVERAGES = ("average", "average", "mean", "avg", "typical")


def aggregate(rng: random.Random, world: World, things: Things) -> Question | None:
    """Average, total, least or greatest figure of a set."""
    pick = a_column(rng, world, "n")
    if pick is None:
        return None
    noun, many = a_noun(rng, pick), things.many
    if not things.where and rng.random() < 0.25 and not is_year(pick[1]):
        return _of_both(rng, world, pick[0], noun)
    name = rng.choice(("AVG", "AVG", "SUM", "SUM", "MAX", "MIN"))
    if is_year(pick[1]) and name == "SUM":
        return None
    word = {
        "AVG": _AVERAGES,
        "SUM": ("total", "total", "combined", "summed", "overall"),
        "MAX": ("highest", "largest", "maximum", "greatest", "biggest"),
        "MIN": ("lowest", "smallest", "minimum", "least"),
    }[name]
    w = rng.choice(word)
    of = rng.choice(
        ("of the", "of the", "of all", "of", "for", "for the", "among the", "across the", "in the", "over all")
    )
    forms = [
        f"what is the {w} {noun} {of} {many}",
        f"{w} {noun} {of} {many}",
        f"what's the {w} {noun} {of} {many}",
        f"the {w} {noun} {of} {many}",
        f"{rng.choice(('compute', 'calculate', 'give me', 'find', 'show', 'tell me'))} the {w} {noun} {of} {many}",
        f"I need the {w} {noun} {of} {many}",
    ]
    if name == "AVG":
        forms += [f"{noun} of the {many} on average", f"on average, what is the {noun} of the {many}"]
        forms += [f"how {adjective} are the {many} on average" for adjective in pick[1].high[:1]]
        if is_plural(noun):
            forms += [
                f"how many {noun} do the {many} have on average",
                f"how many {noun} does the average {things.one} have",
            ]
    if name == "SUM":
        forms += [
            f"sum of the {noun} of the {many}",
            f"{noun} of the {many} in total",
            f"{noun} of all {many} together",
            f"add up the {noun} of the {many}",
            f"what is the {noun} of the {many} taken together",
        ]
        if is_plural(noun):
            forms += [
                f"how many {noun} do the {many} have {rng.choice(('in total', 'together', 'altogether', 'combined'))}"
            ] * 2
        if noun in ("population", "people", "inhabitants"):
            forms += [f"how many live in the {many}", f"how many people have the {many} altogether"] * 2
    where = place_of(world, things)
    if where and name in ("SUM", "AVG") and rng.random() < 0.6:
        forms = [f"what is the {w} {noun} of {where}", f"{w} {noun} of {where}", f"the {w} {noun} in {where}"]
        if name == "SUM" and noun in (
            "population",
            "people",
            "inhabitants",
            "number of people",
            "number of inhabitants",
        ):
            forms += [f"how many live in {where}", f"how many people live inside {where}"] * 2
        if name == "SUM" and is_plural(noun):
            forms += [f"how many {noun} does {where} have in total", f"how many {noun} are there in {where} in total"]
    return make(rng, things, rng.choice(forms), f"SELECT {name}( {pick[0]}) FROM {world.table.name}{things.where}")


def _of_both(rng: random.Random, world: World, column: str, noun: str) -> Question:
    """The sum or the average of a figure over two or three named things."""
    names = rng.sample(world.names, min(len(world.names), rng.choice((2, 2, 2, 3))))
    conditions = tuple(f"{world.key} = '{name.replace(chr(39), chr(39) * 2)}'" for name in names)
    listed = ", ".join(names[:-1]) + f" and {names[-1]}"
    summed = rng.random() < 0.75
    forms = [
        f"total {noun} of {listed}",
        f"what is the {noun} of {listed} together",
        f"{noun} of {listed} combined",
        f"add the {noun} of {listed}",
        f"what do {listed} have in {noun}, added up",
        f"{listed}: {noun} in total",
        f"the sum of the {noun} of {listed}",
        f"how much {noun} do {listed} have together",
        f"put together, what is the {noun} of {listed}",
    ]
    if is_plural(noun):
        forms += [f"how many {noun} do {listed} have between them", f"how many {noun} have {listed} altogether"] * 2
    if noun in ("population", "inhabitants", "people"):
        forms += [f"how many people have {listed} together", f"combined, how many live in {listed}"] * 2
    if not summed:
        forms = [
            f"average {noun} of {listed}",
            f"what is the mean {noun} of {listed}",
            f"on average, what is the {noun} of {listed}",
            f"the {noun} of {listed} on average",
        ]
    sql = f"SELECT {'SUM' if summed else 'AVG'}( {column}) FROM {world.table.name} WHERE ( {' OR '.join(conditions)})"
    return Question(finish(rng, rng.choice(forms)), sql, conditions, keep=tuple(names))


def place_of(world: World, things: Things) -> str:
    """The one place that the set lies in, where nothing else restricts it, so that a total is a total of the place."""
    if len(things.linked) != 1 or things.given or things.tests or things.joined or " or " in things.keep[-1]:
        return ""
    ident = things.linked[0].split(" ")[0]
    attribute = world.columns.get(ident)
    return things.keep[-1] if attribute and attribute.phrases and "@ in {v}" in attribute.phrases else ""


def grouped(rng: random.Random, world: World, things: Things) -> Question | None:
    """A figure for each value of a column, the value with most of it, or the different values."""
    by = a_column(rng, world, "c")
    if by is None or set(by[1].values) == {"yes", "no"}:
        return None
    noun, table = a_noun(rng, by), f"FROM {world.table.name}{things.where}"
    draw = rng.random()
    if draw < 0.3:
        forms = [
            f"how many {things.many} are there per {noun}",
            f"number of {things.many} per {noun}",
            f"number of {things.many} by {noun}",
            f"how many {things.many} for each {noun}",
            f"{things.many} per {noun}",
            f"count the {things.many} of each {noun}",
            f"how many {things.many} does each {noun} have",
        ]
        return make(rng, things, rng.choice(forms), f"SELECT {by[0]}, COUNT(*) {table} GROUP BY {by[0]}")
    if draw < 0.5:
        up = rng.random() < 0.75
        most = rng.choice(("most", "highest number of", "largest number of") if up else ("fewest", "lowest number of"))
        forms = [
            f"which {noun} has the {most} {things.many}",
            f"{noun} with the {most} {things.many}",
            f"what {noun} has the {most} {things.many}",
        ]
        if up:
            forms.append(f"what is the most common {noun} of the {things.many}")
        sql = f"SELECT {by[0]} {table} GROUP BY {by[0]} ORDER BY COUNT(*){' DESC' if up else ''} LIMIT 1"
        return make(rng, things, rng.choice(forms), sql)
    if draw < 0.7:
        pick = a_column(rng, world, "n")
        if pick is None:
            return None
        name, w = rng.choice(
            (("AVG", "average"), ("AVG", "mean"), ("SUM", "total"), ("MAX", "highest"), ("MIN", "lowest"))
        )
        if name == "SUM" and is_year(pick[1]):
            return None
        figure_noun = a_noun(rng, pick)
        forms = [
            f"{w} {figure_noun} of the {things.many} per {noun}",
            f"what is the {w} {figure_noun} per {noun} of the {things.many}",
            f"{w} {figure_noun} of {things.many} by {noun}",
            f"the {w} {figure_noun} of the {things.many} for each {noun}",
        ]
        return make(rng, things, rng.choice(forms), f"SELECT {by[0]}, {name}( {pick[0]}) {table} GROUP BY {by[0]}")
    if draw < 0.85:
        forms = [
            f"how many different {noun} values do the {things.many} have",
            f"how many different {noun}s are there among the {things.many}",
            f"number of distinct {noun}s of the {things.many}",
            f"how many {noun}s do the {things.many} have",
            f"how many distinct {noun}s do {things.many} have in all",
            f"count the different {noun}s of the {things.many}",
            f"how many kinds of {noun} are there among {things.many}",
        ]
        place = place_of(world, things)
        if place and not things.linked[0].startswith(f"{by[0]} "):
            forms += [
                f"how many different {noun}s are there in {place}",
                f"number of different {noun}s in {place}",
                f"how many {noun}s does {place} have",
                f"how many distinct {noun}s can be found in {place}",
            ] * 2
        return make(rng, things, rng.choice(forms), f"SELECT COUNT(DISTINCT {by[0]}) {table}")
    forms = [
        f"which different {noun}s do the {things.many} have",
        f"list the different {noun}s of the {things.many}",
        f"what {noun}s are there among the {things.many}",
        f"all {noun}s of the {things.many}, each once",
    ]
    return make(rng, things, rng.choice(forms), f"SELECT DISTINCT {by[0]} {table}")
