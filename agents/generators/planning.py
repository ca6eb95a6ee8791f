"""Requests and the steps that answer them, for a cast that changes: what the planner learns from.

Conventions: figures, filters, counts, comparisons and extremes go to the agent with the table; what one thing stands
in relation to (its neighbours, its capital, who made it) goes to the agent with texts and graph; wishes go to the
recommender. A set that a relation defines and a table filters takes two steps, the last with the whole request.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from ...core.fields import SpanValue
from ...core.prompts import Example
from ..planner import compose
from ..sql import NOTHING
from . import composed_requests, querying, questions, wrappers, written_passages, written_requests
from .casts import FACTS, FIGURES, TASTE, cast
from .comparisons import extreme_phrase
from .domains import Attribute, Relation, between_things
from .lore import a_lore, ask, ask_in_vain
from .parts import Part, Request
from .phrases import finish, is_plural, slip
from .ranking import liked_request
from .sets import Things, relation_phrase
from .templates import GEOGRAPHY_LINES
from .wordings import ask_objects, ask_subjects
from .worlds import World, a_domain, make_name, make_table


def _fact(rng: random.Random, world: World) -> tuple[str, Relation, str]:
    name = rng.choice(world.names)
    if rng.random() < 0.2:
        attributes = [
            attribute for attribute in world.domain.attributes if _is_told(attribute) and "yes" not in attribute.values
        ]
        attribute = rng.choice(attributes)
        as_relation = Relation("", attribute.nouns, ("",), "", attribute.maker, attribute.values, 1)
        return ask_objects(rng, world.domain, as_relation, name, False), as_relation, name
    relation = rng.choice(world.domain.relations)
    if not relation.target and relation.name != "capital" or rng.random() < 0.7:
        return ask_objects(rng, world.domain, relation, name, relation.most > 1 and rng.random() < 0.6), relation, name
    return ask_subjects(rng, world.domain, relation, name if relation.target else _value(rng, relation)), relation, name


def _value(rng: random.Random, relation: Relation) -> str:
    return rng.choice(relation.values) if relation.values else make_name(rng, relation.maker)


def figures(rng: random.Random, world: World) -> Request:
    """One step over the table."""
    asked = querying.ask(rng, world, given=False)
    while asked.sql == NOTHING or _about_one(world, asked.sql):
        asked = querying.ask(rng, world, given=False)
    return Request(asked.request, (Part(FIGURES, asked.request),))


def _about_one(world: World, sql: str) -> bool:
    """Whether the SQL looks up words, not figures, of one named thing, which is a reader's work.

    So is the year in which it became independent, which texts tell more often than tables.
    """
    if f" WHERE {world.key} = '" not in sql or " AND " in sql:
        return False
    shown = sql.removeprefix("SELECT ").partition(" FROM ")[0].split(", ")
    asked = [world.columns[column] for column in shown if column in world.columns]
    return len(asked) == len(shown) and all(_is_told(one) or "independence" in one.nouns[0] for one in asked)


def _is_told(attribute: Attribute) -> bool:
    """Whether texts tell it: neither a figure nor a code."""
    return attribute.kind != "n" and "code" not in attribute.nouns[-1]


def fact(rng: random.Random, world: World) -> Request:
    """One step over texts and graph."""
    written = written_passages.a_question(rng, world) if rng.random() < 0.3 else None
    if written is not None:
        return Request(written, (Part(FACTS, written),))
    text = _fact(rng, world)[0]
    if rng.random() < 0.22:
        kinds = a_lore(rng, world.domain.maker, 1) if rng.random() < 0.75 and world.domain.maker != "person" else []
        text = ask(rng, kinds[0], rng.choice(world.names)) if kinds else ask_in_vain(rng, rng.choice(world.names))
    text = finish(rng, text)
    return Request(text, (Part(FACTS, text),))


def taste(rng: random.Random, world: World) -> Request:
    """One step of taste."""
    liked = rng.sample(world.names, rng.choice((1, 2, 2, 3)))
    disliked = [liked.pop()] if len(liked) > 1 and rng.random() < 0.15 else []
    text = finish(rng, liked_request(rng, world.domain, liked, disliked))
    return Request(text, (Part(TASTE, text),))


def _related(rng: random.Random, world: World) -> Things | None:
    """A set that a relation between things defines; None where the world has none."""
    domain = world.domain
    if not between_things(domain):
        return None
    relation = rng.choice(between_things(domain))
    one, many, verb, before = relation_phrase(rng, domain.one, domain.many, relation, rng.choice(world.names))
    return Things(one, many, before, verb, given=("?",), key=world.key)


def fact_then_figures(rng: random.Random, world: World) -> Request | None:
    """A set by a relation, then figures about it."""
    if rng.random() < 0.06:
        return _how_many(rng, world)
    things = _related(rng, world)
    asked = questions.about(rng, world, things) if things else None
    if things is None or asked is None:
        return None
    words = next((phrase for phrase in (things.many, things.one) if phrase in asked.text), None)
    split = f"{things.before} {things.verb}"
    if words is None and things.verb and split in asked.text:
        words = split
    if words is None:
        at = asked.text.lower().find(things.many.lower())
        if at < 0:
            return None
        words = asked.text[at : at + len(things.many)]
    return Request(asked.text, (Part(FACTS, words), Part(FIGURES, asked.text, (1,))))


def _how_many(rng: random.Random, world: World) -> Request | None:
    """How many neighbours one thing has: they are found, then counted."""
    if not between_things(world.domain):
        return None
    relation, name = rng.choice(between_things(world.domain)), rng.choice(world.names)
    nouns = [noun for noun in relation.nouns if is_plural(noun)]
    if not nouns:
        return None
    noun = rng.choice(nouns)
    forms = (f"how many {noun} does {name} have", f"how many {noun} has {name}", f"how many {noun} are there of {name}")
    text = finish(rng, rng.choice(forms))
    return Request(text, (Part(FACTS, text), Part(FIGURES, text, (1,))))


def figures_then_fact(rng: random.Random, world: World) -> Request | None:
    """The thing with most of something, then a relation of it."""
    things = questions.narrowed(rng, world)
    if things is None:
        return None
    phrase = extreme_phrase(rng, world, things)
    if phrase is None or not between_things(world.domain):
        return None
    relation = rng.choice(between_things(world.domain))
    asked = ask_objects(rng, world.domain, relation, phrase, relation.most > 1, phrase=True)
    if world.domain.maker != "person" and rng.random() < 0.3:
        asked = ask(rng, a_lore(rng, world.domain.maker, 1)[0], phrase)
    text = finish(rng, asked)
    words = phrase if phrase in text else phrase[0].upper() + phrase[1:]
    return Request(text, (Part(FIGURES, words), Part(FACTS, text, (1,)))) if words in text else None


def then_taste(rng: random.Random, world: World) -> Request | None:
    """Things that must be found first are what was liked."""
    if rng.random() < 0.5:
        things = _related(rng, world)
        if things is None:
            return None
        words, kind = f"the {things.many}" if "'s " not in things.many else things.many, FACTS
    else:
        narrowed = questions.narrowed(rng, world)
        phrase = extreme_phrase(rng, world, narrowed, rng.random() < 0.4) if narrowed else None
        if phrase is None:
            return None
        words, kind = phrase, FIGURES
    text = finish(rng, liked_request(rng, world.domain, [words], []))
    if words not in text:
        words = words[0].upper() + words[1:]
    return Request(text, (Part(kind, words), Part(TASTE, text, (1,)))) if words in text else None


def both(rng: random.Random, world: World) -> Request | None:
    """Two or three questions that do not need each other, or a chain and a question beside it."""
    makers = [rng.choice((figures, figures, fact, fact, taste)) for _ in range(2 if rng.random() < 0.88 else 3)]
    pieces = [maker(rng, world) for maker in makers]
    texts = [piece.text.rstrip("?. !,") for piece in pieces]
    if any(len(text) > 90 or " and " in text and rng.random() < 0.6 for text in texts):
        return None
    for i in range(1, len(texts)):
        if (
            rng.random() < 0.8
            and not any(texts[i].startswith(name) for name in world.names)
            and not texts[i].startswith("I ")
        ):
            texts[i] = texts[i][0].lower() + texts[i][1:]
    link = rng.choice((" and ", " and ", ", and ", "? And ", ". Also, ", "; ", "? ", ", also ", " and then ", " plus "))
    text = texts[0]
    for i, more in enumerate(texts[1:], start=1):
        text += (link if i == len(texts) - 1 else ", ") + (more if link != "? " else more[0].upper() + more[1:])
        if link == "? ":
            texts[i] = more[0].upper() + more[1:]
    text += "?" if rng.random() < 0.75 else ""
    if len({piece.lower() for piece in texts}) < len(texts):
        return None
    parts = tuple(Part(piece.parts[0].kind, words) for piece, words in zip(pieces, texts, strict=True))
    return Request(text, parts)


WRITTEN = 0.65
"""Of the requests, those in words that people wrote down; the others are put together."""
COMPOSED = 0.35
"""Of these, those that people wrote for the coder or the reader: :mod:`.composed_requests`."""
_KINDS = (figures, fact, taste, fact_then_figures, figures_then_fact, then_taste, both)
_WEIGHTS = (3.0, 2.6, 1.6, 3.4, 1.4, 1.2, 1.8)


def example(rng: random.Random) -> Example:
    """One request with a cast and its plan."""
    while True:
        request: Request | None
        if rng.random() < WRITTEN:
            found = (
                composed_requests.request(rng)
                if rng.random() < COMPOSED
                else written_requests.request(rng, a_domain(rng, GEOGRAPHY_LINES))
            )
            if found is None:
                continue
            world, request = found
        else:
            world = make_table(rng, a_domain(rng), 8, 3, 8)
            request = rng.choices(_KINDS, _WEIGHTS)[0](rng, world)
        if request is None:
            continue
        members, who = cast(rng, world.domain)
        if rng.random() < 0.15:
            needed = {part.kind for part in request.parts}
            spare = [who[kind] for kind in (FIGURES, FACTS, TASTE) if kind not in needed]
            if spare:
                members = [member for member in members if member[0] != spare[0]] if len(members) > 2 else members
        request = _worn(rng, _wrapped(rng, request, world) if rng.random() < wrappers.RATE else request)
        prompt, record = compose(members, request.text)
        steps: list[dict[str, Any]] = []
        for part in request.parts:
            start = request.text.find(part.words)
            if start < 0:
                break
            span = SpanValue(0, start, start + len(part.words), part.words)
            steps.append({"agent": who[part.kind], "request": span, "needs": list(part.needs)})
        if len(steps) == len(request.parts):
            return Example(prompt, record, {"steps": steps})


def _wrapped(rng: random.Random, request: Request, world: World) -> Request:
    """With what people say round it, which belongs to the steps that have the whole request."""
    apart = len(request.parts) > 1 and not any(part.needs for part in request.parts)
    wish = request.parts[-1].kind == TASTE
    kinds = (wrappers.TWO,) if apart else (wrappers.TASTE,) if wish else wrappers.questions(world.domain)
    named = None
    if not apart and not wish and rng.random() < wrappers.BESIDE:
        named = wrappers.beside_the_point(rng, request.text, world)
    before, inner, after = named or wrappers.around(rng, request.text, *kinds)
    text = before + inner + after

    def words(part: Part) -> str:
        if part.words == request.text and not apart:
            return text
        at = request.text.index(part.words)
        return inner[at : at + len(part.words)]

    return replace(request, text=text, parts=tuple(replace(part, words=words(part)) for part in request.parts))


def _worn(rng: random.Random, request: Request) -> Request:
    """Now and then all in lower case, or with a slip where it is one step."""
    if rng.random() < 0.13:
        parts = tuple(replace(part, words=part.words.lower()) for part in request.parts)
        return Request(request.text.lower(), parts)
    if len(request.parts) == 1 and rng.random() < 0.06:
        text = slip(rng, request.text, request.keep)
        return Request(text, (replace(request.parts[0], words=text),))
    return request
