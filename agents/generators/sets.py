"""Sets of things, as a noun phrase and as the WHERE clause that means the same."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from .domains import Relation, untabled
from .names import person
from .phrases import agree, is_plural, singular
from .worlds import World, make_name

ADJECTIVES = {
    "Africa": "African",
    "Europe": "European",
    "Asia": "Asian",
    "South America": "South American",
    "North America": "North American",
    "Oceania": "Oceanian",
}


@dataclass(frozen=True)
class Things:
    """A set in words and in SQL.

    Attributes:
        one, many: the noun phrase, singular and plural.
        before, verb: the phrase split, where it can be: "countries" + "use the euro".
        linked: conditions on values that the words name; ``figures``: numbers they name.
        tests: all conditions but ``linked``, which come after these.
        given: values of an earlier step that the set is among.
    """

    one: str
    many: str
    before: str = ""
    verb: str = ""
    linked: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    key: str = "name"
    joined: str = ""
    keep: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """`` WHERE …``: what was given first, then values in the order of the words, then figures."""
        conditions = ([f"{self.key} IN (:given)"] if self.given else []) + (
            [self.joined] if self.joined else list(self.linked)
        )
        conditions += self.tests
        return " WHERE " + " AND ".join(conditions) if conditions else ""


def base(world: World) -> Things:
    """Everything in the table."""
    return Things(world.domain.one, world.domain.many, key=world.key)


def given_set(rng: random.Random, world: World) -> Things:
    """A set that an earlier step found: the neighbours of somebody, those that star somebody, or just *these*."""
    names = world.names
    found = tuple(rng.sample(names, min(len(names), rng.choice((1, 2, 2, 3, 3, 4, 5, 6, 7)))))
    if rng.random() < 0.12:
        many = rng.choice(("of these", "of them", f"of these {world.domain.many}", f"of those {world.domain.many}"))
        bare = many.removeprefix("of ")
        return Things(f"one {many}", bare, bare, "", given=found, key=world.key)
    relation = rng.choice(untabled(world.domain) or world.domain.relations)
    other = rng.choice([name for name in names if name not in found] or names)
    one, many, verb, before = relation_phrase(rng, world.domain.one, world.domain.many, relation, other)
    return Things(one, many, before, verb, given=found, key=world.key, keep=(other,))


def relation_phrase(
    rng: random.Random, one: str, many: str, relation: Relation, other: str
) -> tuple[str, str, str, str]:
    """Those that stand in a relation: singular, plural, verb phrase and noun before it (empty where not split)."""
    target = relation_target(rng, relation, other)
    if relation.target == "sym" and rng.random() < 0.55 or relation.target == "self" and rng.random() < 0.4:
        noun = rng.choice([noun for noun in relation.nouns if is_plural(noun)] or [relation.nouns[0]])
        forms = [
            (f"{singular(noun)} of {target}", f"{noun} of {target}"),
            (f"{target}'s {singular(noun)}", f"{target}'s {noun}"),
        ]
        phrase = forms[0] if rng.random() < 0.75 else forms[1]
        return *phrase, "", ""
    verb = rng.choice(relation.verbs).replace("{v}", target)
    that = "that" if rng.random() < 0.85 else "which"
    if rng.random() < 0.12 and "border" in verb:
        return f"{one} bordering {target}", f"{many} bordering {target}", "", ""
    return f"{one} {that} {agree(verb, False)}", f"{many} {that} {agree(verb, True)}", agree(verb, True), many


def relation_target(rng: random.Random, relation: Relation, other: str) -> str:
    """What the relation leads to: another thing of the world, or a value."""
    if relation.target:
        return other
    if relation.values:
        value = rng.choice(relation.values)
        return value.lower() if rng.random() < 0.3 and value[:1].islower() else value
    return make_name(rng, relation.maker) if relation.maker else person(rng)


def add_filter(rng: random.Random, world: World, things: Things) -> Things | None:
    """The set, further restricted by a value of a text column; None where there is none."""
    idents = world.of_kind("c", "l")
    used = " ".join(things.linked)
    idents = [ident for ident in idents if f"{ident} " not in used]
    if not idents:
        return None
    ident = rng.choice(idents)
    attribute = world.columns[ident]
    flag = set(attribute.values) == {"yes", "no"}
    value = str(rng.choice(world.rows)[ident])
    if attribute.kind == "l":
        value = rng.choice(value.split(", "))
    surface = in_words(rng, value, bool(attribute.values))
    if flag:
        condition, negative = f"{ident} = 'yes'", False
        phrase = rng.choice(attribute.phrases)
        if ident.replace("_", " ") not in phrase:
            return None
    else:
        links = [link for link in world.index.link(surface) if link.column == ident]
        if not links:
            return None
        negative = rng.random() < 0.09 and not things.linked
        condition = links[0].sql()
        phrase = (
            rng.choice(attribute.phrases)
            if rng.random() < 0.88 or not attribute.phrases
            else f"@ {rng.choice(('with', 'whose'))} {rng.choice(attribute.nouns)} {{v}}"
        )
        if "whose" in phrase and " is " not in phrase:
            phrase = phrase.replace("{v}", "is {v}")
    opposite = ""
    if negative:
        opposite = links[0].negated()
    surface, joined, extra = _alternative(
        rng, world, ident, surface, condition, flag or negative or bool(things.linked)
    )
    return _apply(rng, things, phrase, surface, value, (condition, *extra), joined, opposite)


def _alternative(
    rng: random.Random, world: World, ident: str, surface: str, condition: str, plain: bool
) -> tuple[str, str, tuple[str, ...]]:
    """Now and then two values instead of one: "Africa or Asia"."""
    if plain or rng.random() > 0.08:
        return surface, "", ()
    value = str(rng.choice(world.rows)[ident]).split(", ")[0]
    links = [link for link in world.index.link(value) if link.column == ident]
    if not links or links[0].sql() == condition:
        return surface, "", ()
    return f"{surface} or {value}", f"( {condition} OR {links[0].sql()})", (links[0].sql(),)


def in_words(rng: random.Random, value: str, common: bool) -> str:
    """A value as people write it: "the franc" for West African franc, "euro" for Euro."""
    words = value.split()
    if common and len(words) > 1 and words[-1].islower():
        return words[-1] + rng.choice(("", "", "s")) if rng.random() < 0.55 else value
    if common and value in ("Euro", "Pound sterling"):
        return value.lower() if rng.random() < 0.85 else value
    return value


def _apply(
    rng: random.Random,
    things: Things,
    phrase: str,
    surface: str,
    value: str,
    conditions: tuple[str, ...],
    joined: str,
    opposite: str,
) -> Things | None:
    if "{a}" in phrase:
        if value not in ADJECTIVES or " or " in surface:
            return None
        phrase = phrase.replace("{a}", ADJECTIVES[value])
    if opposite:
        if not phrase.startswith("@ that ") or "(" not in phrase:
            return None
        phrase = _negate(phrase)
    phrase = phrase.replace("{v}", surface)
    before, verb = things.many, ""
    if phrase.startswith("@ that ") and "(" in phrase:
        verb = agree(phrase.removeprefix("@ that "), True)
    elif phrase.startswith(("@ in ", "@ on ")):
        verb = "are " + phrase.removeprefix("@ ")
    elif phrase.startswith("@ where ") and surface != value:
        verb = ""
    many = agree(phrase, True).replace("@", things.many)
    one = agree(phrase, False).replace("@", things.one)
    if things.verb and verb and not opposite and rng.random() < 0.6:
        single = (
            agree(phrase.removeprefix("@ that "), False)
            if phrase.startswith("@ that ")
            else verb.replace("are ", "is ", 1)
        )
        both = f"{things.joined} AND {conditions[0]}" if things.joined else joined
        return and_verb(
            things, verb, single, linked=(*things.linked, *conditions), joined=both, keep=(*things.keep, surface)
        )
    if opposite:
        return replace(
            things,
            one=one,
            many=many,
            before=before,
            verb=verb,
            linked=(*things.linked, *conditions),
            joined=opposite,
            keep=(*things.keep, surface),
        )
    return replace(
        things,
        one=one,
        many=many,
        before=before,
        verb=verb,
        linked=(*things.linked, *conditions),
        joined=joined or (f"{things.joined} AND {conditions[0]}" if things.joined else ""),
        keep=(*things.keep, surface),
    )


def and_verb(things: Things, verb: str, single: str, **changes: Any) -> Things:
    """The set with one more verb phrase: countries that speak French *and use the euro*."""
    return replace(
        things,
        one=f"{things.one} and {single}",
        many=f"{things.many} and {verb}",
        verb=f"{things.verb} and {verb}",
        **changes,
    )


def _negate(phrase: str) -> str:
    """``@ that use(s) the {v}`` → ``@ that do(does) not use the {v}``."""
    rest = phrase.removeprefix("@ that ")
    if rest.startswith("are(is) "):
        return f"@ that are(is) not {rest.removeprefix('are(is) ')}"
    head, _, tail = rest.partition("(")
    return f"@ that do(does) not {head}{tail.partition(')')[2]}"
