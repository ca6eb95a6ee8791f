"""Questions in people's words that a fact of the graph answers, beside a text about the same place that does not.

What texts tell, people ask of a graph in the same words; the text about the place is then no help.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import cache

from ...core.fields import SpanValue
from ...core.prompts import Example, Passage
from ..qa import compose, fact_passage, fact_passages
from . import written_passages, written_requests
from .domains import GEOGRAPHY
from .templates import text_of
from .worlds import distinct, make_facts, relate

FORWARDS = "forwards"
_RELATIONS = {
    "capital": "capital", "currency": "pays with", "languages": "speaks", "driving side": "drives on",
    "region": "lies in", "neighbours": "borders",
}  # fmt: skip
"""What is asked for, and how the graph calls it."""
KINDS = tuple(_RELATIONS)
_TELLS = {
    "capital": r"capital|govern|parliament|ministr|palace", "currency": r"currenc|money|coin|pay|cost|note|cash",
    "languages": r"language|tongue|speak|spoke|talk", "driving side": r"driv|left|right|traffic|lane|wheel",
    "region": r"north|south|east|west|afric|asia|europ|americ|pacific|caribb|ocean|region",
    "neighbours": r"border|neighbo|frontier|next door|touch|between",
}  # fmt: skip
"""Words of texts that may tell it."""


@cache
def _asked() -> dict[str, tuple[str, ...]]:
    """The questions by what they ask for. Raises ValueError where a line of ``texts/forwards.txt`` is none."""
    found: dict[str, list[str]] = {kind: [] for kind in _RELATIONS}
    for told in written_passages.read():
        for kind, question in told.asked if told.places else ():
            if kind in found:
                found[kind].append(question)
    for line in filter(None, text_of(FORWARDS).splitlines()):
        kind, _, question = line.partition(" ? ")
        if kind.strip() not in found or not question:
            raise ValueError(f"{FORWARDS}.txt: {line!r} is no question of a kind: {', '.join(found)}")
        found[kind.strip()].append(question.strip())
    found["neighbours"] += [words.replace("{*}", "{it}") for words in written_requests.first_words("{*}")]
    return {kind: tuple(questions) for kind, questions in found.items()}


@cache
def _silent(kind: str) -> tuple[written_passages.Told, ...]:
    """The texts about places that do not tell this."""
    tells = re.compile(rf"\b({_TELLS[kind]})", re.IGNORECASE)
    return tuple(told for told in written_passages.read() if told.places and not tells.search(told.text))


def example(rng: random.Random) -> Example:
    """One question that a fact answers, other facts about the same place, mostly a text about it, texts of others."""
    kind = rng.choice(KINDS)
    name = written_passages.name_for(rng, rng.choice(_silent(kind)))
    return asked(rng, kind, name, rng.choice(_asked()[kind]).replace("{it}", name))


def asked(
    rng: random.Random, kind: str, name: str, question: str, given: tuple[str, ...] = (), beside: Sequence[Passage] = ()
) -> Example:
    """A question for what a fact about ``name`` tells, one of ``KINDS``.

    Args:
        given: as in a call.
        beside: facts about others that the question names.
    """
    relation = next(one for one in GEOGRAPHY.relations if one.name == _RELATIONS[kind])
    told = rng.choice(_silent(kind))
    objects: list[str] = []
    while not objects:
        names = [name, *(one for one in distinct(rng, "country", 7) if one != name)]
        facts = make_facts(rng, GEOGRAPHY, names, 2, 5) | {relation.name: relate(rng, relation, names)}
        if rng.random() < 0.6:
            facts = {"capital": relate(rng, written_passages.CAPITAL, names)} | facts
        objects = list(dict.fromkeys(facts[relation.name][name]))
    triples = [
        (other, "capital of", name) if edge == "capital" else (name, edge, other)
        for edge, by in facts.items() for other in by[name]
    ]  # fmt: skip
    incoming = relation.name == "capital"
    answered = fact_passage(name, "capital of" if incoming else relation.name, objects, incoming)
    graph = [one for one in fact_passages(name, triples) if one.text != answered.text] + [answered, *beside]
    shown = written_passages.show(rng, told, name)
    texts: list[Passage] = [shown.passage(rng)] if rng.random() < 0.8 else []
    texts += written_passages.others(rng, told, shown, 900 - len(shown.text))
    rng.shuffle(graph)
    rng.shuffle(texts)
    passages = graph + texts
    prompt, record = compose(passages, written_passages.said(rng, question, places=True), given)
    at, start = passages.index(answered), answered.text.index(": ") + 2
    span = SpanValue(at, start, len(answered.text), answered.text[start:])
    return Example(prompt, record, {"answer": span})
