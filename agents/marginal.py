"""One answer from several passages: its probability is summed over the passages that it may rest on.

The head names a passage, then copies from it. To follow only the likeliest passage loses an answer that a second one
gives far more surely, and counts as doubt that two passages say the same. So every passage that is likely enough is
read: P(answer) = Σ P(passage) · P(answer | passage), as in RAG-Sequence (Lewis et al. 2020, section 2.1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.errors import UnderstudyError
from ..core.fields import Record, Span, SpanValue
from .emitting import shower

if TYPE_CHECKING:
    from ..core.prompts import Prompt
    from .gatherer import Reply
    from .role import Ask

LEAST = 0.1
"""Passages that are less likely than this are not read."""
MOST = 3
"""Passages that are read beside the likeliest, at most."""


async def marginal(
    ask: Ask, prompt: Prompt, record: Record, same: Callable[[SpanValue], Hashable]
) -> tuple[SpanValue | None, float]:
    """The likeliest answer over all passages, None where that is none, and its probability in [0, 1].

    The first reading is shown to whoever watches the run; it is provisional, as all that is shown is. A decoder that
    does not tell how likely it took each passage to be is asked once. A further passage that the decoder refuses is
    left out.

    Args:
        prompt: what is read.
        record: one optional span over its passages.
        same: what two answers have in common that say the same, as keys of a dict.
    """
    ((name, span),) = record.fields
    assert isinstance(span, Span) and span.part is None and span.optional
    first = await ask(prompt, record)
    named = next((pick for pick in getattr(first, "picks", ()) if pick.path == f"{name}#"), None)
    if named is None:
        return first.values[name], first.confidence
    chances = {heading: chance for heading, chance in named.options.items() if heading not in ("", named.value)}
    others = [heading for heading in sorted(chances, key=lambda one: -chances[one]) if chances[heading] >= LEAST]

    async def read(heading: str) -> Reply:
        shower.set(None)  # in the context of its own task
        return await ask(prompt, Record(((name, replace(span, headings=(heading,))),)))

    replies = await asyncio.gather(*(read(heading) for heading in others[:MOST]), return_exceptions=True)
    found = [(first.values[name], first.confidence)]
    for heading, reply in zip(others[:MOST], replies, strict=True):
        if not isinstance(reply, BaseException):
            found.append((reply.values[name], chances[heading] * reply.confidence))
        elif not isinstance(reply, UnderstudyError):  # a passage too long to be copied from loses no answer
            raise reply
    if named.value:
        found.append((None, named.options.get("", 0.0)))
    return _likeliest(found, same)


def _likeliest(
    found: list[tuple[SpanValue | None, float]], same: Callable[[SpanValue], Hashable]
) -> tuple[SpanValue | None, float]:
    """The answer with the largest sum, in its likeliest form; a span without text is none."""
    sums: dict[Hashable, float] = {}
    forms: dict[Hashable, SpanValue | None] = {}
    for span, chance in sorted(found, key=lambda one: -one[1]):
        answer = None if span is None or not span.text.strip() else span
        key = None if answer is None else same(answer)
        sums[key] = sums.get(key, 0.0) + chance
        forms.setdefault(key, answer)
    best = max(sums, key=lambda key: sums[key])
    return forms[best], sums[best]
