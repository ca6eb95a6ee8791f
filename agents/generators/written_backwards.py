"""A value is known, and the thing is asked for that has it: whose dish, whose capital, which countries of a region.

The lines of ``texts/backwards.txt``, and what the first of two steps is asked for in requests of the planner's.
"""

from __future__ import annotations

import random
import re
from functools import cache
from math import sqrt

from ...core.fields import SpanValue
from ...core.prompts import Example, Passage
from ..qa import compose, fact_passage
from . import written_passages, written_requests
from .templates import text_of
from .worlds import distinct

BACKWARDS = "backwards"


@cache
def _backwards() -> dict[str, tuple[str, ...]]:
    """Questions for the thing that has a value, by kind."""
    found: dict[str, list[str]] = {}
    for line in filter(None, (line.strip() for line in text_of(BACKWARDS).splitlines())):
        kind, _, question = line.partition(" ? ")
        found.setdefault(kind.strip(), []).append(question.strip())
    for kind, slot in (("dish", "{dish}"), ("capital", "{place}"), ("region", "{region}")):
        found[kind] += [words.replace(slot, "{v}") for words in written_requests.first_words(slot)]
    return {kind: tuple(questions) for kind, questions in found.items()}


_AS_FACTS = {
    "capital": ("capital of", False), "currency": ("pays with", True), "languages": ("speaks", True),
    "region": ("lies in", True),
}  # fmt: skip


def example(rng: random.Random) -> Example:
    """A value is known, and the thing is asked for that has it: in a text, or among the facts of the value."""
    kinds = list(_backwards())
    (kind,) = rng.choices(kinds, [sqrt(len(_backwards()[kind])) for kind in kinds])
    told = rng.choice([one for one in written_passages.read() if one.places and kind in one.values])
    shown = written_passages.show(rng, told, written_passages.name_for(rng, told))
    value = re.split(r", | and ", shown.text[slice(*shown.places[kind])])[0]
    year = re.search(r"\b\d{4}\b", value) if kind == "independence" else None
    value = year.group() if year else value
    question = rng.choice(_backwards()[kind])
    question = question.replace("{v}", value.removeprefix("the ") if "the {v}" in question else value)
    names, at = [shown.name], shown.text.index(shown.name)
    texts = [shown.passage(rng), *written_passages.others(rng, told, shown, written_passages.MOST - len(shown.text))]
    answered = Passage(shown.name, shown.text, "brief", texts[0].names)
    texts[0], place = answered, (at, at + len(shown.name))
    graph: list[Passage] = []
    if kind in _AS_FACTS and rng.random() < (0.95 if kind == "region" else 0.6):  # a part of the world has several
        relation, incoming = _AS_FACTS[kind]
        most = 12 if kind == "region" else 3
        names += distinct(rng, "country", most)[: rng.randint(0, most)] if incoming else []
        answered = fact_passage(value, relation, list(dict.fromkeys(names)), incoming)
        place = (answered.text.index(": ") + 2, len(answered.text))
        graph, texts = [answered], texts[1:] if rng.random() < 0.7 else texts
    elif rng.random() < 0.15:
        texts = texts[1:]
    texts = [text for text in texts if text is answered or value not in text.text or graph]
    if not graph and not texts:
        return example(rng)
    rng.shuffle(texts)
    passages = graph + texts
    prompt, record = compose(passages, written_passages.said(rng, question, True))
    number = next((number for number, one in enumerate(passages) if one is answered), -1)
    answer = None if number < 0 else SpanValue(number, *place, answered.text[slice(*place)])
    return Example(prompt, record, {"answer": answer})
