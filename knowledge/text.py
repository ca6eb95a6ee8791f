"""Words, folding and sentences: what the lexical, dense and graph sides of the store agree on.

``fold`` takes away what people type differently (case, diacritics); ``words`` finds words with their places.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

# Letters that have no decomposition in Unicode and are yet typed as a plain letter, or not at all.
_PLAIN = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ʻ": "", "ʼ": ""}
)

# A combining mark belongs to the letter before it; without it a decomposed "ã" would end the word.
_WORD = re.compile(r"[\w\u0300-\u036f]+")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[^\W_])|\n\s*\n")
_ABBREVIATIONS = frozenset("mr mrs ms dr st prof vs etc approx no vol fig e.g i.e".split())

STOPWORDS = frozenset(
    """a about all also am an and any are as at be been but by can could did do does for from had has have he her
    his how i in into is it its me more most my no not of on one or our out she so some than that the their them
    then there these they this to up us use was we were what when where which who whom whose why will with would
    you your""".split()
)


class Word(NamedTuple):
    """A word of a text: its folded form and where it stands (``text[start:end]``)."""

    key: str
    start: int
    end: int


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """The word or name without case and diacritics: ``São Tomé`` and ``sao tome`` fold to the same."""
    return folded(text)


def folded(text: str) -> str:
    """:func:`fold` for a whole text, which is not worth remembering."""
    if text.isascii():
        return text.lower()
    marks = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in marks if not unicodedata.combining(c)).casefold().translate(_PLAIN)


def words(text: str) -> list[Word]:
    """The words of ``text`` in order, folded, with their places."""
    found = (Word(fold(match.group()), match.start(), match.end()) for match in _WORD.finditer(text))
    return [word for word in found if word.key]


@lru_cache(maxsize=65536)
def key_of(name: str) -> str:
    """What a name is looked up by: its folded words, one space between them. Empty when it has no word."""
    return " ".join(word.key for word in words(name))


def sentences(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """The places of the sentences in ``text[start:end]``, in order, without the white space around them."""
    stop = len(text) if end is None else end
    begin = start
    for match in _SENTENCE_END.finditer(text, start, stop):
        last = text[begin : match.start()].rsplit(None, 1)[-1:] or [""]
        # "St. George" is one sentence, and so is "J. Smith".
        word = last[0].rstrip(".").lower()
        if last[0].endswith(".") and "\n" not in match.group() and (word in _ABBREVIATIONS or len(word) == 1):
            continue
        yield from _stripped(text, begin, match.start())
        begin = match.end()
    yield from _stripped(text, begin, stop)


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end
