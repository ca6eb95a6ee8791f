"""Reading: a prompt as token ids of one backbone, with the places of everything that an answer may copy."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from .backbone import Backbone
from .errors import UnderstudyError
from .fields import SpanValue
from .prompts import Passage, Prompt

_NUMBER = re.compile(r"(?<![\w.,-])-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\w|[.,-]\d)", re.ASCII)
Place = tuple[int, int]
"""First and last token of a run."""


@dataclass(frozen=True)
class Tokens:
    """A text as token ids, with the characters that each stands for, and the heading of a passage.

    ``starts``, ``ends``: the tokens that a span may begin and end with, where not every one.
    """

    text: str
    ids: Sequence[int]
    offsets: Sequence[tuple[int, int]]
    heading: str = ""
    starts: Collection[int] | None = None
    ends: Collection[int] | None = None

    def naming(self, passage: Passage) -> Tokens:
        """The text of ``passage``, with its heading, and no span that cuts a word or one of its names."""
        runs = [self.cover(SpanValue(0, start, end, "")) for start, end in passage.names]
        if passage.listed and runs:
            starts, ends = {first for first, _ in runs}, {last for _, last in runs}
        else:
            whole = self.whole()
            starts = set(whole.starts or ()) - {at for first, last in runs for at in range(first + 1, last + 1)}
            ends = set(whole.ends or ()) - {at for first, last in runs for at in range(first, last)}
        return replace(self, heading=passage.heading, starts=frozenset(starts), ends=frozenset(ends))

    def whole(self) -> Tokens:
        """The same text, of which no span cuts a word."""
        starts = frozenset(at for at, (start, _) in enumerate(self.offsets) if not _cuts(self.text, start))
        ends = frozenset(at for at, (_, end) in enumerate(self.offsets) if not _cuts(self.text, end))
        return replace(self, starts=starts, ends=ends)

    def span(self, source: int, first: int, last: int) -> SpanValue:
        """The characters of tokens ``first`` to ``last`` (both included)."""
        start, end = self.offsets[first][0], self.offsets[last][1]
        return SpanValue(source, start, end, self.text[start:end])

    def cover(self, value: SpanValue) -> tuple[int, int]:
        """First and last token that cover the characters of ``value``. Raises UnderstudyError when none does."""
        inside = [i for i, (start, end) in enumerate(self.offsets) if start < value.end and end > value.start]
        if not inside:
            raise UnderstudyError(f"the span {value.text!r} is not in its source", mend="check its offsets")
        return inside[0], inside[-1]

    def find(self, said: str) -> Place | None:
        """The first run that is ``said``, beginning and ending where words and numbers do; None where there is none."""
        for found in re.finditer(rf"(?<!\w){re.escape(said)}(?!\w)", self.text) if said.strip() else ():
            place = self.cover(SpanValue(0, *found.span(), said))
            if self.span(0, *place).text == said:
                return place
        return None

    def numbers(self) -> dict[Place, str]:
        """The numbers of the text in decimal notation, each as a whole, thousands with or without commas."""
        found = {}
        for number in _NUMBER.finditer(self.text):
            place = self.cover(SpanValue(0, *number.span(), number.group()))
            if self.span(0, *place).text == number.group():
                found[place] = number.group().replace(",", "")
        return found


@dataclass(frozen=True)
class Reading:
    """Attributes:
    ids: the prompt's tokens, role marker and role text included.
    role_at: index of the role marker; an activated head works from here on.
    passages: each passage's text.
    parts: each message part's text, by name.
    """

    ids: tuple[int, ...]
    role_at: int
    passages: tuple[Tokens, ...]
    parts: dict[str, Tokens]


def _cuts(text: str, at: int) -> bool:
    """Whether a word goes on at this place; scripts without cases, which may have no blanks, have no words here."""
    return 0 < at < len(text) and all(c.isdigit() or c.lower() != c.upper() for c in text[at - 1 : at + 1])


def read(prompt: Prompt, backbone: Backbone, reserve: int = 64) -> Reading:
    """Put the prompt into tokens: passages, transcript, message, marker, role.

    Args:
        prompt: what the role reads.
        reserve: tokens to keep free for the answer.

    Raises:
        UnderstudyError: the prompt does not fit into the backbone's context.
    """
    marks = backbone.markers
    ids: list[int] = []

    def text_of(text: str) -> Tokens:
        line = text.replace("\n", " ").replace("\r", " ").replace("\t", " ")
        found, offsets = backbone.encode_with_offsets(line)
        ids.extend(found)
        return Tokens(text, found, offsets)

    passages = []
    for number, passage in enumerate(prompt.passages, start=1):
        ids += [*marks.passage, *backbone.encode(str(number))]
        if passage.title:
            ids += [*backbone.encode(passage.title), *backbone.encode(":")]
        passages.append(text_of(passage.text).naming(passage))
    for turn in prompt.transcript:
        ids.extend(marks.turn)
        text_of(turn)
    parts = {}
    for name, text in prompt.message:
        ids += [*marks.message, *backbone.encode(name), *backbone.encode(":")]
        parts[name] = text_of(text)
    role_at = len(ids)
    ids += [*marks.role, *(backbone.encode(prompt.role) if prompt.role else ())]
    if len(ids) + reserve > backbone.max_tokens:
        raise UnderstudyError(
            f"the prompt has {len(ids)} tokens, but the backbone reads {backbone.max_tokens} with its answer",
            mend="give fewer or shorter passages, or a shorter message",
        )
    return Reading(tuple(ids), role_at, tuple(passages), parts)
