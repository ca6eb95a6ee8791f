"""Sets restricted by a figure: with more than 50 million people, before 1950, between 10 and 20."""

from __future__ import annotations

import random
from dataclasses import replace

from .domains import is_year
from .phrases import degrees, figure, is_plural
from .sets import Things, and_verb
from .worlds import World


def nice(number: float) -> float:
    """A round number near ``number``, as people ask for."""
    if 1500 <= number <= 2100:
        return float(round(number / 10) * 10)
    if number < 20:
        return float(max(1, round(number)))
    digits = len(str(int(number))) - (1 if number > 100 else 1)
    step = 10 ** max(digits, 0)
    rounded = round(number / step) * step
    return float(rounded or step)


def add_threshold(rng: random.Random, world: World, things: Things) -> Things | None:
    """The set, further restricted by a figure."""
    idents = [
        ident
        for ident in world.of_kind("n")
        if f"{ident} " not in " ".join(things.tests) and not world.columns[ident].nouns[0].startswith("year of the pop")
    ]
    if not idents:
        return None
    ident = rng.choice(idents)
    attribute = world.columns[ident]
    noun = rng.choice(attribute.nouns)
    bound = nice(float(str(rng.choice(world.rows)[ident])))
    text = figure(rng, bound) if not 1500 <= bound <= 2100 else str(int(bound))
    if "area" in ident and rng.random() < 0.5:
        text += rng.choice((" km2", " km²", " square kilometres", " sq km", " square km"))
    plain = str(int(bound))
    if rng.random() < 0.14:
        other = (
            nice(bound * rng.uniform(1.3, 4)) if bound > 2100 or bound < 1500 else bound + rng.choice((5, 10, 20, 50))
        )
        second = figure(rng, other) if not 1500 <= other <= 2100 else str(int(other))
        if text.endswith(" million") and second.endswith(" million") and rng.random() < 0.6:
            text = text.removesuffix(" million")
        clause = rng.choice(
            (
                f"with {noun} between {text} and {second}",
                f"whose {noun} is between {text} and {second}",
                f"with {noun} from {text} to {second}",
            )
        )
        test, figures = f"{ident} BETWEEN {plain} AND {int(other)}", (plain, str(int(other)))
        return _restrict(rng, things, clause, "", test, figures)
    up = rng.random() < 0.58
    inclusive = rng.random() < 0.15
    sign = (">=" if inclusive else ">") if up else ("<=" if inclusive else "<")
    words = {
        ">": ("more than", "over", "above", "greater than", "more than"),
        ">=": ("at least", "no less than", "or more"),
        "<": ("less than", "under", "below", "fewer than"),
        "<=": ("at most", "up to", "no more than"),
    }[sign]
    word = rng.choice([word for word in words if word != "or more"])
    if is_plural(noun) and rng.random() < 0.7:
        clause, verb = f"with {word} {text} {noun}", f"have {word} {text} {noun}"
    else:
        clause = rng.choice(
            (
                f"with a {noun} {word} {text}",
                f"with {noun} {word} {text}",
                f"whose {noun} is {word} {text}",
                f"with a {noun} of {word} {text}",
                f"with {word} {text} {noun}",
            )
        )
        verb = f"have a {noun} {rng.choice(('', 'of '))}{word} {text}"
    adjectives = attribute.high if up else attribute.low
    if adjectives and not inclusive and rng.random() < 0.25 and not (not up and adjectives[0] in attribute.high):
        more = degrees(rng.choice(adjectives))[0]
        clause, verb = f"{more} than {text}", f"are {more} than {text}"
    elif noun in ("population", "inhabitants", "people") and rng.random() < 0.4:
        verb = f"have {word} {text} {rng.choice(('people', 'inhabitants'))}"
        clause = f"with {word} {text} {rng.choice(('people', 'inhabitants'))}"
    if is_year(attribute) and not inclusive and rng.random() < 0.6:
        when = rng.choice(("after", "since", "later than") if up else ("before", "earlier than"))
        clause, verb = (
            rng.choice((f"{when} {text}", f"with {noun} {when} {text}", f"with a {noun} {when} {text}")),
            f"have a {noun} {when} {text}",
        )
    return _restrict(rng, things, clause, verb, f"{ident} {sign} {plain}", (plain,))


def _restrict(
    rng: random.Random, things: Things, clause: str, verb: str, test: str, figures: tuple[str, ...]
) -> Things:
    if things.verb and verb and rng.random() < 0.6:
        return and_verb(things, verb, verb, figures=(*things.figures, *figures), tests=(*things.tests, test))
    return replace(
        things,
        one=f"{things.one} {clause}",
        many=f"{things.many} {clause}",
        before=things.many if verb else "",
        verb=verb,
        tests=(*things.tests, test),
        figures=(*things.figures, *figures),
    )
