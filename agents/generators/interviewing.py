"""Many questions about the same passages: reading, with a decision for every few tokens.

A question about one passage is a long prompt with one answer. Here the first question stands as the reader's always
does, and others follow as fields of their own, so that the backbone learns to find passages sooner.
"""

from __future__ import annotations

import random

from ...core.fields import Field, Record, Span, SpanValue
from ...core.prompts import Example, Passage
from ..qa import compose, fact_passage
from . import written_passages
from .briefs import brief
from .domains import Domain, relation_of
from .lore import Lore, a_lore, ask, ask_in_vain
from .phrases import finish
from .wordings import ask_objects, ask_subjects
from .worlds import a_domain, distinct, make_facts

WRITTEN = 0.6
"""Of the examples, those over texts that people wrote."""

Asked = tuple[str, int, tuple[int, int] | None]  # question, passage, where in it the answer stands


def example(rng: random.Random) -> Example:
    """One to ten passages about a few things, and up to seven questions, now and then one without an answer."""
    if rng.random() < WRITTEN:
        return _posed(rng, *written_passages.interview(rng))
    while True:
        domain = a_domain(rng)
        names = distinct(rng, domain.maker, rng.randint(2, 5))
        facts = make_facts(rng, domain, names, 2, 4)
        passages: list[Passage] = []
        asked: list[Asked] = []
        untold: list[Asked] = []
        for name in names:
            told = [r for r in facts if facts[r].get(name)]
            as_text = rng.sample(told, rng.randint(0, len(told)))
            as_facts = [r for r in told if r not in as_text or rng.random() < 0.1]
            for r in rng.sample(as_facts, rng.randint(0, len(as_facts))):
                passage = fact_passage(name, r, list(dict.fromkeys(facts[r][name])))
                question = ask_objects(rng, domain, relation_of(domain, r), name, len(facts[r][name]) > 1)
                place = (passage.text.index(": ") + 2, len(passage.text))
                if r not in as_text:
                    asked.append((question, len(passages), place))
                passages.append(passage)
            lore: list[tuple[Lore, str]] = []
            if domain.maker != "person" and rng.random() < 0.5:
                lore = [(one, one.value(rng)) for one in a_lore(rng, domain.maker, rng.randint(1, 5))]
            if as_text or lore:
                written = brief(rng, domain, name, facts, as_text, rng.random() < 0.4, lore)
                told_lore = [one for one, _ in lore]
                figures = {noun for told in written.figures for noun in _nouns(domain, told)}
                able = [one for one in a_lore(rng, domain.maker, 3) if one not in told_lore]
                vain = [ask(rng, one, name) for one in able if not one.told_by(figures)] + [ask_in_vain(rng, name)]
                untold += [(question, len(passages) if written.text else -1, None) for question in vain]
                for one in told_lore:
                    if not one.told_by(figures):  # a text that names two prices has no one answer
                        asked.append((ask(rng, one, name), len(passages), written.lore[one.name]))
                for r, place in written.answers.items():
                    if r not in as_facts:
                        question = ask_objects(rng, domain, relation_of(domain, r), name, len(facts[r][name]) > 1)
                        asked.append((question, len(passages), place))
                for noun, place in written.figures.items():
                    if any(one.told_by(_nouns(domain, noun)) for one in told_lore):
                        continue
                    asked.append((rng.choice(("{n} of {e}", "what is the {n} of {e}", "{e}'s {n}")).format(
                        n=noun, e=name), len(passages), place))  # fmt: skip
                if written.text:
                    passages.append(written.passage(name))
            at = len(passages) - 1 if passages and passages[-1].title == name else -1
            untold += [
                (ask_objects(rng, domain, relation_of(domain, r.name), name, False), at, None)
                for r in domain.relations if r.name not in facts
            ]  # fmt: skip
        for r, by in facts.items():
            relation = relation_of(domain, r)
            ends = sorted({end for ends in by.values() for end in ends})
            if relation.target != "sym" and ends and rng.random() < 0.4:
                end = rng.choice(ends)
                passage = fact_passage(end, r, [name for name in by if end in by[name]], True)
                place = (passage.text.index(": ") + 2, len(passage.text))
                asked.append((ask_subjects(rng, domain, relation, end), len(passages), place))
                passages.append(passage)
        if len(passages) < 3 or len(passages) > 10 or len(asked) < 2:
            continue
        return _posed(rng, passages, asked, untold)


def _nouns(domain: Domain, figure: str) -> set[str]:
    """Whatever a figure of this domain may be called, from one of its nouns."""
    return {noun for attribute in domain.attributes if figure in attribute.nouns for noun in attribute.nouns}


def _posed(rng: random.Random, passages: list[Passage], asked: list[Asked], untold: list[Asked]) -> Example:
    order = list(range(len(passages)))
    rng.shuffle(order)
    order.sort(key=lambda at: passages[at].source != "graph")  # as a call has them: facts, then texts
    shown = tuple(passages[at] for at in order)
    some: list[Asked] = rng.sample(asked, min(len(asked), rng.randint(3, 6)))
    some += rng.sample(untold, min(len(untold), rng.choice((0, 1, 1, 2))))
    rng.shuffle(some)
    questions = [finish(rng, question) for question, _, _ in some]
    values: dict[str, SpanValue | None] = {}
    fields: list[tuple[str, Field]] = []
    for number, (question, (_, at, place)) in enumerate(zip(questions, some, strict=True)):
        name = question if number else "answer"
        if name in values:
            continue
        start, end = place or (0, 0)
        values[name] = None if at < 0 else SpanValue(order.index(at), start, end, passages[at].text[start:end])
        fields.append((name, Span(optional=True, max_tokens=96)))
    prompt, _ = compose(shown, questions[0])
    return Example(prompt, Record(tuple(fields)), values)
