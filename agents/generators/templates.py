"""Templates written by hand: one a line, in blocks that are each about one domain, with slots that a world fills.

A line is ``left || right``; a block begins with ``## country``. Slots: ``{*}`` a name, ``{continent}`` a value of that
column, ``{continent~}`` its adjective, ``{population}`` a figure near one that stands there, ``{k}`` a small number,
``{letter}`` one that a name begins with; a digit at the end makes another of the same. ``[population]`` is the column
that people call so, ``[*]`` the key.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ..sql import BEGINS, Condition
from .domains import DOMAINS, Attribute, Domain
from .lore import PARTS, dish
from .phrases import figure, ordinal, small
from .sets import ADJECTIVES, in_words
from .thresholds import nice
from .worlds import World, make_name, make_table

SLOT = re.compile(r"\{([^{}]+?)(\d?)(~?)\}")
COLUMN = re.compile(r"\[([^\[\]]+)\]")
_ORDINAL = re.compile(r"(\{k\d?\})th\b")
GEOGRAPHY_LINES = 0.65
"""Of the lines that are drawn: by far the most that people wrote are about countries."""
_WIDE = 14  # columns beside the name, at most, of three tables in ten
KEY, SMALL, LETTER = "*", "k", "letter"
_BESIDE: dict[str, Callable[[random.Random], str]] = {
    "region": lambda rng: rng.choice(PARTS), "dish": dish, "place": lambda rng: make_name(rng, "place"),
}  # fmt: skip
"""Slots of what no column holds, where the domain has none that is called so."""


@dataclass(frozen=True)
class Template:
    """One line: the ``domain`` of its block, what stands left and right, and ``where`` it was read."""

    domain: Domain
    left: str
    right: str
    where: str

    @property
    def columns(self) -> tuple[str, ...]:
        """What its slots and columns are called, the key and small numbers left out, each once."""
        named = [match[1] for text in (self.left, self.right) for match in SLOT.finditer(text)]
        named += COLUMN.findall(self.right) if self.right.startswith("SELECT") else []
        known = {one.nouns[0] for one in self.domain.attributes}
        beside = {KEY, SMALL, LETTER, *(_BESIDE.keys() - known)}
        return tuple(dict.fromkeys(name for name in named if name not in beside))


@dataclass(frozen=True)
class Filling:
    """What stands for a slot: in the sentence, and in SQL as a condition or a figure."""

    words: str
    condition: Condition | None = None
    figure: str = ""


def text_of(name: str) -> str:
    """The file ``texts/NAME.txt``."""
    return files(__package__).joinpath("texts", f"{name}.txt").read_text(encoding="utf-8")


def parse(text: str, where: str = "") -> tuple[Template, ...]:
    """The templates of a file. Raises ValueError where a line is none, or names no domain."""
    domains = {domain.one: domain for domain in DOMAINS}
    domain, found = None, []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("## "):
            domain = domains.get(line.removeprefix("## ").strip())
        elif line.strip():
            left, middle, right = (part.strip() for part in line.partition("||"))
            if not middle or domain is None:
                raise ValueError(f"{where}:{number}: {line!r} is no template of a domain")
            found.append(Template(domain, left, right, f"{where}:{number}"))
    return tuple(found)


@cache
def read(*names: str) -> dict[str, tuple[Template, ...]]:
    """The templates of these files, by the name of their domain."""
    by_domain: dict[str, list[Template]] = {}
    for name in names:
        for template in parse(text_of(name), f"{name}.txt"):
            by_domain.setdefault(template.domain.one, []).append(template)
    return {name: tuple(found) for name, found in by_domain.items()}


def attribute(domain: Domain, noun: str) -> Attribute:
    """The column that people call ``noun``. Raises ValueError where the domain has none."""
    for one in domain.attributes:
        if one.nouns[0] == noun:
            return one
    raise ValueError(f"{domain.one} has no column {noun!r}")


def world_for(rng: random.Random, template: Template, without: Sequence[str] = ()) -> World:
    """A world with the columns that the template names, but ``without``, and others."""
    needed = [attribute(template.domain, noun) for noun in template.columns]
    absent = [attribute(template.domain, noun) for noun in without]
    while True:
        most = _WIDE if rng.random() < 0.3 else 8
        world = make_table(rng, template.domain, rng.randint(5, 18), most=most, must=needed, never=absent)
        if _holds(template, world, without):
            return world


def fits(template: Template, world: World) -> bool:
    """Whether the world has all that the template names."""
    return template.domain is world.domain and _holds(template, world)


def _holds(template: Template, world: World, without: Sequence[str] = ()) -> bool:
    """Whether the world has the columns, but ``without``, and as many values of each as the template names."""
    nouns = {one.nouns[0] for one in world.columns.values()}
    if not nouns.issuperset(set(template.columns) - set(without)):
        return False
    named = {_parts(match.group())[:2] for match in SLOT.finditer(template.left)}
    wanted = Counter(noun for noun, _ in named if noun in nouns)
    return all(len({str(row[column(world, noun)]) for row in world.rows}) >= many for noun, many in wanted.items())


def column(world: World, noun: str) -> str:
    """The identifier of the column that people call ``noun``."""
    if noun == KEY:
        return world.key
    return next(ident for ident, one in world.columns.items() if one.nouns[0] == noun)


def fill(rng: random.Random, world: World, texts: Iterable[str], apart: Sequence[str] = ()) -> dict[str, Filling]:
    """A filling for each slot of ``texts``, as it is written there (``{continent2}``); names are none of ``apart``."""
    slots = dict.fromkeys(match.group() for text in texts for match in SLOT.finditer(text))
    names = [name for name in world.names if name not in apart]
    rng.shuffle(names)
    found: dict[str, Filling] = {}
    used: dict[str, list[str]] = {}
    for slot in sorted(slots, key=_parts):  # the first of a column before the second, a value before its adjective
        noun, number, adjective = _parts(slot)
        twin = f"{{{noun}{number}}}"
        if adjective and twin in found:
            value = found[twin].condition
            assert value is not None
            found[slot] = Filling(ADJECTIVES.get(value.value, value.value), value)
        elif noun == KEY:
            name = names.pop()
            found[slot] = Filling(name, Condition(world.table.name, world.key, "=", name))
        elif noun == SMALL:
            number_of = rng.randint(2, 10)
            found[slot] = Filling(small(rng, number_of), figure=str(number_of))
        elif noun == LETTER:
            letter = rng.choice(world.names)[0].upper()
            found[slot] = Filling(letter, Condition(world.table.name, world.key, BEGINS, letter))
        elif noun in _BESIDE and all(one.nouns[0] != noun for one in world.columns.values()):
            found[slot] = Filling(_BESIDE[noun](rng))
        elif world.columns[column(world, noun)].kind == "n":
            found[slot] = _figure(rng, world, column(world, noun), used.setdefault(noun, []))
        else:
            found[slot] = _value(rng, world, column(world, noun), adjective, used.setdefault(noun, []))
    return found


def _parts(slot: str) -> tuple[str, str, bool]:
    match = SLOT.fullmatch(slot)
    assert match is not None
    return match[1], match[2], bool(match[3])


def _figure(rng: random.Random, world: World, ident: str, used: list[str]) -> Filling:
    """A round figure; after the first of its column a larger one."""
    bound = nice(float(str(rng.choice(world.rows)[ident])))
    if used:
        last = float(used[-1])
        bound = last + rng.choice((5, 10, 20, 50)) if 1500 <= last <= 2100 else nice(last * rng.uniform(1.3, 4))
        bound = bound if bound > last else 2 * last + 1
    plain = str(int(bound))
    used.append(plain)
    return Filling(plain if 1500 <= bound <= 2100 else figure(rng, bound), figure=plain)


def _value(rng: random.Random, world: World, ident: str, adjective: bool, used: list[str]) -> Filling:
    """A value that stands in the column, and not one that was taken."""
    attribute = world.columns[ident]
    listed = attribute.kind == "l"
    there = [part for row in world.rows for part in (str(row[ident]).split(", ") if listed else [str(row[ident])])]
    able = [value for value in dict.fromkeys(there) if value not in used] or there
    value = rng.choice(able)
    used.append(value)
    condition = Condition(world.table.name, ident, "LIKE" if listed else "=", value)
    if adjective:
        return Filling(ADJECTIVES.get(value, value), condition)
    words = in_words(rng, value, bool(attribute.values))
    if words.lower() == value.lower():
        return Filling(words, condition)
    named = [one for one in world.index.link(words) if one.column == ident]
    return Filling(words, named[0]) if len(named) == 1 else Filling(value, condition)


def said(text: str, fillings: dict[str, Filling]) -> str:
    """The sentence with its slots filled; ``{k}th`` is a place in an order."""
    text = _ORDINAL.sub(lambda match: ordinal(int(fillings[match[1]].figure)), text)
    return SLOT.sub(lambda match: fillings[match.group()].words, text)


