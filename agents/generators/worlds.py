"""Invented worlds: a table with a random schema, and a graph of facts about the same things.

Nothing in a world is true: names are made up or borrowed and every figure and fact is drawn, so that nothing can be
learned by heart and everything has to be read.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..links import ValueIndex
from ..sql import Column, Schema, Table, letters_of
from .domains import DOMAINS, GEOGRAPHY, Attribute, Domain, Relation
from .names import COUNTRIES, MAKERS

_GEOGRAPHY_SHARE = 0.33
_PREFIXES = ("", "", "", "", "", "", "all_", "my_", "the_", "list_of_", "data_")


@dataclass
class World:
    """A table about one domain and facts about its entities.

    Attributes:
        columns: identifier → attribute, without the key column.
        rows: one dict a row, key column included.
        facts: relation name → subject → objects.
    """

    domain: Domain
    table: Table
    key: str
    columns: dict[str, Attribute]
    rows: list[dict[str, object]]
    facts: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    schema: Schema = field(default_factory=lambda: Schema(()))
    index: ValueIndex = field(default_factory=ValueIndex)

    @property
    def names(self) -> list[str]:
        """The names of the entities, in the order of the rows."""
        return [str(row[self.key]) for row in self.rows]

    def of_kind(self, *kinds: str) -> list[str]:
        """Identifiers of the columns of these kinds."""
        return [ident for ident, attribute in self.columns.items() if attribute.kind in kinds]


def a_domain(rng: random.Random, geography: float = _GEOGRAPHY_SHARE) -> Domain:
    """Geography for a third of the worlds, or another share of them; any other domain otherwise."""
    return GEOGRAPHY if rng.random() < geography else rng.choice(DOMAINS[1:])


def make_name(rng: random.Random, maker: str) -> str:
    """A name by one of the makers of :mod:`.names`, or a code."""
    if maker in ("code2", "code3"):
        return "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(int(maker[-1])))
    return MAKERS[maker](rng)


def distinct(rng: random.Random, maker: str, count: int) -> list[str]:
    """``count`` different names."""
    if maker == "country" and count > 3:
        return rng.sample(COUNTRIES, count) if rng.random() < 0.6 else _fresh(rng, maker, count)
    return _fresh(rng, maker, count)


def _fresh(rng: random.Random, maker: str, count: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        found[make_name(rng, maker)] = None
    return list(found)


def number(rng: random.Random, attribute: Attribute) -> float:
    """A value of a number column: even for years, by magnitude where the range is wide."""
    least, most = attribute.least, attribute.most
    if least < 900 and most > 50 * max(least, 1):
        value = math.exp(rng.uniform(math.log(max(least, 1)), math.log(most)))
    else:
        value = rng.uniform(least, most)
    if most <= 10:
        return round(value, 1)
    return float(int(value))


def make_table(
    rng: random.Random, domain: Domain, rows: int, least: int = 2, most: int = 8, *,
    must: Sequence[Attribute] = (), never: Sequence[Attribute] = (),
) -> World:  # fmt: skip
    """A table of ``rows`` rows with the key and ``least`` to ``most`` other columns, ``must`` among them."""
    chosen = list(domain.attributes)
    rng.shuffle(chosen)
    if must or never:
        chosen = [one for one in (*must, *(one for one in chosen if one not in must)) if one not in never]
        least = max(least, len(must))
        most = max(least, most)
    columns: dict[str, Attribute] = {}
    key = domain.keys[0] if rng.random() < 0.6 else rng.choice(domain.keys)
    for attribute in chosen[: rng.randint(least, most)]:
        ident = attribute.idents[0] if rng.random() < 0.6 else rng.choice(attribute.idents)
        if ident != key:
            columns[ident] = attribute
    if rng.random() < 0.5:
        order = {attribute.idents[0]: i for i, attribute in enumerate(domain.attributes)}
        columns = dict(sorted(columns.items(), key=lambda item: order[item[1].idents[0]]))
    names = distinct(rng, domain.maker, rows)
    pools = {ident: _pool(rng, attribute, rows, names) for ident, attribute in columns.items() if attribute.kind != "n"}
    table_rows: list[dict[str, object]] = []
    for name in names:
        row: dict[str, object] = {key: name}
        for ident, attribute in columns.items():
            if attribute.kind == "n":
                row[ident] = number(rng, attribute)
            elif attribute.kind == "l":
                pool = pools[ident]
                row[ident] = ", ".join(rng.sample(pool, min(len(pool), rng.choice((1, 1, 2, 3)))))
            else:
                row[ident] = rng.choice(pools[ident])
        table_rows.append(row)
    name = (
        rng.choice(_PREFIXES) + domain.many.replace(" ", "_")
        if rng.random() < 0.92
        else rng.choice(("data", "items", "rows"))
    )
    kinds = {"n": "number", "c": "text", "l": "list"}
    listed = (
        Column(key, "text"),
        *(
            Column(ident, kinds[one.kind], letters_of(row[ident] for row in table_rows) if one.kind == "c" else 0)
            for ident, one in columns.items()
        ),
    )
    table = Table(name, listed)
    world = World(domain, table, key, columns, table_rows, schema=Schema((table,)))
    for column in listed:
        if column.kind != "number":
            world.index.add(name, column, [str(row[column.name]) for row in table_rows])
    return world


def _pool(rng: random.Random, attribute: Attribute, rows: int, names: list[str]) -> list[str]:
    if attribute.values:
        if set(attribute.values) == {"yes", "no"}:
            return ["yes", "no"]
        return rng.sample(attribute.values, min(len(attribute.values), rng.randint(2, 7)))
    pool = distinct(rng, attribute.maker, rng.randint(3, max(4, rows // 2)))
    if rng.random() < 0.15:
        pool[0] = rng.choice(names)  # a value that two columns hold, as Monaco is a country and its capital
    return pool


def make_facts(
    rng: random.Random, domain: Domain, names: list[str], least: int = 2, most: int = 4
) -> dict[str, dict[str, list[str]]]:
    """Facts of ``least`` to ``most`` relations between ``names`` and invented others."""
    count = min(len(domain.relations), rng.randint(least, most))
    facts: dict[str, dict[str, list[str]]] = {}
    for relation in rng.sample(domain.relations, count):
        facts[relation.name] = relate(rng, relation, names)
    return facts


def relate(rng: random.Random, relation: Relation, names: list[str]) -> dict[str, list[str]]:
    """Objects for each name: other names for ``self`` and ``sym`` (both ways), values otherwise."""
    found: dict[str, list[str]] = {name: [] for name in names}
    if relation.target == "sym":
        for _ in range(len(names) * min(relation.most, 4) // 2 + 1):
            one, other = rng.sample(names, 2)
            if other not in found[one]:
                found[one].append(other)
                found[other].append(one)
        return found
    if relation.target == "self":
        pool = names
    elif relation.values:
        pool = list(relation.values)
    else:
        shared = max(2, len(names) * relation.most // 2)
        pool = distinct(rng, relation.maker, shared if relation.name != "capital" else len(names))
        if relation.name == "capital":
            return {name: [town] for name, town in zip(names, pool, strict=True)}
    for name in names:
        others = [other for other in pool if other != name]
        found[name] = rng.sample(others, min(len(others), rng.randint(1, relation.most)))
    return found
