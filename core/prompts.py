"""What a role reads: the prompt of one call, and an example with the values that were right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .fields import Record


LONGEST_HEADING = 10


@dataclass(frozen=True)
class Passage:
    """One piece of evidence. ``source`` names where it comes from (file#row, graph, sql); spans count in ``text``.

    ``names``: characters (start, end) of known names and values, which a span takes whole or not at all.
    ``listed``: nothing but these can be answered: a span begins with one and ends with one.
    """

    title: str
    text: str
    source: str = ""
    names: tuple[tuple[int, int], ...] = ()
    listed: bool = False

    @property
    def heading(self) -> str:
        """What an answer calls the passage before it copies from it: its title, or the words before its colon."""
        words = (self.title or self.text.partition(": ")[0]).replace(":", ",").split()
        return " ".join(words[:LONGEST_HEADING]) or "passage"


@dataclass(frozen=True)
class Prompt:
    """What one agent reads before it answers, in the order in which it is read.

    Passages, transcript and message come first and are the same for every role that reads them; the role's own
    text stands last, behind the role marker, so that roles can share the cache of all that comes before.

    Attributes:
        passages: evidence, numbered from 1 in the prompt.
        transcript: earlier turns, oldest first.
        message: the named parts of the incoming message, as text, in order.
        role: what the role does, in a few words (may be empty).
    """

    passages: tuple[Passage, ...] = ()
    transcript: tuple[str, ...] = ()
    message: tuple[tuple[str, str], ...] = ()
    role: str = ""

    def part(self, name: str) -> str:
        """The text of the message part ``name``. Raises KeyError when the message has none."""
        for key, text in self.message:
            if key == name:
                return text
        raise KeyError(name)


@dataclass(frozen=True)
class Example:
    """A prompt, the schema of the answer, and the right values: what a head learns from.

    ``values`` has the shapes of :mod:`understudy.core.fields`.
    """

    prompt: Prompt
    record: Record
    values: Mapping[str, Any] = field(default_factory=dict)
