"""One question about one table, in many wordings, with its SQL."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from .phrases import article, degrees, figure, finish, is_plural, lowest, singular, small
from .sets import Things, add_filter, add_threshold, base, given_set, nice
from .worlds import Attribute, World, is_year


@dataclass(frozen=True)
class Question:
    """``conditions`` and ``figures`` must be found by the linker; ``keep``: words that must not be misspelt."""

    text: str
    sql: str
    conditions: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


Pick = tuple[str, Attribute]


def _column(rng: random.Random, world: World, *kinds: str) -> Pick | None:
    idents = world.of_kind(*kinds)
    if not idents:
        return None
    ident = rng.choice(idents)
    return ident, world.columns[ident]


def _noun(rng: random.Random, pick: Pick) -> str:
    ident, attribute = pick
    return rng.choice(attribute.nouns) if rng.random() < 0.85 else ident.replace("_", " ")


def _make(rng: random.Random, things: Things, text: str, sql: str, figures: tuple[str, ...] = (),
          question: bool = True, extra: tuple[str, ...] = ()) -> Question:
    return Question(finish(rng, text, question), sql, (*things.linked, *extra), (*things.figures, *figures),
                    things.given, things.keep)


def _opening(rng: random.Random) -> str:
    return rng.choice(("list ", "name ", "show ", "show me ", "give me ", "find ", "tell me ", "I want ", "get ",
                       "which are ", "what are ", "who or what are ", "", ""))


def names(rng: random.Random, world: World, things: Things) -> Question:
    """The names of the things that a set holds."""
    many, verb = things.many, things.verb
    forms = [f"{_opening(rng)}the {many}", f"{_opening(rng)}all {many}", f"which {many} are there", many,
             f"what {many} do we have", f"the names of the {many}", f"give the name of every {things.one}",
             f"are there any {many}", f"all the {many}", f"list of {many}", f"I am looking for {many}"]
    if verb:
        asked = [f"which {things.before} {verb}", f"what {things.before} {verb}", f"which of the {things.before} {verb}",
                 f"tell me which {things.before} {verb}", f"which {things.before} {verb}", f"do you know which {things.before} {verb}"]
        forms = forms[: rng.randint(1, len(forms))] + asked * 2
    return _make(rng, things, rng.choice(forms), f"SELECT {world.key} FROM {world.table.name}{things.where}")


def attribute_of(rng: random.Random, world: World, things: Things) -> Question | None:
    """One or two attributes of one named thing, or of each of a set."""
    pick = _column(rng, world, "n", "c", "l") if rng.random() < 0.6 else _column(rng, world, "n")
    if pick is None:
        return None
    noun = _noun(rng, pick)
    if things.given or (things.linked and rng.random() < 0.5):
        forms = [f"what is the {noun} of {things.many}", f"the {noun} of the {things.many}", f"{noun} of all {things.many}",
                 f"what are the {noun} of the {things.many}", f"{_opening(rng)}the {noun} of each {things.one}",
                 f"for each of the {things.many} the {noun}", f"show the {noun} for {things.many}"]
        return _make(rng, things, rng.choice(forms), f"SELECT {world.key}, {pick[0]} FROM {world.table.name}{things.where}")
    name = rng.choice(world.names)
    condition = f"{world.key} = '{name.replace(chr(39), chr(39) * 2)}'"
    sql = f"SELECT {pick[0]} FROM {world.table.name} WHERE {condition}"
    forms = [f"what is the {noun} of {name}", f"{name} {noun}", f"{noun} of {name}", f"{name}'s {noun}",
             f"what {noun} does {name} have", f"tell me the {noun} of {name}", f"what's {name}'s {noun}",
             f"what is {name}'s {noun}", f"give me the {noun} of {name}", f"find the {noun} for {name}",
             f"look up the {noun} of the {world.domain.one} {name}", f"which {noun} has {name}"]
    if pick[1].kind == "n":
        if is_plural(noun):
            forms += [f"how many {noun} does {name} have", f"how many {noun} are there in {name}",
                      f"how many {noun} has {name}"] * 2
        for word in pick[1].high[:1]:
            forms += [f"how {word} is {name}", f"how {word} is the {world.domain.one} {name}"] * 2
        if noun == "population":
            forms += [f"how many people live in {name}", f"how many inhabitants does {name} have"] * 2
    second = _column(rng, world, "n", "c", "l")
    if second and second[0] != pick[0] and rng.random() < 0.15:
        other = _noun(rng, second)
        sql = f"SELECT {pick[0]}, {second[0]} FROM {world.table.name} WHERE {condition}"
        forms = [f"what are the {noun} and the {other} of {name}", f"{noun} and {other} of {name}",
                 f"what is the {noun} and {other} of {name}", f"tell me the {noun} and the {other} of {name}"]
    return Question(finish(rng, rng.choice(forms)), sql, (condition,), keep=(name,))


def count(rng: random.Random, world: World, things: Things) -> Question:
    """How many."""
    forms = [f"how many {things.many} are there", f"number of {things.many}", f"count the {things.many}",
             f"what is the number of {things.many}", f"how many {things.many} do we have", f"how many {things.many}",
             f"the number of {things.many}", f"in total, how many {things.many} are there", f"count all {things.many}"]
    if things.verb:
        forms = forms[: rng.randint(1, 9)] + [f"how many {things.before} {things.verb}"] * 6
    return _make(rng, things, rng.choice(forms), f"SELECT COUNT(*) FROM {world.table.name}{things.where}")


_AVERAGES = ("average", "average", "mean", "avg", "typical")


def aggregate(rng: random.Random, world: World, things: Things) -> Question | None:
    """Average, total, least or greatest figure of a set."""
    pick = _column(rng, world, "n")
    if pick is None:
        return None
    noun, many = _noun(rng, pick), things.many
    name = rng.choice(("AVG", "AVG", "SUM", "SUM", "MAX", "MIN"))
    if is_year(pick[1]) and name == "SUM":
        return None
    word = {"AVG": _AVERAGES, "SUM": ("total", "total", "combined", "summed", "overall"),
            "MAX": ("highest", "largest", "maximum", "greatest", "biggest"),
            "MIN": ("lowest", "smallest", "minimum", "least")}[name]
    w = rng.choice(word)
    of = rng.choice(("of the", "of the", "of all", "of", "for", "for the", "among the", "across the", "in the", "over all"))
    forms = [f"what is the {w} {noun} {of} {many}", f"{w} {noun} {of} {many}", f"what's the {w} {noun} {of} {many}",
             f"the {w} {noun} {of} {many}", f"{rng.choice(('compute', 'calculate', 'give me', 'find', 'show', 'tell me'))} "
             f"the {w} {noun} {of} {many}", f"I need the {w} {noun} {of} {many}"]
    if name == "AVG":
        forms += [f"{noun} of the {many} on average", f"on average, what is the {noun} of the {many}"]
        forms += [f"how {adjective} are the {many} on average" for adjective in pick[1].high[:1]]
        if is_plural(noun):
            forms += [f"how many {noun} do the {many} have on average", f"how many {noun} does the average {things.one} have"]
    if name == "SUM":
        forms += [f"sum of the {noun} of the {many}", f"{noun} of the {many} in total", f"{noun} of all {many} together",
                  f"add up the {noun} of the {many}", f"what is the {noun} of the {many} taken together"]
        if is_plural(noun):
            forms += [f"how many {noun} do the {many} have {rng.choice(('in total', 'together', 'altogether', 'combined'))}"] * 2
        if noun in ("population", "people", "inhabitants"):
            forms += [f"how many people live in the {many}", f"how many people live in {many} altogether"] * 2
    return _make(rng, things, rng.choice(forms), f"SELECT {name}( {pick[0]}) FROM {world.table.name}{things.where}")


def _extreme(rng: random.Random, pick: Pick) -> tuple[str, str, str]:
    """Superlative, or "" for a column without one; the words around the noun; DESC or nothing."""
    ident, attribute = pick
    up = rng.random() < 0.62
    noun = _noun(rng, pick)
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


def superlative(rng: random.Random, world: World, things: Things) -> Question | None:
    """The thing, or the n things, with most or least of something; or an attribute of it."""
    pick = _column(rng, world, "n")
    if pick is None:
        return None
    best, noun, down = _extreme(rng, pick)
    one, many, table = things.one, things.many, f"FROM {world.table.name}{things.where}"
    if rng.random() < 0.28:
        n = rng.choice((2, 3, 3, 4, 5, 5, 10))
        w = small(rng, n)
        forms = ([f"what are the {w} {best} {many}", f"the {w} {best} {many}", f"{_opening(rng)}the {w} {best} {many}",
                  f"top {w} {best} {many}", f"which are the {w} {best} {many}", f"{w} {best} {many}", f"which {w} {many} are the {best}"] if best else
                 [f"the {w} {many} with {noun}", f"which {w} {many} have {noun}", f"{_opening(rng)}the {w} {many} with {noun}",
                  f"top {w} {many} by {_noun(rng, pick)}" if down else f"the {w} {many} with {noun}"])
        sql = f"SELECT {world.key} {table} ORDER BY {pick[0]}{down} LIMIT {n}"
        return _make(rng, things, rng.choice(forms), sql, (str(n),))
    shown, asked = world.key, None
    if rng.random() < 0.22:
        asked = _column(rng, world, "n", "c", "l")
    phrase = f"{best} {one}" if best else f"{one} with {noun}"
    if asked and asked[0] != pick[0]:
        other = _noun(rng, asked)
        shown = asked[0]
        forms = [f"what is the {other} of the {phrase}", f"{other} of the {phrase}", f"what's the {other} of the {phrase}",
                 f"give me the {other} of the {phrase}", f"the {phrase}: what is its {other}", f"the {phrase}'s {other}"]
    elif best:
        forms = [f"which {one} is the {best}", f"what is the {best} {one}", f"{best} {one}", f"the {best} {one}",
                 f"which is the {best} {one}", f"which of the {many} is the {best}", f"what's the {best} {one}",
                 f"find the {best} {one}", f"name the {best} {one}", f"which of the {many} is {best}",
                 f"tell me the {best} of the {many}", f"what {one} is the {best}", f"which one of the {many} is the {best}"]
    else:
        forms = [f"which {one} has {noun}", f"what {one} has {noun}", f"{one} with {noun}", f"the {one} with {noun}",
                 f"which of the {many} has {noun}", f"which {one} has got {noun}", f"who has {noun} among the {many}",
                 f"name the {one} with {noun}", f"what is the {one} with {noun}"]
    return _make(rng, things, rng.choice(forms), f"SELECT {shown} {table} ORDER BY {pick[0]}{down} LIMIT 1")


def than_named(rng: random.Random, world: World, things: Things) -> Question | None:
    """Compared with a named thing, or with the average."""
    pick = _column(rng, world, "n")
    if pick is None:
        return None
    up, noun, name = rng.random() < 0.6, _noun(rng, pick), rng.choice(world.names)
    condition = f"{world.key} = '{name.replace(chr(39), chr(39) * 2)}'"
    inner = f"(SELECT {pick[0]} FROM {world.table.name} WHERE {condition})"
    needed: tuple[str, ...] = (condition,)
    if rng.random() < 0.25:
        name, needed = rng.choice(("average", "the average", "the mean")), ()
        inner = f"(SELECT AVG( {pick[0]}) FROM {world.table.name})"
    adjectives = pick[1].high if up else pick[1].low
    who = rng.choice((f"which {things.many} are", f"{things.many} that are", f"list the {things.many} that are",
                      f"what {things.many} are", f"find {things.many}", f"{things.many}"))
    counting = rng.random() < 0.25
    if counting:
        who = rng.choice((f"how many {things.many} are", f"number of {things.many} that are", f"count the {things.many}"))
    if adjectives and rng.random() < 0.75:
        more = degrees(adjectives[0])[0] if not (not up and adjectives[0] in pick[1].high) else lowest(adjectives[0])[0]
        text = f"{who} {more} than {name}"
    else:
        having = who.replace(" that are", " that have").removesuffix(" are") + (" have" if who.endswith(" are") and "that" not in who else "")
        having = having if having.endswith("have") else having + " with"
        how = rng.choice(("more", "a higher number of") if up else ("fewer", "less")) if is_plural(noun) else \
            rng.choice(("a higher", "a larger", "a greater") if up else ("a lower", "a smaller"))
        text = f"{having} {how} {noun} than {name}"
    shown = "COUNT(*)" if counting else world.key
    where = f"{things.where} AND " if things.where else " WHERE "
    sql = f"SELECT {shown} FROM {world.table.name}{where}{pick[0]} {'>' if up else '<'} {inner}"
    return _make(rng, things, text, sql, extra=needed)


def either(rng: random.Random, world: World, things: Things) -> Question | None:
    """Which of two named things has more."""
    pick = _column(rng, world, "n")
    if pick is None or things.given or things.linked or things.figures:
        return None
    a, b = rng.sample(world.names, 2)
    first, second = (f"{world.key} = '{name.replace(chr(39), chr(39) * 2)}'" for name in (a, b))
    up, noun = rng.random() < 0.65, _noun(rng, pick)
    adjectives = pick[1].high if up else pick[1].low
    one = world.domain.one
    if adjectives and rng.random() < 0.75 and not (not up and adjectives[0] in pick[1].high):
        more, most = degrees(rng.choice(adjectives))
        forms = [f"which is {more}, {a} or {b}", f"which {one} is {more}, {a} or {b}", f"is {a} or {b} {more}",
                 f"{a} or {b}: which is {more}", f"what is {more}: {a} or {b}", f"which of {a} and {b} is the {most}"]
    else:
        m = ("more" if up else "fewer") if is_plural(noun) else ("the higher" if up else "the lower")
        forms = [f"which {one} has {m} {noun}, {a} or {b}", f"who has {m} {noun}: {a} or {b}", f"does {a} or {b} have {m} {noun}",
                 f"{a} or {b}: which has {m} {noun}"]
    sql = (f"SELECT {world.key} FROM {world.table.name} WHERE ( {first} OR {second})"
           f" ORDER BY {pick[0]}{' DESC' if up else ''} LIMIT 1")
    return Question(finish(rng, rng.choice(forms)), sql, (first, second), keep=(a, b))


def grouped(rng: random.Random, world: World, things: Things) -> Question | None:
    """A figure for each value of a column, the value with most of it, or the different values."""
    by = _column(rng, world, "c")
    if by is None or set(by[1].values) == {"yes", "no"}:
        return None
    noun, table = _noun(rng, by), f"FROM {world.table.name}{things.where}"
    draw = rng.random()
    if draw < 0.3:
        forms = [f"how many {things.many} are there per {noun}", f"number of {things.many} per {noun}",
                 f"number of {things.many} by {noun}", f"how many {things.many} for each {noun}", f"{things.many} per {noun}",
                 f"count the {things.many} of each {noun}", f"how many {things.many} does each {noun} have"]
        return _make(rng, things, rng.choice(forms), f"SELECT {by[0]}, COUNT(*) {table} GROUP BY {by[0]}")
    if draw < 0.5:
        up = rng.random() < 0.75
        most = rng.choice(("most", "highest number of", "largest number of") if up else ("fewest", "lowest number of"))
        forms = [f"which {noun} has the {most} {things.many}", f"{noun} with the {most} {things.many}",
                 f"what {noun} has the {most} {things.many}"]
        if up:
            forms.append(f"what is the most common {noun} of the {things.many}")
        sql = f"SELECT {by[0]} {table} GROUP BY {by[0]} ORDER BY COUNT(*){' DESC' if up else ''} LIMIT 1"
        return _make(rng, things, rng.choice(forms), sql)
    if draw < 0.7:
        pick = _column(rng, world, "n")
        if pick is None:
            return None
        name, w = rng.choice((("AVG", "average"), ("AVG", "mean"), ("SUM", "total"), ("MAX", "highest"), ("MIN", "lowest")))
        if name == "SUM" and is_year(pick[1]):
            return None
        figure_noun = _noun(rng, pick)
        forms = [f"{w} {figure_noun} of the {things.many} per {noun}", f"what is the {w} {figure_noun} per {noun} of the {things.many}",
                 f"{w} {figure_noun} of {things.many} by {noun}", f"the {w} {figure_noun} of the {things.many} for each {noun}"]
        return _make(rng, things, rng.choice(forms), f"SELECT {by[0]}, {name}( {pick[0]}) {table} GROUP BY {by[0]}")
    if draw < 0.85:
        forms = [f"how many different {noun} values do the {things.many} have", f"how many different {noun}s are there among the {things.many}",
                 f"number of distinct {noun}s of the {things.many}", f"how many {noun}s do the {things.many} have"]
        return _make(rng, things, rng.choice(forms), f"SELECT COUNT(DISTINCT {by[0]}) {table}")
    forms = [f"which different {noun}s do the {things.many} have", f"list the different {noun}s of the {things.many}",
             f"what {noun}s are there among the {things.many}", f"all {noun}s of the {things.many}, each once"]
    return _make(rng, things, rng.choice(forms), f"SELECT DISTINCT {by[0]} {table}")


def ratio(rng: random.Random, world: World, things: Things) -> Question | None:
    """Most or least of one figure per unit of another."""
    numeric = [ident for ident in world.of_kind("n") if not is_year(world.columns[ident])]
    if len(numeric) < 2:
        return None
    dense = "population" in numeric and "area_km2" in numeric and rng.random() < 0.8
    a, b = ("population", "area_km2") if dense else rng.sample(numeric, 2)
    up = rng.random() < 0.7
    na, nb = _noun(rng, (a, world.columns[a])), singular(_noun(rng, (b, world.columns[b])))
    most = rng.choice(("most", "highest", "largest") if up else ("least", "lowest", "smallest"))
    forms = [f"which {things.one} has the {most} {na} per {nb}", f"{things.one} with the {most} {na} per {nb}",
             f"which of the {things.many} has the {most} {na} for its {nb}"]
    if dense:
        d = "most densely" if up else rng.choice(("least densely", "most sparsely"))
        forms = [f"what is the {d} populated {things.one}", f"which {things.one} is the {d} populated",
                 f"which {things.one} has the {'highest' if up else 'lowest'} population density", f"the {d} populated of the {things.many}"]
    sql = (f"SELECT {world.key} FROM {world.table.name}{things.where} ORDER BY {a} * 1.0 / {b}"
           f"{' DESC' if up else ''} LIMIT 1")
    return _make(rng, things, rng.choice(forms), sql)


Asker = Callable[[random.Random, World, Things], Question | None]
_KINDS: tuple[tuple[Asker, float], ...] = ((names, 4.0), (attribute_of, 3.0), (count, 2.5), (aggregate, 3.5), (superlative, 4.5),
                                           (than_named, 1.6), (either, 1.0), (grouped, 1.5), (ratio, 0.5))
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
    if asker in (either, attribute_of) and rng.random() < 0.7:
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


def extreme_phrase(rng: random.Random, world: World, things: Things, several: bool = False) -> str | None:
    """``the most populous country in Africa``, ``the two longest rivers``."""
    pick = _column(rng, world, "n")
    if pick is None:
        return None
    best, noun, _ = _extreme(rng, pick)
    if several:
        w = small(rng, rng.choice((2, 2, 3, 3, 4, 5)))
        return f"the {w} {best} {things.many}" if best else f"the {w} {things.many} with {noun}"
    return f"the {best} {things.one}" if best else f"the {things.one} with {noun}"


__all__ = ["Question", "about", "article", "extreme_phrase", "figure", "narrowed", "nice", "question"]
