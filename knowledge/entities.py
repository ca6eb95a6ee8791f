"""Entities: finding names in passages by rule, and linking the names in a text to the entities of the store."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .text import STOPWORDS, Word, fold, key_of, sentences, words

# In words; a longer name is found by nothing but itself.
LONGEST_NAME = 12

# A run of capitalised words, joined by the small words that stand inside names ("Isle of Man", "Trinidad and Tobago").
_CAPITAL = r"[A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĘĚĢĪĶŁŃŇŌŐŘŚŞŠŤŪŮŰŹŻŽ]"
_NAME = rf"{_CAPITAL}[\w'’.&-]*"
NAME_RUN = rf"{_NAME}(?:\s+(?:(?:of|the|and|de|la|del|da|do|du|van|von|y)\s+){{0,2}}{_NAME})*"
_RUN = re.compile(NAME_RUN)
_PUNCTUATION = re.compile(r"[.,'’&-]+$")
_POSSESSIVE = re.compile(r"['’]s\.?$")
_QUALIFIED = re.compile(r"\s*\([^()]*\)\s*$")
_ARTICLE = re.compile(r"^(?:the|The)\s+")


@dataclass(frozen=True)
class Mention:
    """An entity named in a text at ``text[start:end]``.

    Attributes:
        entity: the entity it most probably means.
        others: further entities that the same words can mean ("French" is a language, and people of France).
        sure: whether a title, a fact or an alias vouches for it, and not only capital letters in texts.
    """

    entity: str
    start: int
    end: int
    others: tuple[str, ...] = ()
    sure: bool = True


def title_names(title: str, headings: Sequence[str] = ()) -> list[str]:
    """What a passage is about: its headings where it has some, else its title; "Lilu" beside "Lilu (mythology)"."""
    named = []
    for name in headings or [title]:
        named += [name, _QUALIFIED.sub("", name)]
    return [name for name in dict.fromkeys(named) if key_of(name)]


def names_in(title: str, text: str, headings: Sequence[str] = ()) -> dict[str, bool]:
    """The names that a passage mentions by rule: those in its title or headings, and its capitalised spans.

    Returns:
        name → whether it is certain. One capitalised word that only ever opens a sentence is uncertain: it
        counts as a mention of an entity that is known otherwise, and makes none.
    """
    found: dict[str, bool] = dict.fromkeys(title_names(title, headings), True)

    def note(name: str, certain: bool) -> None:
        if len(name) > 1 and fold(name) not in STOPWORDS and key_of(name):
            found[name] = found.get(name, False) or certain

    for start, end in sentences(text):
        for match in _RUN.finditer(text, start, end):
            name, opens = match.group(), match.start() == start
            first, _, rest = name.partition(" ")
            if opens and rest and fold(first) in STOPWORDS:
                name, opens = rest, False
            # "Bosnia and Herzegovina" or "France and Spain"? "Saint John's" or "France's"? The longer form is
            # noted without certainty: it is a name if it is known to be one otherwise.
            parts = [_ARTICLE.sub("", part) for part in name.split(" and ")]
            longer = [name] if len(parts) > 1 else []
            for form in [*longer, *(part for part in parts if _POSSESSIVE.search(part))]:
                note(_PUNCTUATION.sub("", form), False)
            for part in parts:
                note(_PUNCTUATION.sub("", _POSSESSIVE.sub("", part)), not (opens and " " not in name))
    return found


class Candidate(NamedTuple):
    """An entity that a name can mean.

    Attributes:
        rank: 0: the name is its own; 1: an alias; 2: its own, and nothing but capital letters in texts vouches for it.
        entity: its name.
        form: the name as it is written where it was given.
    """

    rank: int
    entity: str
    form: str


Lookup = Callable[[Sequence[str]], Mapping[str, list[Candidate]]]
"""Keys (see :func:`.text.key_of`) → what each can mean, best first; keys that mean nothing are left out."""


def lookup_in(names: Mapping[str, Iterable[str]], weak: Iterable[str] = ()) -> Lookup:
    """A lookup in memory.

    Args:
        names: entity → its names; the first is its own, the others are aliases. Own names win over aliases.
        weak: entities that are linked only where no other name stands (found in texts by rule alone).
    """
    known: dict[str, list[Candidate]] = {}
    for entity, forms in names.items():
        for rank, form in enumerate(forms):
            known.setdefault(key_of(form), []).append(Candidate(min(rank, 1), entity, form))
    for entity in weak:
        known.setdefault(key_of(entity), []).append(Candidate(2, entity, entity))
    for candidates in known.values():
        candidates.sort(key=lambda candidate: candidate.rank)
    return lambda keys: {key: known[key] for key in keys if key in known}


class Linker:
    """Finds entity names in texts: longest match, whole words, without regard to case and diacritics.

    An abbreviation (an alias of at most four capitals, ``US`` or ``ALL``) matches only when written in capitals:
    "us" and "all" are words. A plural or possessive matches its singular ("Georgians", "France's").

    Args:
        lookup: what knows the names, for example the tables of a store; it is asked once a text.
    """

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def entities(self, name: str) -> list[str]:
        """The entities that ``name`` as a whole means, best first."""
        key = key_of(name)
        return list(dict.fromkeys(candidate.entity for candidate in self._lookup([key]).get(key, [])))

    def link(self, text: str) -> list[Mention]:
        """The mentions in ``text``, in order, never overlapping. A weak entity never hides another one."""
        marks = words(text)
        keys: dict[str, None] = {}
        for first in range(len(marks)):
            run: list[str] = []
            for mark in marks[first : first + LONGEST_NAME]:
                start = " ".join(run)
                keys |= dict.fromkeys(f"{start} {form}" if start else form for form in _singulars(mark.key))
                run.append(mark.key)
        known = self._lookup(list(keys))
        if not known:
            return []
        strong = self._pass(text, marks, known, weak=False, taken=frozenset())
        taken = frozenset(place for mention in strong for place in range(mention.start, mention.end))
        weak = self._pass(text, marks, known, weak=True, taken=taken)
        return sorted([*strong, *weak], key=lambda mention: mention.start)

    def _pass(
        self,
        text: str,
        marks: Sequence[Word],
        known: Mapping[str, list[Candidate]],
        *,
        weak: bool,
        taken: frozenset[int],
    ) -> list[Mention]:
        found: list[Mention] = []
        position = 0
        while position < len(marks):
            step = 1
            for length in range(min(LONGEST_NAME, len(marks) - position), 0, -1):
                run = marks[position : position + length]
                if any(mark.start in taken for mark in run):
                    continue
                start, end = run[0].start, run[-1].end
                keys = [mark.key for mark in run]
                meant = _meant(keys, text[start:end], known, weak)
                if meant:
                    found.append(Mention(meant[0], start, end, tuple(meant[1:]), sure=not weak))
                    step = length
                    break
            position += step
        return found


def _meant(keys: list[str], written: str, known: Mapping[str, list[Candidate]], weak: bool) -> list[str]:
    for last in _singulars(keys[-1]):
        key = " ".join([*keys[:-1], last])
        meant = [
            candidate.entity
            for candidate in known.get(key, [])
            if (candidate.rank == 2) == weak
            and (key not in STOPWORDS or candidate.form.isupper())
            # Written small, it can still be somebody's own name, but not the abbreviation.
            and (not _abbreviates(candidate) or written.rstrip("s").isupper())
        ]
        if meant:
            return list(dict.fromkeys(meant))
    return []


def _abbreviates(candidate: Candidate) -> bool:
    return candidate.rank == 1 and candidate.form.isupper() and len(candidate.form) <= 4


def _singulars(word: str) -> list[str]:
    """The word itself, then what it may be the plural of."""
    forms = [word]
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        forms.append(word[:-1])
        if word.endswith("ies"):
            forms.append(word[:-3] + "y")
        elif word.endswith("es"):
            forms.append(word[:-2])
    return forms
