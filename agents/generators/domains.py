"""What invented worlds are about: some forty domains with the words in which people ask about them.

One paragraph a domain. Its first line names the thing, its plural, the maker of names and identifiers of the key
column. Then one line a column or relation, its parts separated by ``|``:

    n identifiers | nouns | adjectives for much / for little | least, most        a number
    c identifiers | nouns | values or @maker | phrases                            one text value
    l identifiers | nouns | values or @maker | phrases                            several values
    r relation | nouns | verb phrases | self, sym, @maker or values | most        a fact of the graph

A phrase holds ``@`` for the noun phrase it changes and ``{v}`` for the value; ``use(s)`` is plural (singular).
"""

from __future__ import annotations

from dataclasses import dataclass

from .places_text import PLACES
from .things_text import THINGS


@dataclass(frozen=True)
class Attribute:
    """A column as people speak of it. ``kind``: n number, c one text, l several texts."""

    kind: str
    idents: tuple[str, ...]
    nouns: tuple[str, ...]
    high: tuple[str, ...] = ()
    low: tuple[str, ...] = ()
    least: float = 0
    most: float = 0
    values: tuple[str, ...] = ()
    maker: str = ""
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Relation:
    """A relation of the graph. ``target``: self, sym, or "" with values or a maker; ``most`` objects a subject."""

    name: str
    nouns: tuple[str, ...]
    verbs: tuple[str, ...]
    target: str
    maker: str
    values: tuple[str, ...]
    most: int


@dataclass(frozen=True)
class Domain:
    """What a world is about."""

    one: str
    many: str
    maker: str
    keys: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    relations: tuple[Relation, ...]


def _comma(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip() and part.strip() != "-")


def _attribute(kind: str, parts: list[str]) -> Attribute:
    idents, nouns = tuple(parts[0].split()), _comma(parts[1])
    if kind == "n":
        high, low = parts[2].split("/")
        least, most = (float(part) for part in parts[3].split(","))
        return Attribute(kind, idents, nouns, _comma(high), _comma(low), least, most)
    values, phrases = parts[2], tuple(parts[3].split("~"))
    if values.startswith("@"):
        return Attribute(kind, idents, nouns, maker=values[1:], phrases=phrases)
    return Attribute(kind, idents, nouns, values=tuple(values.split("/")), phrases=phrases)


def _relation(parts: list[str]) -> Relation:
    target, maker, values = parts[3], "", ()
    if target.startswith("@"):
        target, maker = "", target[1:]
    elif target not in ("self", "sym"):
        return Relation(parts[0], _comma(parts[1]), _comma(parts[2]), "", "", tuple(target.split("/")), int(parts[4]))
    return Relation(parts[0], _comma(parts[1]), _comma(parts[2]), target, maker, values, int(parts[4]))


def parse(text: str) -> tuple[Domain, ...]:
    domains = []
    for paragraph in text.strip().split("\n\n"):
        head, *lines = paragraph.strip().split("\n")
        one, many, maker, keys = head.split("|")
        attributes = [_attribute(line[0], line[2:].split("|")) for line in lines if line[0] in "ncl"]
        relations = [_relation(line[2:].split("|")) for line in lines if line[0] == "r"]
        domains.append(Domain(one, many, maker, tuple(keys.split()), tuple(attributes), tuple(relations)))
    return tuple(domains)


DOMAINS = parse(PLACES) + parse(THINGS)
GEOGRAPHY = DOMAINS[0]


def is_year(attribute: Attribute) -> bool:
    """Whether a number column holds years, which nobody adds up."""
    return (
        "year" in attribute.nouns[0]
        or attribute.least >= 900
        and attribute.most <= 2100
        or "eruption" in attribute.nouns[0]
    )


def between_things(domain: Domain) -> tuple[Relation, ...]:
    """The relations that lead from one thing of the world to another, which a table cannot hold."""
    return tuple(relation for relation in domain.relations if relation.target)


def untabled(domain: Domain) -> tuple[Relation, ...]:
    """The relations that no column says as well."""
    nouns = {noun for attribute in domain.attributes for noun in attribute.nouns}
    return tuple(relation for relation in domain.relations if relation.target or not nouns & set(relation.nouns))


def relation_of(domain: Domain, name: str) -> Relation:
    """The relation of this name."""
    return next(relation for relation in domain.relations if relation.name == name)
