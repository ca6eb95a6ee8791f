"""Augmentation: more demonstrations of the same meaning, and more tasks of the same kind.

Of text: edits that keep the label (words left out, in the manner of Wei and Zou 2019; case; order of sentences;
paraphrase by templates), none of which touches a value that the demonstration gives; spans are where they are moved to.
Of regression:

    y' = y + ε, one ε for support and query of a task      Rajendran, Irpan, Jang 2020: has to be read off the support
    x' = λ x_s + (1 − λ) x_q,  y' alike,  λ ~ Beta(a, a)   MetaMix, of the inputs: Yao et al. 2021
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import UnderstudyError
from ..fields import Field, Grades, ListOf, Record, Span, SpanValue
from ..prompts import Example

Range = tuple[int, int]
Pieces = Sequence[str | Range]
"""A new text: runs of characters of the old one, and new words between them."""
Edit = Callable[[str, Sequence[Range], random.Random], Pieces]
"""Text, the ranges that have to stay as they are, and a source of chance → the new text."""

MEANT = frozenset("no not never none nor neither without cannot nothing nobody except only unless but all any".split())
"""Words that turn a sentence round: never left out."""
_SLOT = re.compile(r"\{(\w+)\}")
_SENTENCE = re.compile(r"\S.*?(?:[.!?](?=\s|$)|$)", re.DOTALL)


def words_dropped(share: float = 0.1) -> Edit:
    """Leaves out a ``share`` of the words, one at least stays; no value, no number, no negation."""

    def edit(text: str, stay: Sequence[Range], rng: random.Random) -> Pieces:
        left: list[Range] = []
        for found in re.finditer(r"\S+", text):
            here = found.span()
            word = found.group().lower().strip(".,;:!?\"'()")
            plain = word.isalpha() and word not in MEANT and not _touches(here, stay)
            if plain and rng.random() < share:
                continue
            left.append(here)
        return _joined(text, left or [(0, len(text))])

    return edit


def recased(text: str, stay: Sequence[Range], rng: random.Random) -> Pieces:
    """All in lower case, or all in capitals, but what has to stay."""
    change = rng.choice((str.lower, str.upper))
    pieces: list[str | Range] = []
    at = 0
    for start, end in _merged(stay):
        pieces += [change(text[at:start]), (start, end)]
        at = end
    return [*pieces, change(text[at:])]


def sentences_shuffled(text: str, stay: Sequence[Range], rng: random.Random) -> Pieces:
    """The sentences in another order: for texts whose sentences stand on their own."""
    sentences = [found.span() for found in _SENTENCE.finditer(text)]
    rng.shuffle(sentences)
    pieces: list[str | Range] = []
    for number, sentence in enumerate(sentences):
        pieces += [" ", sentence] if number else [sentence]
    return pieces


def rephrased(groups: Sequence[Sequence[str]]) -> Edit:
    """Says by another template what one of a group says: ``("fly to {city}", "a flight to {city}, please")``.

    The templates of a group have the same slots; a text that is none of them as a whole stays as it is.

    Raises:
        UnderstudyError: the slots of a group's templates differ.
    """
    for group in groups:
        if len({frozenset(_SLOT.findall(template)) for template in group}) > 1:
            mend = "give all templates of a group the same {slots}"
            raise UnderstudyError("templates that say the same have the same slots", where=group[0], mend=mend)
    read = [[(template, _pattern(template)) for template in group] for group in groups]

    def edit(text: str, stay: Sequence[Range], rng: random.Random) -> Pieces:
        for group in read:
            for template, pattern in group:
                found = pattern.fullmatch(text)
                others = [other for other, _ in group if other != template]
                if found and others:
                    parts = _SLOT.split(rng.choice(others))
                    return [found.span(part) if number % 2 else part for number, part in enumerate(parts)]
        return [(0, len(text))]

    return edit


EDITS: tuple[Edit, ...] = (words_dropped(), recased, sentences_shuffled)


def edited(text: str, stay: Sequence[Range], edit: Edit, rng: random.Random) -> tuple[str, list[Range]]:
    """The text after an edit, and where the ranges that had to stay are then.

    An edit that tears one of them, or leaves it out, is not made.
    """
    new, runs = "", []
    for piece in edit(text, stay, rng):
        if isinstance(piece, str):
            new += piece
        else:
            runs.append((piece, len(new)))
            new += text[slice(*piece)]
    moved: list[Range] = []
    for start, end in stay:
        places = [at + start - first for (first, last), at in runs if first <= start and end <= last]
        if not places:
            return text, list(stay)
        moved.append((places[0], places[0] + end - start))
    return new, moved


def augmented(example: Example, rng: random.Random, edits: Sequence[Edit] = EDITS) -> Example:
    """The example with one of the edits made to each part of its message; passages and values' texts stay."""
    spans: dict[str, list[SpanValue]] = {}
    said: list[str] = []

    def note(part: str | None, value: SpanValue) -> SpanValue:
        spans.setdefault(part or "", []).append(value)
        return value

    _walk(example.record, example.values, note, said.append)
    moved: dict[tuple[str, SpanValue], SpanValue] = {}
    parts = []
    for name, text in example.prompt.message:
        own = spans.get(name, [])
        quoted = [found.span() for value in said if value.strip()
                  for found in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text)]  # fmt: skip
        stay = [*((value.start, value.end) for value in own), *quoted]
        new, places = edited(text, stay, rng.choice(edits), rng)
        parts.append((name, new))
        for value, (start, end) in zip(own, places, strict=False):
            moved[name, value] = replace(value, start=start, end=end)

    def there(part: str | None, value: SpanValue) -> SpanValue:
        return value if part is None else moved.get((part, value), value)

    values = _walk(example.record, example.values, there, lambda text: None)
    return Example(replace(example.prompt, message=tuple(parts)), example.record, values)


def shifted(
    support: tuple[Tensor, Tensor], query: tuple[Tensor, Tensor], size: float, generator: torch.Generator
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """(x, y) [N, K, …] of support and query, each task's y moved by one ε ~ N(0, ``size``²) of its own in both."""
    noise = size * torch.randn(len(support[1]), *[1] * (support[1].ndim - 1), generator=generator).to(support[1])
    return (support[0], support[1] + noise), (query[0], query[1] + noise)


def mixed(
    support: tuple[Tensor, Tensor], query: tuple[Tensor, Tensor], generator: torch.Generator, sharpness: float = 0.5
) -> tuple[Tensor, Tensor]:
    """A query (x, y) [N, K', …] each of whose examples is mixed with one of the support; ``sharpness`` is a of Beta."""
    count, many = query[0].shape[:2]
    other = torch.randint(support[0].shape[1], (count, many), generator=generator)
    chance = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
    share = torch.from_numpy(chance.beta(sharpness, sharpness, (count, many))).to(query[0])
    rows = torch.arange(count).unsqueeze(1)

    def mix(one: Tensor, two: Tensor) -> Tensor:
        weight = share.view(count, many, *[1] * (two.ndim - 2))
        return weight * one[rows, other] + (1 - weight) * two

    return mix(support[0], query[0]), mix(support[1], query[1])


def _walk(
    field: Field, value: Any, span: Callable[[str | None, SpanValue], SpanValue], said: Callable[[str], None]
) -> Any:
    """The value with each span replaced by what ``span`` gives for it and its part; others are told to ``said``."""
    if isinstance(field, Record):
        return {name: _walk(one, value[name], span, said) for name, one in field.fields}
    if isinstance(field, ListOf):
        return [_walk(field.item, one, span, said) for one in value]
    if isinstance(field, Span):
        return None if value is None else span(field.part, value)
    if not isinstance(field, Grades):
        said(str(value))
    return value


def _touches(here: Range, stay: Sequence[Range]) -> bool:
    return any(start < here[1] and here[0] < end for start, end in stay)


def _merged(ranges: Sequence[Range]) -> list[Range]:
    found: list[Range] = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _joined(text: str, words: Sequence[Range]) -> Pieces:
    """Words that stood side by side as one run, and a blank where one was left out."""
    pieces: list[str | Range] = []
    last: Range | None = None
    for start, end in words:
        if last is not None and not text[last[1] : start].strip():
            last = (last[0], end)
            continue
        pieces += [last, " "] if last is not None else []
        last = (start, end)
    return [*pieces, last] if last is not None else pieces


def _pattern(template: str) -> re.Pattern[str]:
    parts = _SLOT.split(template)
    return re.compile("".join(f"(?P<{p}>.+?)" if n % 2 else re.escape(p) for n, p in enumerate(parts)), re.IGNORECASE)
