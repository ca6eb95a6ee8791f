"""Requests put together from what people asked the coder and the reader alone: one want, two wants, or a chain.

People wrote far more questions to one role than whole requests. A question with its SQL is a request to whoever has
the table, a question for a fact one to whoever has the texts; two of them side by side are two wants; and a question
for a fact about the country that another asks for, or one about a set that is to be found first, are chains.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cache

from ..sql import NOTHING
from .casts import FACTS, FIGURES
from .parts import Part, Request
from .templates import COLUMN, KEY, SLOT, Template, fill, read, said, world_for
from .worlds import World
from .written_requests import MARKED, asked, first_words

_NAMES = 4  # that two wants have together, at most: there are no fewer in a table
LONGEST = 110
"""Letters of one of two wants, at most: longer ones have room enough for wants of their own."""
_FACTS, _FIGURES = ("facts_country", "facts_named"), ("coder_country",)
_SET = "IN (:given)"
_ONE = re.compile(
    r"SELECT ([^()]+) FROM t(?: WHERE (?:(?:\( )?\[\*\] = \{\*\}(?: OR \[\*\] = \{\*2\} \))?"
    r"|\[[^\[\]]+\] = \{[^{}]*code\})|.* LIMIT 1(?: OFFSET \d)?)"
)
"""What asks for columns of one country, named, found or told by its code, or of two."""
_WORDS = ("capital", "official languages", "currency", "driving side", "year of independence")
_NO_FIGURES = {*_WORDS, "continent", KEY}
_TOLD = ("dish", "government", "official name", "temperature", "independence", "neighbours", "region")
"""What texts and the graph alone tell of a country that was found by figures."""
_BY_THE_WAY = re.compile(
    r"\{(?:place|year of independence|k)\d?\}|\{\*2\}|(?:the|an?|your|our|this|that) \{\*\}", re.IGNORECASE
)
_MORE = re.compile(
    r"neighbo|border|surround|touch|adjoin|adjacent|next door|dish|\beat|\bfood|cook|cuisine|meal|flag|anthem|govern|"
    r"\brule|\bking|monarch|reign|throne|president|head of state|\bfull name|official\w* (?:name|title|call)|title|"
    r"ceremon|weather|winter|summer|climate|temperature|warm|\bcold|custom|greet|history|recommend|advi[sc]e|suggest|"
    r"similar|\bregion|\b(?:where|what|whither) (?:now|next|else)\b|something like|like (?:it|that|them|those)\b|"
    r"\bloved?\b|story",
    re.IGNORECASE,
)
"""Words of what no SQL tells: a line that has them may hold another want."""
_NO_FACT = re.compile(
    r"population|inhabit|headcount|how many (?:people|souls)|\barea\b|square|\bkm|\bgdp|\beconom|\bcode|\bcoast|"
    r"landlock|recommend|advi[sc]e|suggest|similar",
    re.IGNORECASE,
)
_LINKS = (
    " and ", " and ", ", and ", "? And ", ". Also, ", "; ", "? ", ". ", ", also ", " and then ", " plus ", " + ", " & ",
    " / ", " - ", ", plus ", "; and ", ". Then ", ", then ", "? Second question: ", ". Separately, ", " stop ", " n ",
)  # fmt: skip
_NUMBERED = (("1) ", " 2) "), ("(a) ", " (b) "), ("First, ", "; second, "), ("1. ", " 2. "), ("A: ", ". B: "),
             ("Two things: ", " and "))  # fmt: skip


def request(rng: random.Random) -> tuple[World, Request] | None:
    """One put together; None where what was drawn does not go together."""
    makers: tuple[Callable[[random.Random], tuple[World, Request] | None], ...] = (_alone, _beside, _fact_of, _of_set)
    return rng.choices(makers, (2.0, 3.0, 2.0, 1.5))[0](rng)


@cache
def _facts() -> tuple[Template, ...]:
    """Questions for one fact about a named country; none that a table tells or that asks for a recommendation."""
    return tuple(one for one in read(*_FACTS)["country"] if "[" not in one.right and not _NO_FACT.search(one.right))


@cache
def _figures() -> tuple[Template, ...]:
    """Questions with SQL that ask for figures alone."""
    return tuple(one for one in read(*_FIGURES)["country"] if _SET not in one.right and not _for_others(one))


def _for_others(template: Template) -> bool:
    """Whether it asks for words about one named country, a reader's work, or for more than its SQL tells."""
    sql, slots = template.right, {match.group().replace("~", "") for match in SLOT.finditer(template.left)}
    one = _ONE.fullmatch(sql)
    told = one is not None and set(_WORDS) & set(COLUMN.findall(one[1])) and set(COLUMN.findall(one[1])) <= _NO_FIGURES
    return sql == NOTHING or bool(told) or any(slot not in sql for slot in slots) or bool(_beyond(template))


def _beyond(template: Template) -> re.Match[str] | None:
    return None if "neighbours" in template.right else _MORE.search(template.left)


def _words(template: Template) -> str:
    """The question of a line: at the left of its SQL, at the right of what it asks for."""
    return template.left if template.right.startswith("SELECT") else template.right


def _kind(template: Template) -> str:
    return FIGURES if template.right.startswith("SELECT") else FACTS


def _alone(rng: random.Random) -> tuple[World, Request]:
    template = rng.choice(_facts() if rng.random() < 0.6 else _figures())
    world = world_for(rng, template)
    text = said(_words(template), fill(rng, world, (_words(template),)))
    return world, Request(text, (Part(_kind(template), text),))


def _beside(rng: random.Random) -> tuple[World, Request] | None:
    """Two wants that do not need each other."""
    pools = rng.choices(((_facts, _figures), (_figures, _facts), (_facts, _facts), (_figures, _figures)), (4, 4, 1, 2))
    drawn = [rng.choice(pool()) for pool in pools[0]]
    named = sum(text.count("{*") for text in map(_words, drawn))
    if drawn[0].left == drawn[1].left or any(len(_words(one)) > LONGEST for one in drawn) or named > _NAMES:
        return None
    world = world_for(rng, Template(drawn[0].domain, " ".join(map(_words, drawn)), "", drawn[0].where))
    texts: list[str] = []
    taken: list[str] = []
    for one in drawn:
        fillings = fill(rng, world, (_words(one),), taken)
        taken += [name for name in world.names if any(filling.words == name for filling in fillings.values())]
        texts.append(said(_words(one), fillings).rstrip("?.! ,;:"))
    both = joined(rng, texts, [_kind(one) for one in drawn])
    return None if both is None else (world, both)


def joined(rng: random.Random, texts: list[str], kinds: list[str]) -> Request | None:
    """Two wants in one message; None where both say the same."""
    before, link = ("", rng.choice(_LINKS)) if rng.random() < 0.85 else rng.choice(_NUMBERED)
    first, second = texts
    if before and rng.random() < 0.5:
        first = _small(first)
    if second.lower().startswith("and ") and "and" in link.lower():
        second = second[4:]
    if link.strip() in (".", "?") or rng.random() < 0.2:
        second = second[0].upper() + second[1:]
    else:
        second = _small(second)
    end = rng.choice(("?", "?", ".", "", ""))
    if first.lower() == second.lower():
        return None
    text = f"{before}{first}{link}{second}{end}"
    return Request(text, (Part(kinds[0], first), Part(kinds[1], second)))


def _small(text: str) -> str:
    """Begun in lower case, but where a name, ``I`` or a word in capitals begins it."""
    word = re.split(r"\W", text, maxsplit=1)[0]
    common = word.lower() in _BEGINNINGS
    return text[0].lower() + text[1:] if common and (len(word) == 1 or not word.isupper()) else text


_BEGINNINGS = frozenset(
    "a an and any are as at by can could do does for from give has have how if in into is it kindly let list name of "
    "on please say so some tell that the there they to under until we what when where which who whom whose why will "
    "with would you".split()
)


@cache
def _extremes() -> tuple[str, ...]:
    """What asks for a country by figures, as the first of two steps, in the words of those who wrote requests.

    No sentences, which do not go where a name stands.
    """
    return tuple(
        words[0]
        for one in read("planner_country")["country"]
        if one.left.replace(" ", "") == "coder>qa" and len(words := MARKED.findall(one.right)) == 1
        and not _SENTENCE.search(words[0])
    )  # fmt: skip


_SENTENCE = re.compile(
    r"[.?;:!]|^(?:wh(?:ich|at|o|ere|en)|how|find|rank|take|give|get|name|list|tell|nobody|among|of|in|from|is|are|if|let|"
    r"look|count|sort|there)\b|\b(?:has|have|is|are) (?:more|fewer|less|the)\b",
    re.IGNORECASE,
)


def of_found(rng: random.Random) -> Template:
    """A question for a fact about a country that figures find, in brackets what they are asked for it."""
    template, phrase = rng.choice(_of_any()), rng.choice(_extremes())
    return _found(template, phrase)


@cache
def _of_any() -> tuple[Template, ...]:
    """Questions for a fact that can be asked of whatever country was found."""
    return tuple(one for one in _facts() if not _BY_THE_WAY.search(one.right))


def _found(template: Template, phrase: str) -> Template:
    if not template.right.startswith("{*}"):
        phrase = _small(phrase)
    return Template(template.domain, template.left, template.right.replace("{*}", f"[{phrase}]"), template.where)


def _fact_of(rng: random.Random) -> tuple[World, Request]:
    """A fact about the country that figures find, where the table does not tell it too."""
    told = [one for one in _of_any() if one.left in _TOLD]
    template = _found(rng.choice(told), rng.choice(_extremes()))
    world = world_for(rng, template)
    return world, asked(rng, world, Template(template.domain, "coder>qa", template.right, template.where))


@cache
def _sets() -> tuple[Template, ...]:
    """Questions with SQL about what was found before, that name it in words which also ask for it alone."""
    found = []
    for one in read(*_FIGURES)["country"]:
        marked = _marked(one.left) if _SET in one.right else ""
        if marked:
            found.append(Template(one.domain, "qa>coder", marked, one.where))
    return tuple(found)


def _marked(text: str) -> str:
    """The question with the longest such words in brackets; empty where it has none."""
    at, length = 0, 0
    for slot in ("{*}", "{region}", "{dish}", "{place}"):
        for words in first_words(slot) if text.count(slot) == 1 else ():
            found = text.lower().find(words.lower())
            able = found >= 0 and len(words) > length and _whole(text, found, len(words))
            if able and not _LEADING.match(words) and " has " not in words:
                at, length = found, len(words)
    cut = _GOES_ON.match(text, at + length)
    return f"{text[:at]}[{text[at : at + length]}]{text[at + length :]}" if length and not cut else ""


_GOES_ON = re.compile(r" (?:as )?(?:its|the|their|a) national", re.IGNORECASE)
_LEADING = re.compile(r"(?:in|of|from|among|within|across|on|at|by|for|round|around|near|beside)\b", re.IGNORECASE)


def _whole(text: str, at: int, length: int) -> bool:
    """Whether no word is cut."""
    return not (text[at - 1 : at].isalnum() or text[at + length : at + length + 1].isalnum())


def _of_set(rng: random.Random) -> tuple[World, Request]:
    """A question of figures about a set that must be found first."""
    template = rng.choice(_sets())
    world = world_for(rng, template)
    return world, asked(rng, world, template)
