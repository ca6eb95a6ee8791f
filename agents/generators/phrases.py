"""English in small pieces: degrees of adjectives, number and verb agreement, figures in words, slips of the pen."""

from __future__ import annotations

import random
import re

_IRREGULAR = {
    "good": ("better", "best"), "bad": ("worse", "worst"), "far": ("farther", "farthest"),
    "little": ("smaller", "smallest"), "well paid": ("better paid", "best paid"),
    "badly paid": ("worse paid", "worst paid"),
}  # fmt: skip
_LONG = {"recent", "modern", "costly", "distant", "visited", "filling", "massive", "active"}
_DOUBLED = {"big", "fat", "thin", "flat"}


def degrees(adjective: str) -> tuple[str, str]:
    """Comparative and superlative: ``big`` → ``bigger``, ``biggest``; ``populous`` → ``more populous``, …"""
    if adjective in _IRREGULAR:
        return _IRREGULAR[adjective]
    if len(adjective) > 6 or adjective in _LONG:
        return f"more {adjective}", f"most {adjective}"
    if adjective in _DOUBLED:
        adjective += adjective[-1]
    elif adjective.endswith("y"):
        adjective = adjective[:-1] + "i"
    elif adjective.endswith("e"):
        adjective = adjective[:-1]
    return adjective + "er", adjective + "est"


def lowest(adjective: str) -> tuple[str, str]:
    """The opposite degrees of an adjective that has no opposite: ``less populous``, ``least populous``."""
    return f"less {adjective}", f"least {adjective}"


_AGREE = re.compile(r"(\w+)\((\w+)\)")


def agree(phrase: str, plural: bool) -> str:
    """``use(s)`` → ``use`` or ``uses``, ``are(is)`` → ``are`` or ``is``."""
    if "(" not in phrase:
        return phrase

    def form(match: re.Match[str]) -> str:
        many, one = match.groups()
        if plural:
            return many
        return many + one if one in ("s", "es") else one

    return _AGREE.sub(form, phrase)


def is_plural(noun: str) -> bool:
    """Whether a noun phrase counts things (pages, people), so that one asks *how many*."""
    head = noun.split(" of ")[0].split()[-1]
    return head in ("people", "staff", "cattle") or (head.endswith("s") and not head.endswith("ss"))


def singular(noun: str) -> str:
    """One of many: ``neighbouring countries`` → ``neighbouring country``."""
    words = noun.split(" ")
    at = next(
        (i for i, word in enumerate(words) if i and word in ("of", "in", "on", "nearby", "beside", "before")), None
    )
    at = len(words) - 1 if at is None else at - 1
    head = words[at]
    if head.endswith("ies"):
        head = head[:-3] + "y"
    elif head.endswith(("ches", "shes", "xes")):
        head = head[:-2]
    elif head.endswith("s") and not head.endswith("ss"):
        head = head[:-1]
    words[at] = head
    return " ".join(words)


def article(word: str) -> str:
    """``a`` or ``an``."""
    return "an" if word[:1].lower() in "aeiou" else "a"


_WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}


def ordinal(number: int) -> str:
    """The place in an order from 2 to 10 in words, a later one in digits."""
    words = "second third fourth fifth sixth seventh eighth ninth tenth".split()
    return words[number - 2] if 2 <= number <= 10 else f"{number}th"


def small(rng: random.Random, number: int) -> str:
    """A small number as a word or in digits."""
    return _WORDS[number] if number in _WORDS and rng.random() < 0.6 else str(number)


def figure(rng: random.Random, number: float) -> str:
    """A number as people write it: 50 million, 3,500, 3500, 2.5 bn, 40k."""
    draw = rng.random()
    if number >= 3000 and number == int(number) and draw < 0.05:
        return f"{int(number):,}".replace(",", " ")
    for scale, words in ((10**9, ("billion", "bn")), (10**6, ("million", "million", "m"))):
        if number >= scale and number % (scale / 10) == 0 and draw < 0.8:
            return f"{number / scale:g} {rng.choice(words)}"
    if number >= 10000 and number % 1000 == 0 and draw < 0.35:
        return f"{number // 1000:g}{rng.choice((' thousand', 'k', ' thousand'))}"
    if number >= 3000 and draw < 0.75:
        return f"{int(number):,}" if number == int(number) else f"{number:,}"
    return f"{number:g}" if number < 10**5 else str(int(number))


_KEYS = "abcdefghijklmnopqrstuvwxyz"


def slip(rng: random.Random, text: str, keep: tuple[str, ...] = ()) -> str:
    """One word misspelt by one letter (swapped, dropped, doubled), never inside ``keep``."""
    kept = {word for value in keep for word in value.split()}
    words = text.split(" ")
    able = [i for i, word in enumerate(words) if len(word) > 4 and word.isalpha() and word not in kept]
    if not able:
        return text
    i = rng.choice(able)
    word = words[i]
    at = rng.randrange(1, len(word) - 1)
    draw = rng.random()
    if draw < 0.4:
        word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    elif draw < 0.7:
        word = word[:at] + word[at + 1 :]
    elif draw < 0.85:
        word = word[:at] + word[at] + word[at:]
    else:
        word = word[:at] + rng.choice(_KEYS) + word[at + 1 :]
    words[i] = word
    return " ".join(words)


def finish(rng: random.Random, text: str, question: bool = True) -> str:
    """The sentence as somebody types it: first letter, punctuation, now and then a polite frame."""
    draw = rng.random()
    if draw < 0.05:
        text = (
            rng.choice(("please tell me: ", "I need to know: ", "quick question: ", "Hi, ", "can you tell me ")) + text
        )
    elif draw < 0.08:
        text += rng.choice((", please", " please", " thanks"))
    if rng.random() < 0.82:
        text = text[0].upper() + text[1:]
    if rng.random() < 0.75:
        text += "?" if question else rng.choice((".", ".", "", "?"))
    return text
