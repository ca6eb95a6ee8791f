"""What all questions about a table are made of: columns, their nouns, and the question with its SQL."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .domains import Attribute
from .phrases import finish
from .sets import Things
from .worlds import World


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


def about_another(attribute: Attribute) -> bool:
    """Whether a column only says when another was taken, which nobody asks for."""
    return attribute.nouns[0].startswith("year of the population")


def a_column(rng: random.Random, world: World, *kinds: str) -> Pick | None:
    idents = world.of_kind(*kinds)
    if rng.random() < 0.95:
        idents = [ident for ident in idents if not about_another(world.columns[ident])]
    if not idents:
        return None
    ident = rng.choice(idents)
    return ident, world.columns[ident]


def a_noun(rng: random.Random, pick: Pick) -> str:
    ident, attribute = pick
    return rng.choice(attribute.nouns) if rng.random() < 0.85 else ident.replace("_", " ")


def make(
    rng: random.Random,
    things: Things,
    text: str,
    sql: str,
    figures: tuple[str, ...] = (),
    question: bool = True,
    extra: tuple[str, ...] = (),
) -> Question:
    if things.many.startswith(("these ", "those ")) or "'s " in things.many:
        text = text.replace(f"the {things.many}", things.many)
    return Question(
        finish(rng, text, question),
        sql,
        (*things.linked, *extra),
        (*things.figures, *figures),
        things.given,
        things.keep,
    )


def opening(rng: random.Random) -> str:
    return rng.choice(
        (
            "list ",
            "name ",
            "show ",
            "show me ",
            "give me ",
            "find ",
            "tell me ",
            "I want ",
            "get ",
            "which are ",
            "what are ",
            "who or what are ",
            "",
            "",
        )
    )
