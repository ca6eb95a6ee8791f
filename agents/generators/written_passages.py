"""Texts that people wrote about invented things, with questions in their words: what the reader learns to read.

A block is a heading with the thing's name, one paragraph with marked values (``{dish=lentil stew}``) and ``{it}`` for
the name, and lines ``dish ? the plate {it} is proud of``; ``-`` stands before what the text does not tell.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from ...core.fields import SpanValue
from ...core.prompts import Example, Passage
from ..qa import compose, fact_passages
from . import wrappers
from .domains import GEOGRAPHY
from .lore import dish, full
from .names import foreign
from .phrases import slip
from .templates import text_of
from .worlds import World, distinct, make_facts, make_name, relate

FILES = ("passages_places", "passages_things")
CAPITAL = next(one for one in GEOGRAPHY.relations if one.name == "capital")
_VALUE = re.compile(r"\{([^{}=]+)=([^{}]+)\}")
_PIECE = re.compile(r"\{([^{}=]+)=([^{}]+)\}|\{it\}")
MOST = 1150
"""Characters of all texts of one example."""
_IN_GRAPHS = re.compile(
    r"\b(currenc|money|coin|cash|pay|wallet|exchang|languag|speak|spok|tongue|talk|border|neighbo|next door|touch|"
    r"capital|driv|road|lane|side|hand|continent|region|part|where|map|corner|lie)", re.IGNORECASE
)  # fmt: skip
"""What a fact of the graph might answer as well, which then would be right too."""


@dataclass(frozen=True)
class Told:
    """A text: its name, the paragraph with its marks, questions by kind; ``places``: of countries and towns."""

    name: str
    text: str
    asked: tuple[tuple[str, str], ...]
    places: bool

    @property
    def values(self) -> dict[str, str]:
        """What is marked, by kind; the last where a kind is marked twice."""
        return dict(_VALUE.findall(self.text))


def parse(text: str, places: bool, where: str = "") -> tuple[Told, ...]:
    """The texts of a file. Raises ValueError where a block lacks its parts or asks for what it does not mark."""
    found = []
    for block in filter(None, re.split(r"\n(?=# )", text.strip())):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        parted = [line.partition("?") for line in lines[2:]]
        asked = [(kind.strip(), question.strip()) for kind, middle, question in parted if middle]
        told = Told(lines[0].removeprefix("# ").strip(), lines[1], tuple(asked), places)
        unknown = [kind for kind, _ in asked if kind != "-" and kind not in told.values]
        if len(asked) != len(lines) - 2 or unknown or "{it}" not in told.text:
            raise ValueError(f"{where}: {told.name} has lines that are no questions, or of no kind: {unknown}")
        found.append(told)
    return tuple(found)


@cache
def read() -> tuple[Told, ...]:
    """All texts."""
    return tuple(told for name in FILES for told in parse(text_of(name), "places" in name, f"{name}.txt"))


@cache
def _pools() -> dict[str, tuple[str, ...]]:
    """All values of a kind; kinds with too few to be exchanged are left out."""
    pools: dict[str, dict[str, None]] = {}
    for told in read():
        for kind, value in told.values.items():
            pools.setdefault(kind, {})[value] = None
    return {kind: tuple(values) for kind, values in pools.items() if len(values) > 2}


@dataclass(frozen=True)
class Shown:
    """A text with a name and values of its own, and where they stand."""

    name: str
    text: str
    places: dict[str, tuple[int, int]]

    def passage(self, rng: random.Random) -> Passage:
        """As a reader gets it: now and then the names of several words are known."""
        known = rng.random() < 0.5
        names = [place for place in self.places.values() if known and self.text[slice(*place)].istitle()]
        return Passage(self.name, self.text, "brief", tuple(sorted(p for p in names if " " in self.text[slice(*p)])))


def show(rng: random.Random, told: Told, name: str) -> Shown:
    """The text about ``name``, some of its values exchanged for others of their kind, years and figures drawn anew."""
    text, places, last = "", {}, 0
    taken = set(told.values.values())
    for match in _PIECE.finditer(told.text):
        text += told.text[last : match.start()]
        last = match.end()
        kind, value = match.groups()
        if kind is None:
            text += name
            continue
        if rng.random() < 0.6:
            value = _invented(rng, kind, value) or _another(rng, kind, value, taken)
        places[kind] = (len(text), len(text) + len(value))
        text += value
    return Shown(name, text + told.text[last:], places)


_INVENTED: dict[str, Callable[[random.Random], str]] = {
    "dish": dish, "dessert": foreign, "drink": foreign, "snack": foreign, "currency": foreign, "capital": foreign,
    "official name": full,
}  # fmt: skip
"""What a reader cannot know by its look: of these kinds, words that no text has are drawn as well."""


def _invented(rng: random.Random, kind: str, value: str) -> str | None:
    """A value that nobody has seen before, in large or small letters as the old one; None half of the time."""
    if kind not in _INVENTED or rng.random() < 0.5:
        return None
    new = _INVENTED[kind](rng)
    return new[0].upper() + new[1:] if value[0].isupper() else new[0].lower() + new[1:]


def _another(rng: random.Random, kind: str, value: str, taken: set[str]) -> str:
    if any(letter.isdigit() for letter in value):
        return re.sub(r"\d+", lambda digits: _digits(rng, digits.group()), value)
    able = [one for one in _pools().get(kind, ()) if one not in taken and one[0].isupper() == value[0].isupper()]
    new = rng.choice(able) if able else value
    taken.add(new)
    return new


def _digits(rng: random.Random, digits: str) -> str:
    """Another figure of about the same size; a year stays one."""
    if len(digits) == 4 and 1000 <= int(digits) <= 2100:
        return str(min(2024, max(1000, int(digits) + rng.randint(-90, 90))))
    if digits.startswith("0") or len(digits) > 6:
        return digits
    least, most = 10 ** (len(digits) - 1), 10 ** len(digits) - 1
    return str(rng.randint(least if len(digits) > 1 else 2, most))


def name_for(rng: random.Random, told: Told) -> str:
    """A name for what the text is about; now and then its writer's."""
    if rng.random() < 0.25:
        return told.name
    return make_name(rng, rng.choice(("country", "country", "place") if told.places else ("thing", "place")))


def a_question(rng: random.Random, world: World) -> str | None:
    """What somebody asks of one thing of ``world`` that a text tells; None where these texts are of other things."""
    if world.domain is not GEOGRAPHY:
        return None
    told = rng.choice([one for one in read() if one.places])
    return _worn(rng, rng.choice(told.asked)[1].replace("{it}", rng.choice(world.names)))


def _worn(rng: random.Random, question: str) -> str:
    if rng.random() < 0.2:
        question = question.rstrip("?. ") + ("?" if rng.random() < 0.5 else "")
    if rng.random() < 0.2:
        question = question[0].upper() + question[1:]
    return question.lower() if rng.random() < 0.08 else question


def said(rng: random.Random, question: str, places: bool) -> str:
    """The question as somebody types it; ``places``: it is about a country or a town."""
    question = _worn(rng, question)
    if rng.random() >= wrappers.RATE:
        return question
    return wrappers.wrapped(rng, question, wrappers.ANY, *((wrappers.COUNTRY,) if places else ()))


Posed = tuple[str, int, tuple[int, int] | None]  # question, text, where in it the answer stands


def interview(rng: random.Random) -> tuple[list[Passage], list[Posed], list[Posed]]:
    """One to three texts, what they are asked and answer, and what they are asked in vain."""
    passages: list[Passage] = []
    asked: list[Posed] = []
    untold: list[Posed] = []
    room = MOST
    for told in rng.sample(read(), rng.choice((1, 2, 2, 3))):
        shown = show(rng, told, name_for(rng, told))
        room -= len(shown.text)
        if passages and (room < 0 or any(one.title == shown.name for one in passages)):
            continue
        for kind, question in told.asked:
            posed = question.replace("{it}", shown.name).rstrip("? "), len(passages), shown.places.get(kind)
            (asked if posed[2] else untold).append(posed)
        passages.append(shown.passage(rng))
    return passages, asked, untold


def example(rng: random.Random) -> Example:
    """One question of a text, others of its kind beside it, now and then facts of a graph about the same thing."""
    told = rng.choice(read())
    kind, question = rng.choice(told.asked)
    name = name_for(rng, told)
    return asked(rng, told, kind, name, question.replace("{it}", name))


def asked(
    rng: random.Random, told: Told, kind: str, name: str, question: str, given: tuple[str, ...] = (),
    beside: Sequence[Passage] = (),
) -> Example:  # fmt: skip
    """The text with another name and other values, asked for what it marks as ``kind``.

    Args:
        given: as in a call.
        beside: facts about others that the question names.
    """
    shown = show(rng, told, name)
    there = rng.random() >= 0.06  # else nothing that is shown is about it
    passages = [shown.passage(rng)] if there else []
    if told.places and not _IN_GRAPHS.search(f"{kind} {question}") and rng.random() < 0.8:
        passages += facts(rng, shown.name)
    passages += beside
    passages += others(rng, told, shown, MOST - sum(len(one.text) for one in passages))
    if not passages:
        return example(rng)
    graph = [one for one in passages if one.source == "graph"]
    texts = [one for one in passages if one.source != "graph"]
    rng.shuffle(graph)
    rng.shuffle(texts)
    passages = graph + texts
    if not given and rng.random() < 0.05 and shown.name in question:
        question, given = question.replace(shown.name, rng.choice(("there", "it", "that one"))), (shown.name,)
    if rng.random() < 0.06:
        question = slip(rng, question, (shown.name,))
    prompt, record = compose(passages, said(rng, question, told.places), given)
    return Example(prompt, record, {"answer": _answer(passages, shown, kind)})


def _answer(passages: Sequence[Passage], shown: Shown, kind: str) -> SpanValue | None:
    """Where the answer stands; a text looked into in vain where it does not tell it; None where none is about it."""
    at = next((at for at, one in enumerate(passages) if one.source == "brief" and one.title == shown.name), -1)
    if at < 0:
        return None
    start, end = shown.places.get(kind, (0, 0))
    return SpanValue(at, start, end, shown.text[start:end])


def facts(rng: random.Random, name: str) -> list[Passage]:
    """Facts of a graph about a country."""
    names = [name, *distinct(rng, "country", 5)]
    known = make_facts(rng, GEOGRAPHY, names, 3, 5)
    if rng.random() < 0.6:
        known = {"capital": relate(rng, CAPITAL, names)} | known
    turned = rng.random() < 0.85  # as most graphs have it: Lima, capital of, Peru
    triples = [
        (other, "capital of", name) if relation == "capital" and turned else (name, relation, other)
        for relation, by in known.items() for other in by[name]
    ]  # fmt: skip
    return list(fact_passages(name, triples))


def others(rng: random.Random, told: Told, shown: Shown, room: int) -> list[Passage]:
    """Texts about others that tell the same kinds of things, as long as they have room."""
    found: list[Passage] = []
    for _ in range(rng.choice((0, 1, 2, 2, 3, 4))):
        other = rng.choice(read())
        if other.places != told.places and rng.random() < 0.8:
            continue
        one = show(rng, other, name_for(rng, other))
        room -= len(one.text)
        if room < 0:
            break
        if one.name != shown.name and shown.name not in one.text:
            found.append(one.passage(rng))
    return found
