"""Questions about passages and facts of a graph, over invented worlds: what the reader learns from."""

from __future__ import annotations

import random

from ...core.fields import SpanValue
from ...core.prompts import Example, Passage
from ..qa import compose, fact_passage, fact_passages
from . import found_first, wrappers, written_backwards, written_facts, written_passages
from .briefs import Facts, brief
from .domains import Domain, Relation, relation_of
from .lore import PARTS, Lore, a_lore, ask, ask_in_vain
from .phrases import finish, singular, slip
from .wordings import ask_objects, ask_subjects, stand_in
from .worlds import a_domain, distinct, make_facts, make_name

WRITTEN = 0.6
"""Of the examples, those over texts that people wrote; the others are put together."""

OF_FACTS, OF_REQUESTS, OF_BACKWARDS = 0.13, 0.38, 0.13
"""Of these: what a fact of the graph answers, what was written for the planner, what asks who has a value."""

_WRITTEN = (written_facts.example, found_first.example, written_backwards.example, written_passages.example)

Evidence = tuple[Passage, tuple[int, int] | None]  # a passage and where in it the answer stands


def example(rng: random.Random) -> Example:
    """One question, its evidence, and the span that answers it (about one in five has none)."""
    if rng.random() < WRITTEN:
        shares = (OF_FACTS, OF_REQUESTS, OF_BACKWARDS, 1 - OF_FACTS - OF_REQUESTS - OF_BACKWARDS)
        return rng.choices(_WRITTEN, shares)[0](rng)
    while True:
        domain = a_domain(rng)
        names = distinct(rng, domain.maker, rng.randint(4, 9))
        # Whole entries, as long as those of a guide.
        rich = domain.maker != "person" and rng.random() < (0.8 if domain.maker == "country" else 0.3)
        facts = make_facts(rng, domain, names, 4 if rich else 2, 6 if rich else 5)
        turned = _turned(rng, domain)
        found = _one(rng, domain, names, facts, turned, rich)
        if found is not None:
            return found


def _turned(rng: random.Random, domain: Domain) -> dict[str, str]:
    """Relations that this graph keeps the other way round: Paris, capital of, France."""
    return {
        relation.name: f"{singular(relation.nouns[0])} of"
        for relation in domain.relations
        if not relation.target
        and (relation.name == "capital" or not relation.values and relation.most == 1)
        and rng.random() < (0.8 if relation.name == "capital" else 0.3)
    }


def _head(name: str, relation: str, incoming: bool) -> str:
    return fact_passage(name, relation, (), incoming).text


def _fact(name: str, relation: str, others: list[str], incoming: bool = False) -> Evidence:
    passage = fact_passage(name, relation, list(dict.fromkeys(others)), incoming)
    return passage, (passage.text.index(": ") + 2, len(passage.text))


def _one(
    rng: random.Random, domain: Domain, names: list[str], facts: Facts, turned: dict[str, str], rich: bool
) -> Example | None:
    relation = relation_of(domain, rng.choice(list(facts)))
    name = rng.choice(names)
    if relation.name == "lies in" and rng.random() < 0.6:  # as graphs of places have it: the continent and the part
        facts[relation.name][name] = [rng.choice(_SIX), rng.choice(PARTS)]
    objects = facts[relation.name][name]
    incoming = rng.random() < 0.22 and relation.target != "sym"
    triples = [
        (o, turned[r], s) if r in turned else (s, r, o)
        for r, by in facts.items()
        for s, others in by.items()
        for o in others
    ]
    edge = turned.get(relation.name, relation.name)  # as the graph calls it
    back = relation.name in turned
    evidence: list[Evidence] = []
    unanswerable = rng.random() < 0.2
    about = name
    in_graph = rng.random() < 0.6
    if incoming:
        if not objects:
            return None
        about = rng.choice(objects)
        wanted = [name for name, others in facts[relation.name].items() if about in others]
        question = ask_subjects(rng, domain, relation, about)
        if not unanswerable:
            evidence.append(_fact(about, edge, wanted, not back))
        elif rng.random() < 0.5:
            question = ask_subjects(rng, domain, relation, make_name(rng, relation.maker or domain.maker))
        evidence += [
            (p, None) for p in fact_passages(about, triples) if not p.text.startswith(_head(about, edge, not back))
        ]
    else:
        if not objects:
            return None
        question = ask_objects(rng, domain, relation, name, len(objects) > 1)
        others = [r for r in facts if r != relation.name]
        if in_graph or unanswerable:
            for passage in fact_passages(name, triples):
                if passage.text.startswith(_head(name, edge, back)):
                    if not unanswerable:
                        one = _continent_or_part(rng, name, objects) if edge == "lies in" and in_graph else None
                        found, place = _fact(name, edge, objects, back)
                        if one is not None:
                            question, end = one
                            start = found.text.index(end, place[0] if place else 0)
                            place = (start, start + len(end))
                        evidence.append((found, place))
                else:
                    evidence.append((passage, None))
        told = [relation.name, *others] if not unanswerable else others
        known, asked = _lore(rng, domain, rich)
        if unanswerable and asked and rng.random() < 0.7:  # the text tells much, but not this
            known = [one for one in known if one[0] is not asked]
        some = rng.sample(told, rng.randint(len(told) - 1 if rich else 0 if known else 1, len(told))) if told else []
        written = brief(rng, domain, name, facts, some, rng.random() < 0.4, known)
        if not in_graph and not unanswerable and relation.name not in written.answers:
            written = brief(rng, domain, name, facts, told, rng.random() < 0.4, known)
        if asked is not None:
            question = ask(rng, asked, name)
            if not written.text or not unanswerable and asked.name not in written.lore:
                return None
            if unanswerable and asked.name in written.lore:
                question = ask_in_vain(rng, name)
            evidence = [(passage, None) for passage, _ in evidence if rng.random() < 0.7]
            evidence.append((written.passage(name), None if unanswerable else written.lore[asked.name]))
        elif unanswerable and rng.random() < 0.25:
            question = ask_in_vain(rng, name)
            if written.text:
                evidence.append((written.passage(name), None))
        elif written.text and (not in_graph or rng.random() < 0.6):
            place = None if in_graph else written.answers.get(relation.name)
            figures = written.figures
            if figures and not in_graph and not unanswerable and rng.random() < 0.35:
                noun = rng.choice(list(figures))
                place = figures[noun]
                question = rng.choice(
                    (
                        "what is the {n} of {e}",
                        "{n} of {e}",
                        "how much is the {n} of {e}",
                        "{e}'s {n}",
                        "what is {e}'s {n}",
                    )
                ).format(n=noun, e=name)
            evidence.append((written.passage(name), place))
    return _assemble(rng, domain, names, facts, relation, about, question, evidence, unanswerable, (edge, back), rich)


def _continent_or_part(rng: random.Random, name: str, objects: list[str]) -> tuple[str, str] | None:
    """Where a place lies in a continent and in a part of it: a question for one of them, and which it is for."""
    large = [one for one in objects if one in _SIX]
    if len(objects) != 2 or len(large) != 1 or rng.random() < 0.25:
        return None
    (continent,) = large
    part = objects[1 - objects.index(continent)]
    if rng.random() < 0.5:
        return rng.choice(_CONTINENT).format(e=name), continent
    return rng.choice(_PART).format(e=name, c=continent), part


_SIX = ("Africa", "Asia", "Europe", "South America", "North America", "Oceania")
_CONTINENT = (
    "on which continent is {e}", "which continent is {e} on", "continent of {e}", "what continent does {e} belong to",
    "{e} continent", "name the continent of {e}",
)  # fmt: skip
_PART = (
    "in what part of {c} is {e}", "which part of {c} is {e} in", "region of {e}", "in which region does {e} lie",
    "what region is {e} in", "where in {c} is {e}", "whereabouts in {c} do I find {e}", "{e}: which region",
)  # fmt: skip


def _lore(rng: random.Random, domain: Domain, rich: bool) -> tuple[list[tuple[Lore, str]], Lore | None]:
    """What a text tells beside its facts, with values, and which of it is asked for (None: a fact is)."""
    if domain.maker == "person" or not rich and rng.random() < 0.4:
        return [], None
    kinds = a_lore(rng, domain.maker, rng.randint(3, 5) if rich else rng.randint(1, 5))
    asked = rng.choice(kinds) if rng.random() < 0.5 else None
    return [(one, one.value(rng)) for one in kinds], asked


def _assemble(
    rng: random.Random,
    domain: Domain,
    names: list[str],
    facts: Facts,
    relation: Relation,
    about: str,
    question: str,
    evidence: list[Evidence],
    unanswerable: bool,
    edge: tuple[str, bool],
    rich: bool,
) -> Example | None:
    """Near misses beside the evidence: the same relation of others, texts about others.

    In half of the examples, as in a call whose question names one thing, the facts are about that thing alone.
    """
    of_others = rng.random() < 0.5
    texts_left = 2 if rich else 6
    for other in rng.sample(names, rng.randint(1, min(6, len(names)))):
        if other == about:
            continue
        if texts_left and rng.random() < 0.8:
            texts_left -= 1
            told = rng.sample(list(facts), rng.randint(min(3, len(facts)) if rich else 1, len(facts)))
            written = brief(rng, domain, other, facts, told, rng.random() < 0.3, _lore(rng, domain, rich)[0])
            if written.text and not (unanswerable and about in written.text):
                evidence.append((written.passage(other), None))
        if of_others and rng.random() < 0.8:
            others = facts[relation.name].get(other)
            if others and not (unanswerable and about in others):
                evidence.append((fact_passage(other, edge[0], others, edge[1]), None))
    answered = [item for item in evidence if item[1]]
    rest = [item for item in evidence if not item[1]]
    rng.shuffle(rest)
    fewest, most = ((0 if answered else 1), 3) if rng.random() < 0.25 else (4, 8)
    kept = answered[:1] + rest[: rng.randint(fewest, most)]
    graph = [item for item in kept if item[0].source == "graph"]
    texts = [item for item in kept if item[0].source != "graph"]
    # In any order: where the right fact stood first, the head learned the place and not the question.
    rng.shuffle(graph)
    rng.shuffle(texts)
    kept = graph + texts
    if not kept or (not answered and not unanswerable):
        return None
    given: tuple[str, ...] = ()
    if rng.random() < 0.16 and about in question:
        hint = stand_in(rng, domain)
        question, given = question.replace(f"the {domain.one} {about}", about).replace(about, hint), (about,)
    elif rng.random() < 0.06:
        question = slip(rng, question, (about,))
    if rng.random() < 0.12:
        question = question.lower()
    question = finish(rng, question)
    if rng.random() < wrappers.RATE:
        question = wrappers.wrapped(rng, question, *wrappers.questions(domain))
    passages = tuple(item[0] for item in kept)
    prompt, record = compose(passages, question, given)
    value = None
    if answered and answered[0][1]:
        at, (start, end) = kept.index(answered[0]), answered[0][1]
        value = SpanValue(at, start, end, passages[at].text[start:end])
    elif not answered:  # the text about it is looked at, and does not tell it
        at = next((at for at, passage in enumerate(passages) if passage.title == about), -1)
        value = SpanValue(at, 0, 0, "") if at >= 0 else None
    return Example(prompt, record, {"answer": value})
