"""Entities: finding names in passages by rule, and linking the names in a text to the entities of the store."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .text import STOPWORDS, fold, key_of, sentences, words

# A run of capitalised words, joined by the small words that stand inside names ("Isle of Man", "Trinidad and Tobago").
_CAPITAL = r"[A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĘĚĢĪĶŁŃŇŌŐŘŚŞŠŤŪŮŰŹŻŽ]"
_NAME = rf"{_CAPITAL}[\w'’.&-]*"
_RUN = re.compile(rf"{_NAME}(?:\s+(?:(?:of|the|and|de|la|del|da|do|du|van|von|y)\s+){{0,2}}{_NAME})*")
_PUNCTUATION = re.compile(r"[.,'’&-]+$")
_POSSESSIVE = re.compile(r"['’]s\.?$")
_ARTICLE = re.compile(r"^(?:the|The)\s+")


@dataclass(frozen=True)
class Mention:
    """An entity named in a text at ``text[start:end]``.

    Attributes:
        entity: the entity it most probably means.
        others: further entities that the same words can mean ("French" is a language, and people of France).
    """

    entity: str
    start: int
    end: int
    others: tuple[str, ...] = ()


def names_in(title: str, text: str) -> dict[str, bool]:
    """The names that a passage mentions by rule: its title and its capitalised spans.

    Returns:
        name → whether it is certain. One capitalised word that only ever opens a sentence is uncertain: it
        counts as a mention of an entity that is known otherwise, and makes none.
    """
    found: dict[str, bool] = {title: True} if key_of(title) else {}

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


class Linker:
    """Finds entity names in texts: longest match, whole words, without regard to case and diacritics.

    An abbreviation (an alias of at most four capitals, ``US`` or ``ALL``) matches only when written in capitals:
    "us" and "all" are words. A plural or possessive matches its singular ("Georgians", "France's").

    Args:
        names: entity → its names; the first is its own, the others are aliases. Own names win over aliases.
        weak: entities that are linked only where no other name stands (found in texts by rule alone).
    """

    def __init__(self, names: Mapping[str, Iterable[str]], weak: Iterable[str] = ()) -> None:
        self._entities: dict[str, list[tuple[int, str]]] = {}
        self._capitals: dict[str, str] = {}
        self._longest: dict[str, int] = {}
        # Rank 0: own name; 1: alias; 2: a weak entity's name.
        for entity, forms in names.items():
            for rank, form in enumerate(forms):
                self._enter(form, entity, min(rank, 1))
        for entity in weak:
            self._enter(entity, entity, 2)
        for candidates in self._entities.values():
            candidates.sort(key=lambda candidate: candidate[0])

    def _enter(self, form: str, entity: str, rank: int) -> None:
        key = key_of(form)
        if not key or key in STOPWORDS and not form.isupper():
            return
        candidates = self._entities.setdefault(key, [])
        if all(name != entity for _, name in candidates):
            candidates.append((rank, entity))
        first = key.split(" ", 1)[0]
        self._longest[first] = max(self._longest.get(first, 0), key.count(" ") + 1)
        if rank == 1 and form.isupper() and len(form) <= 4:
            self._capitals[key] = form

    def entities(self, name: str) -> list[str]:
        """The entities that ``name`` as a whole means, best first."""
        return [entity for _, entity in self._entities.get(key_of(name), [])]

    def link(self, text: str) -> list[Mention]:
        """The mentions in ``text``, in order, never overlapping. A weak entity never hides another one."""
        strong = self._pass(text, weak=False, taken=[])
        weak = self._pass(text, weak=True, taken=[(mention.start, mention.end) for mention in strong])
        return sorted([*strong, *weak], key=lambda mention: mention.start)

    def _pass(self, text: str, *, weak: bool, taken: list[tuple[int, int]]) -> list[Mention]:
        found: list[Mention] = []
        marks = words(text)
        position = 0
        while position < len(marks):
            step = 1
            for length in range(min(self._reach(marks[position].key), len(marks) - position), 0, -1):
                start, end = marks[position].start, marks[position + length - 1].end
                if any(start < other_end and other_start < end for other_start, other_end in taken):
                    continue
                meant = self._meant([mark.key for mark in marks[position : position + length]], text[start:end], weak)
                if meant:
                    found.append(Mention(meant[0], start, end, tuple(meant[1:])))
                    step = length
                    break
            position += step
        return found

    def _reach(self, first: str) -> int:
        return max(self._longest.get(form, 0) for form in _singulars(first))

    def _meant(self, keys: list[str], written: str, weak: bool) -> list[str]:
        for last in _singulars(keys[-1]):
            key = " ".join([*keys[:-1], last])
            candidates = self._entities.get(key)
            if not candidates:
                continue
            if key in self._capitals and not written.rstrip("s").isupper():
                # Written small, it can still be somebody's own name, but not the abbreviation.
                candidates = [candidate for candidate in candidates if candidate[0] != 1]
            meant = [entity for rank, entity in candidates if (rank == 2) == weak]
            if meant:
                return meant
        return []


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
