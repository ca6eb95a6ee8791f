"""Pairs and their keys: the plainest task in which something must be looked up and copied.

Small transformers find nothing in a prompt before they have learned to match a name with its earlier mention and to
copy what follows it (induction heads, Olsson et al. 2022; associative recall, Arora et al. 2023). These examples teach
just that, with many questions in few tokens; no shipped role is trained on them, only the backbone.
"""

from __future__ import annotations

import random

from ...core.fields import Field, Record, Span, SpanValue
from ...core.prompts import Example, Prompt
from .names import syllables, thing

_FORMS = ("{key}: {value}; ", "{key} is {value}. ", "{key} = {value}, ", "{key} {value}, ")


def example(rng: random.Random) -> Example:
    """Three to nine pairs in one form; up to six of the keys are asked for, each with its value as a span."""
    form = rng.choice(_FORMS)
    keys: dict[str, str] = {}
    count = rng.randint(3, 9)
    while len(keys) < count:
        name = syllables(rng) if rng.random() < 0.5 else thing(rng)
        keys[name] = thing(rng) if rng.random() < 0.6 else syllables(rng)
    text = ""
    places: dict[str, SpanValue] = {}
    for key, value in keys.items():
        pair = form.format(key=key, value=value)
        start = len(text) + pair.rindex(value)
        places[key] = SpanValue(0, start, start + len(value), value)
        text += pair
    asked = rng.sample(list(keys), rng.randint(2, min(6, count)))
    fields: tuple[tuple[str, Field], ...] = tuple((key, Span(part="pairs", max_tokens=24)) for key in asked)
    return Example(
        Prompt(message=(("pairs", text.rstrip()),)), Record(fields), {key: places[key] for key in asked}
    )
