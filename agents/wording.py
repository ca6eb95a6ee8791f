"""The form in which a request is read by heads."""

from __future__ import annotations

_LEAST, _SHARE = 12, 0.85


def as_read(request: str) -> str:
    """The request with one space between words, and in small letters where nearly all of its letters are capitals.

    A telegram's words in capitals are other tokens than the same words in a sentence, and heads have seen few of them.

    >>> as_read("WHICH  CURRENCY PERU STOP"), as_read("Which currency, PERU?")
    ('which currency peru stop', 'Which currency, PERU?')
    """
    text = " ".join(request.split())
    letters = [letter for letter in text if letter.isalpha()]
    capitals = sum(letter.isupper() for letter in letters)
    return text.lower() if len(letters) >= _LEAST and capitals > _SHARE * len(letters) else text
