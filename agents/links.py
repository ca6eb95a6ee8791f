"""Links: which values of the tables a question names, and the numbers in it. Rules, no choices."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from .sql import BEGINS, LIKE, Column, Condition
from .wording import as_read

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?", re.UNICODE)
_ENDINGS = ("s", "es", "n", "an", "ian", "ean", "'s", "’s", "s'")
_LONGEST = 6
_A_LETTER = r"[\"'“‘]?([b-hj-z]|(?-i:A)|[ai](?!\s+\w))(?![-'’.]?\w)[\"'”’]?"
_INITIAL = re.compile(
    r"\b(?:(?:start|begin|commenc)\w*(?:\s+(?:their|its|names?))*\s+(?:with|by|in|on|letters?)"
    r"|first letters?|initials?\b)(?:[\s:]+(?:is|was|being|of|an?|the|letters?|capital|either))*[\s:]+"
    r"(" + _A_LETTER + r"(?:(?:\s?[,/]\s?|,?\s(?:or|and)\s)" + _A_LETTER + r")*)",
    re.IGNORECASE,
)
_THE_LETTER = re.compile(r"\bletter\s+(?:is\s+)?(" + _A_LETTER + ")", re.IGNORECASE)
_ELSEWHERE = re.compile(
    r"\b(?:end\w*|contain\w*|includ\w*|ha[sv]e?|having|without|lack\w*|miss\w*|last|second|third|not?)"
    r"\W+(?:\w+\W+){0,3}$",
    re.IGNORECASE,
)
_ONE_LETTER = re.compile(r"\b[^\W\d_]\b")
_COMMON = frozenset(
    "a all am an and any are as at be big but by can de did do far for gdp get go has he her him his how i if in is it "
    "its km la may me my new no not of off old on one or our out own pay per pls put run say see set she sir six so "
    "sum tax ten the to top try two up us use via war was we who why yes you".split()
)
"""Words of up to three letters that are not meant as codes in a question that is all capitals."""


def fold(text: str) -> str:
    """Lower case without diacritics, words separated by one space: the form in which values are compared."""
    if not text.isascii():
        plain = unicodedata.normalize("NFKD", text)
        text = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(_WORD.findall(text.lower()))


def stems(words: str) -> Iterable[str]:
    """The folded words, and what they may be a plural, a possessive or an adjective of (African → africa)."""
    yield words
    for ending in _ENDINGS:
        if words.endswith(ending) and len(words) - len(ending) > 2:
            yield words[: -len(ending)]
    if words.endswith("ies"):
        yield words[:-3] + "y"
    if words.endswith("an") and len(words) > 5:
        yield words[:-2] + "e"


def parts(value: str) -> list[str]:
    """The elements of a list-like value, split at commas and semicolons."""
    return [part.strip() for part in re.split(r"[,;]", value) if part.strip()]


class ValueIndex:
    """Which column values a question names: exact values, elements of lists, last words of longer values.

    Case, diacritics, plural and adjective endings are folded. Values of up to three letters (codes) are found only
    in their own case, since ``IN`` and ``IS`` are also words. Where a letter to begin with is named, it is one of the
    column of its table that was added first.
    """

    def __init__(self) -> None:
        self._exact: dict[str, list[Condition]] = {}
        self._flags: dict[str, list[Condition]] = {}
        self._seen: set[tuple[str, str, str]] = set()
        self._first: dict[str, str] = {}

    def add(self, table: str, column: Column, values: Iterable[str]) -> None:
        """Index the distinct text values of one column. Number columns are ignored."""
        if column.kind == "number":
            return
        self._first.setdefault(table, column.name)
        distinct = dict.fromkeys(value for value in values if value)
        if {value.lower() for value in distinct} == {"yes", "no"}:
            for value in sorted(distinct, reverse=True):
                self._put(self._flags, fold(column.name.replace("_", " ")), Condition(table, column.name, "=", value))
            return
        tails: dict[str, tuple[str, int]] = {}
        for value in distinct:
            pieces = parts(value) if column.kind == "list" else [value]
            for piece in pieces:
                if "%" in piece or not piece.isprintable() or len(piece) > 60:
                    continue
                operator = LIKE if column.kind == "list" else "="
                key = unicodedata.normalize("NFKC", piece) if len(piece) <= 3 else fold(piece)
                self._put(self._exact, key, Condition(table, column.name, operator, piece))
                words = piece.split()
                if len(words) > 1 and len(words[-1]) > 2 and words[-1].islower():
                    last = fold(words[-1])
                    tails[last] = (words[-1], tails.get(last, ("", 0))[1] + 1)
        for key, (word, _) in tails.items():
            if not any(known.column == column.name for known in self._exact.get(key, ())):
                self._put(self._exact, key, Condition(table, column.name, LIKE, word))

    def _put(self, index: dict[str, list[Condition]], key: str, condition: Condition) -> None:
        same = (key, condition.column, condition.sql())
        if key and same not in self._seen:
            self._seen.add(same)
            index.setdefault(key, []).append(condition)

    def link(self, question: str, at_most: int = 8) -> tuple[Condition, ...]:
        """The conditions that the question's words name, longest match first at each place, in order of place."""
        found: dict[Condition, None] = {}
        for _, _, here in self.matches(question):
            found |= dict.fromkeys(here)
        return tuple(found)[:at_most]

    def matches(self, question: str) -> list[tuple[int, int, tuple[Condition, ...]]]:
        """Where the question names a value, from character to character, and what that says; in order, apart."""
        question = unicodedata.normalize("NFKC", question)
        matches = list(_WORD.finditer(question))
        raw = [match.group() for match in matches]
        words = [fold(word) or word.lower() for word in raw]
        if as_read(question) != " ".join(question.split()):  # all capitals: IN is a word, and PEN may be a code
            raw = ["" if word.lower() in _COMMON else word for word in raw]
        found: list[tuple[int, int, tuple[Condition, ...]]] = []
        place = 0
        while place < len(words):
            for length in range(min(_LONGEST, len(words) - place), 0, -1):
                here = self._lookup(" ".join(words[place : place + length]), raw[place] if length == 1 else "")
                if here:
                    found.append((matches[place].start(), matches[place + length - 1].end(), tuple(here)))
                    place += length
                    break
            else:
                place += 1
        said = [one for one in _THE_LETTER.finditer(question) if not _ELSEWHERE.search(question[: one.start()][-80:])]
        for match in [*_INITIAL.finditer(question), *said]:
            letters = dict.fromkeys(_ONE_LETTER.findall(match[1].upper()))
            here = [Condition(table, name, BEGINS, letter) for letter in letters for table, name in self._first.items()]
            found = [one for one in found if one[1] <= match.start(1) or match.end(1) <= one[0]]
            found.append((*match.span(1), tuple(here)))
        return sorted(found, key=lambda one: one[:2])

    def _lookup(self, words: str, raw: str) -> list[Condition]:
        if raw and raw in self._exact and len(raw) <= 3:
            return self._exact[raw]
        for stem in stems(words):
            if len(stem) > 3 and stem in self._exact:
                return self._exact[stem]
            if stem in self._flags:
                return self._flags[stem]
        return []


_SCALES = {
    "hundred": 100,
    "thousand": 10**3,
    "k": 10**3,
    "million": 10**6,
    "millions": 10**6,
    "mil": 10**6,
    "mio": 10**6,
    "mln": 10**6,
    "m": 10**6,
    "mn": 10**6,
    "bn": 10**9,
    "billion": 10**9,
    "billions": 10**9,
    "trillion": 10**12,
    "dozen": 12,
}
_ONES = dict(zip("one two three four five six seven eight nine".split(), range(1, 10), strict=True))
_TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_NUMERALS = {word: number for word, number in _ONES.items() if number > 1} | {
    **dict(zip(_TEENS, range(10, 20), strict=True)), **_TENS, "dozen": 12, "hundred": 100,
}  # fmt: skip
_SMALL = rf"(?:(?:{'|'.join(_TENS)})(?:[\s-](?:{'|'.join(_ONES)}))?|{'|'.join(_TEENS)}|{'|'.join(_ONES)})"
_SPELLED = re.compile(
    rf"\b(?:(?:({_SMALL}|an?)[\s-])?hundred\s+(?:and\s+)?({_SMALL})"
    rf"|({'|'.join(_TENS)})[\s-]({'|'.join(_ONES)}))\b(?![\s-](?:letter|digit|party|star))",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"(?<![\w.])(\d{1,3}(?:,\d{3})+|\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)|\d+(?:\.\d+)?)"
    r"(?:[\s-]*(hundred|dozen|thousand|k|millions?|mil|mio|mln|mn?|bn|billions?|trillion)\b|\b)"
    r"|\b(an?|one|" + "|".join(_NUMERALS)
    + r")(?:[\s-]+(hundred)(?=[\s-]+(?:thousand|million|billion|trillion)))?"
    r"(?:[\s-]+(hundred|thousand|million|billion|trillion|dozen))?\b",
    re.IGNORECASE,
)
_BETWEEN_THOUSANDS = re.compile(r"[, \u00a0\u202f]")
# "between 5 and 10 million": the first figure shares the scale of the second.
_UNTIL = "(?:and|or|(?:up ?)?to|through|till|until)"
_SHARED = re.compile(
    r"(?<![\d,.])(?<!\d[ \u00a0\u202f])\b((?:\d+(?:\.\d+)?)(?=\s+" + _UNTIL + r"\s)|\d{1,3}(?:\.\d+)?(?=\s*[-–]))"
    r"(?:\s+" + _UNTIL + r"\s+|\s*[-–]\s*)"
    r"(\d+(?:\.\d+)?)[\s-]*(million|billion|thousand|mil|mio|mln|bn|k)\b",
    re.IGNORECASE,
)


_BY = "(dozen|thousand|million|billion|trillion)s?"
_RANGE = re.compile(rf"\b({_SMALL})(\s+{_UNTIL}\s+)({_SMALL})[\s-]+{_BY}\b", re.IGNORECASE)
_WHOLE = rf"(an?|\d+|{_SMALL})"
_A_PART = r"\s+and\s+(?:an?\s+)?(half|quarter)"
_MIXED = re.compile(rf"\b{_WHOLE}(?:{_A_PART}\s+{_BY}|\s+{_BY}{_A_PART})\b", re.IGNORECASE)
_PARTS = {"half": 0.5, "quarter": 0.25, "quarters": 0.25}
_PART = re.compile(
    rf"\b(?:(an?|one|two|three)[\s-]+)?(half|quarters?)(?:\s+of)?\s+(?:an?\s+|one\s+)?{_BY}\b", re.IGNORECASE
)
_MOST = 1e18  # beyond it a figure is none that a table holds


def _small(words: str) -> int:
    """``twenty-five`` as 25; digits as they are."""
    words = words.lower()
    if words.isdigit():
        return int(words)
    ones = {"a": 1, "an": 1} | _ONES
    return sum(ones.get(word) or _NUMERALS[word] for word in re.split(r"[\s-]", words))


def _in_digits(question: str) -> str:
    """Numbers of several words in digits: ``two hundred and fifty``, ``five to ten million``, ``a quarter million``."""
    question = _MIXED.sub(
        lambda m: f"{_small(m[1]) + _PARTS[(m[2] or m[5]).lower()]:g} {m[3] or m[4]}", question
    )
    question = _PART.sub(lambda m: f"{_small(m[1] or 'one') * _PARTS[m[2].lower()]:g} {m[3]}", question)
    question = _RANGE.sub(lambda m: f"{_small(m[1])}{m[2]}{_small(m[3])} {m[4]}", question)
    return _SPELLED.sub(
        lambda m: str(100 * _small(m[1] or "one") + _small(m[2]) if m[2] else _small(f"{m[3]} {m[4]}")), question
    )


def numbers(question: str, at_most: int = 4) -> tuple[str, ...]:
    """The numbers in a question, written out: ``50 million`` → ``50000000``, ``three`` → ``3``."""
    question = _SHARED.sub(r"\1 \3 and \2 \3", _in_digits(question))
    found: list[str] = []
    for digits, scale, word, hundred, times in _NUMBER.findall(question):
        if word:
            if word.lower() not in _NUMERALS and not times:
                continue
            value = float(_NUMERALS.get(word.lower(), 1) * (100 if hundred else 1))
            value *= _SCALES.get(times.lower(), 1)
        else:
            value = round(float(_BETWEEN_THOUSANDS.sub("", digits)) * _SCALES.get(scale.lower(), 1), 6)
        if value > _MOST:
            continue
        text = str(int(value)) if value == int(value) else str(value)
        if text not in found:
            found.append(text)
    return tuple(found[:at_most])


_PLACES = {"second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "fifth": 5, "5th": 5}
_PLACE = re.compile(r"(?<!ty[ -])\b(" + "|".join(_PLACES) + r")(?:[- ](?=\w)|-)", re.IGNORECASE)
_RANKED = re.compile(
    r"\b(?:rank|com|came|plac|finish|stand)(?:s|es|e|ed|ing)?\s+(?:as\s+|in\s+|on\s+|at\s+)?(?:the\s+)?("
    + "|".join(_PLACES) + r")\b|(?:\b(?:number|rank|place|position)\s+|(?:\bno\.|\bnr\b\.?|#)\s*)"
    r"(two|three|four|five|[2-5])\b(?!\s+(?:hundred|thousand|million|billion)|[-.,]\w)",
    re.IGNORECASE,
)  # fmt: skip
_AFTER_THE_FIRST = re.compile(
    r"\brunner[- ]up\b|\bpenultimate\b|\b(?:last|first|top|bottom) but one\b"
    r"|\bnext[- ](?:to[- ])?(?:last|most|in|by)\b"
    r"|\bnext[- ](?:to[- ])?(?:larg|bigg|high|small|low)"
    r"|\b(?:most|least|fewest|(?:bigg|larg|great|high|small|low|tini|rich|poor|wealthi|dens|empti)\w*est)\b"
    r"[^.?!;,]{0,60}\b(?:after|behind)\s+(?!that|this|it\b|the\b|ww|wars?\b|world|independ)[a-z]"
    r"|\b(?:right|just|next) (?:after|behind) (?:it|that|(?-i:[A-Z]))",
    re.IGNORECASE,
)


def places(question: str) -> tuple[int, ...]:
    """The places in an order that a question names: ``second largest`` → 2."""
    found = [_PLACES[word.lower()] for word in _PLACE.findall(question)]
    for place, number in _RANKED.findall(question):
        found.append(_PLACES[place.lower()] if place else int(_NUMERALS.get(number.lower(), 0) or number))
    found += [2] if _AFTER_THE_FIRST.search(question) else []
    return tuple(dict.fromkeys(found))
