"""Questions about passages and facts of a graph, over invented worlds: what the reader learns from."""

from __future__ import annotations

import random

from ...core.fields import SpanValue
from ...core.prompts import Example, Passage
from ..qa import compose, fact_passage, fact_passages
from .phrases import agree, degrees, finish, is_plural, singular, slip
from .worlds import Domain, Relation, a_domain, distinct, make_facts, make_name, relation_of

Facts = dict[str, dict[str, list[str]]]
Evidence = tuple[Passage, tuple[int, int] | None]  # a passage and where in it the answer stands


def ask_objects(rng: random.Random, domain: Domain, relation: Relation, name: str, several: bool) -> str:
    """A question for what ``name`` stands in ``relation`` to."""
    noun = rng.choice(relation.nouns)
    if not several and is_plural(noun) and rng.random() < 0.6:
        noun = singular(noun)
    elif several and not is_plural(noun) and rng.random() < 0.3:
        noun += "s"
    be = "are" if is_plural(noun) else "is"
    about = name if rng.random() < 0.85 else f"the {domain.one} {name}"
    who = "who" if relation.maker == "person" and rng.random() < 0.7 else rng.choice(("what", "what", "which"))
    forms = [f"{who} {be} the {noun} of {about}", f"{who} {be} {about}'s {noun}", f"{noun} of {about}", f"{about}'s {noun}",
             f"what {noun} does {about} have", f"name the {noun} of {about}", f"tell me the {noun} of {about}",
             f"{about} {noun}", f"which {noun} does {about} have", f"do you know the {noun} of {about}",
             f"list the {noun} of {about}", f"give me the {noun} of {about}", f"what's the {noun} of {about}",
             f"what {be} the {noun} in {about}", f"which {be} the {noun} of {about}", f"what {noun} has {about}"]
    verb = agree(rng.choice(relation.verbs), True)
    if "{v}" in verb and verb.endswith("{v}") and not verb.startswith(("are ", "were ", "have ")):
        bare = verb.removesuffix(" {v}").removesuffix(" the")
        forms += [f"what does {about} {bare}", f"which {noun} does {about} {bare}", f"{who} does {about} {bare}"]
        if relation.target in ("self", "sym"):
            forms += [f"which {domain.many} does {about} {bare}", f"what {domain.many} does {about} {bare}"]
    elif verb.endswith("{v}") and verb.startswith(("are ", "were ")):
        aux, bare = verb.removesuffix(" {v}").split(" ", 1)
        aux = {"are": "is", "were": "was"}[aux]
        preposition = bare.split(" ")[-1]
        forms += [f"{who} {aux} {about} {bare}", f"what {aux} {about} {bare}"]
        if preposition == "by":
            forms += [f"by whom {aux} {about} {bare.removesuffix(' by')}", f"who {bare.removesuffix(' by')} {about}"]
    if relation.name == "lies in":
        forms += [f"where is {about}", f"where does {about} lie", f"which continent is {about} in", f"what part of the world is {about} in"] * 2
    if relation.name == "speaks":
        forms += [f"what do people speak in {about}", f"which languages are spoken in {about}", f"what language is spoken in {about}",
                  f"what language do they speak in {about}", f"what is the official language of {about}"] * 2
    if relation.name == "pays with":
        forms += [f"what money do they use in {about}", f"which currency is used in {about}", f"how do you pay in {about}",
                  f"what currency does {about} use", f"what do people pay with in {about}"] * 2
    if relation.target == "sym":
        forms += [_which(rng, domain, relation, about) for _ in range(6)]
    if relation.name == "borders":
        forms += [f"who are {about}'s neighbours", f"which countries border {about}", f"which countries share a border with {about}",
                  f"countries bordering {about}", f"countries around {about}", f"what countries are next to {about}",
                  f"neighbours of {about}", f"which countries neighbour {about}", f"all countries that border {about}"] * 2
    return rng.choice(forms)


def ask_subjects(rng: random.Random, domain: Domain, relation: Relation, target: str) -> str:
    """A question for the things that stand in ``relation`` to ``target``."""
    if relation.name == "capital":
        return rng.choice((f"which country has {target} as its capital", f"{target} is the capital of which country",
                           f"what country is {target} the capital of", f"what is {target} the capital of",
                           f"{target} is the capital of what", f"of which country is {target} the capital"))
    return _which(rng, domain, relation, target)


def _which(rng: random.Random, domain: Domain, relation: Relation, target: str) -> str:
    phrase = rng.choice(relation.verbs).replace("{v}", target)
    many, one = agree(phrase, True), agree(phrase, False)
    return rng.choice((f"which {domain.many} {many}", f"what {domain.many} {many}", f"which {domain.one} {one}",
                       f"{domain.many} that {many}", f"list the {domain.many} that {many}", f"name a {domain.one} that {one}",
                       f"tell me which {domain.many} {many}", f"who or what {one}", f"name all {domain.many} that {many}",
                       f"are there {domain.many} that {many}", f"the {domain.many} that {many}"))


def _sentence(rng: random.Random, domain: Domain, relation: Relation, name: str, objects: list[str]) -> tuple[str, str]:
    """A sentence of a brief, and the part of it that names the objects."""
    listed = ", ".join(objects)
    if len(objects) > 1 and rng.random() < 0.75:
        listed = ", ".join(objects[:-1]) + " and " + objects[-1]
    verb = agree(rng.choice(relation.verbs), False)
    noun = rng.choice(relation.nouns)
    if len(objects) == 1 and is_plural(noun):
        noun = singular(noun)
    be = "are" if len(objects) > 1 and is_plural(noun) else "is"
    it = rng.choice((name, name, "it", f"the {domain.one}")) if domain.maker != "person" else name
    forms = [f"the {noun} of {name} {be} {listed}", f"{name}'s {noun} {be} {listed}", f"its {noun} {be} {listed}",
             f"{it} {verb.replace('{v}', listed)}", f"{it} {verb.replace('{v}', listed)}", f"the {noun} {be} {listed}"]
    if listed[0].isupper():
        forms.append(f"{listed} {be} its {noun}")
    if relation.name == "speaks":
        forms += [f"people there speak {listed}", f"its official language{'s are' if len(objects) > 1 else ' is'} {listed}"]
    if relation.name == "pays with":
        forms += [f"people pay with the {listed}", f"its currency is the {listed}", f"the currency is the {listed}"]
    if relation.name == "capital":
        forms += [f"its capital is {listed}", f"the capital is {listed}", f"the capital city is {listed}", f"{listed} is the capital"]
    if relation.name == "borders":
        forms += [f"it borders {listed}", f"it shares land borders with {listed}", f"it has land borders with {listed}",
                  f"its neighbours are {listed}"]
    if relation.name == "lies in":
        forms += [f"it is a country in {listed}", f"{name} is a country in {listed}", f"it lies in {listed}"]
    text = rng.choice(forms)
    return text[0].upper() + text[1:] + ".", listed


def _figures(rng: random.Random, domain: Domain, name: str) -> list[tuple[str, str, str]]:
    """Sentences with a figure: the sentence, the noun asked for, the figure."""
    found = []
    for attribute in domain.attributes:
        if attribute.kind == "n" and rng.random() < 0.4:
            noun = rng.choice(attribute.nouns)
            value = int(rng.uniform(attribute.least, attribute.most))
            plain = f"{value:,}" if value > 2100 and rng.random() < 0.8 else str(value)
            it = rng.choice((name, "it", "It"))
            form = rng.choice((f"the {noun} of {name} is {plain}", f"its {noun} is {plain}", f"with a {noun} of {plain}, it is well known",
                               f"{it} has a {noun} of {plain}", f"the {noun} is {plain}"))
            found.append((form[0].upper() + form[1:] + ".", noun, plain))
    return found


_FILLERS = ("It is known for its {x}.", "Many visitors come in {m}.", "The {x} is worth seeing.", "Little is known about its {x}.",
            "A {x} was opened there in {y}.", "It was first mentioned in {y}.", "In {m} it is busy.", "Experts disagree about the {x}.")
_THINGS = "market harbour library festival garden colour sound bridge story archive weather food music history coast railway".split()
_MONTHS = "January March May June July August October December spring summer autumn winter".split()


Place = tuple[int, int]


def _brief(
    rng: random.Random, domain: Domain, name: str, facts: Facts, relations: list[str], figures: bool
) -> tuple[str, dict[str, Place], dict[str, Place]]:
    """A short text about ``name``; where in it each relation is answered; where the figures stand, by their noun."""
    told: list[tuple[str, str, str, bool]] = []  # sentence, the part that answers, relation or noun, is a figure
    for relation in relations:
        objects = facts[relation].get(name, [])
        if objects:
            told.append((*_sentence(rng, domain, relation_of(domain, relation), name, objects), relation, False))
    if figures:
        told += [(sentence, value, noun, True) for sentence, noun, value in _figures(rng, domain, name)[:2]]
    if rng.random() < 0.5:
        told.append((rng.choice(_FILLERS).format(x=rng.choice(_THINGS), m=rng.choice(_MONTHS), y=rng.randint(1400, 2020)), "", "", False))
    rng.shuffle(told)
    text = ""
    places: tuple[dict[str, Place], dict[str, Place]] = ({}, {})
    for sentence, part, about, is_figure in told:
        if not text and name not in sentence:
            sentence = _named(name, sentence, domain)
        text += (" " if text else "") + sentence
        if part:
            start = len(text) - len(sentence) + sentence.rindex(part)
            places[is_figure][about] = (start, start + len(part))
    return text, *places


def _named(name: str, sentence: str, domain: Domain) -> str:
    for start in ("It ", f"The {domain.one} "):
        if sentence.startswith(start):
            return f"{name} {sentence.removeprefix(start)}"
    if sentence.startswith("Its ") and not name.endswith("s"):
        return f"{name}'s {sentence.removeprefix('Its ')}"
    return f"{name}: {sentence}"


def example(rng: random.Random) -> Example:
    """One question, its evidence, and the span that answers it (about one in five has none)."""
    while True:
        domain = a_domain(rng)
        names = distinct(rng, domain.maker, rng.randint(4, 9))
        facts = make_facts(rng, domain, names, 2, 5)
        turned = _turned(rng, domain)
        found = _one(rng, domain, names, facts, turned)
        if found is not None:
            return found


def _turned(rng: random.Random, domain: Domain) -> dict[str, str]:
    """Relations that this graph keeps the other way round: Paris, capital of, France."""
    return {
        relation.name: f"{singular(relation.nouns[0])} of"
        for relation in domain.relations
        if not relation.target and (relation.name == "capital" or not relation.values and relation.most == 1)
        and rng.random() < (0.8 if relation.name == "capital" else 0.3)
    }


def _head(name: str, relation: str, incoming: bool) -> str:
    return fact_passage(name, relation, (), incoming).text


def _fact(name: str, relation: str, others: list[str], incoming: bool = False) -> Evidence:
    passage = fact_passage(name, relation, list(dict.fromkeys(others)), incoming)
    return passage, (passage.text.index(": ") + 2, len(passage.text))


def _one(rng: random.Random, domain: Domain, names: list[str], facts: Facts, turned: dict[str, str]) -> Example | None:
    relation = relation_of(domain, rng.choice(list(facts)))
    name = rng.choice(names)
    objects = facts[relation.name][name]
    incoming = rng.random() < 0.22 and relation.target != "sym"
    triples = [(o, turned[r], s) if r in turned else (s, r, o) for r, by in facts.items() for s, others in by.items() for o in others]
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
        evidence += [(p, None) for p in fact_passages(about, triples) if not p.text.startswith(_head(about, edge, not back))]
    else:
        if not objects:
            return None
        question = ask_objects(rng, domain, relation, name, len(objects) > 1)
        others = [r for r in facts if r != relation.name]
        if in_graph or unanswerable:
            for passage in fact_passages(name, triples):
                if passage.text.startswith(_head(name, edge, back)):
                    if not unanswerable:
                        evidence.append(_fact(name, edge, objects, back))
                else:
                    evidence.append((passage, None))
        told = [relation.name, *others] if not unanswerable else others
        text, answers, figures = _brief(rng, domain, name, facts, rng.sample(told, rng.randint(1, len(told))) if told else [],
                                        rng.random() < 0.4)
        if not in_graph and not unanswerable and relation.name not in answers:
            text, answers, figures = _brief(rng, domain, name, facts, told, rng.random() < 0.4)
        if text and (not in_graph or rng.random() < 0.6):
            place = None if in_graph else answers.get(relation.name)
            if figures and not in_graph and not unanswerable and rng.random() < 0.35:
                noun = rng.choice(list(figures))
                place = figures[noun]
                question = rng.choice(("what is the {n} of {e}", "{n} of {e}", "how much is the {n} of {e}", "{e}'s {n}",
                                       "what is {e}'s {n}")).format(n=noun, e=name)
            evidence.append((Passage(name, text, "brief"), place))
    return _assemble(rng, domain, names, facts, relation, about, question, evidence, unanswerable, (edge, back))


def _assemble(rng: random.Random, domain: Domain, names: list[str], facts: Facts, relation: Relation, about: str, question: str,
              evidence: list[Evidence], unanswerable: bool, edge: tuple[str, bool]) -> Example | None:
    """Near misses beside the evidence: the same relation of others, texts about others."""
    for other in rng.sample(names, rng.randint(0, 3)):
        if other == about:
            continue
        if rng.random() < 0.5:
            text, _, _ = _brief(rng, domain, other, facts, rng.sample(list(facts), rng.randint(1, len(facts))), rng.random() < 0.3)
            if text and not (unanswerable and about in text):
                evidence.append((Passage(other, text, "brief"), None))
        elif facts[relation.name].get(other) and not (unanswerable and about in facts[relation.name][other]):
            evidence.append((fact_passage(other, edge[0], facts[relation.name][other], edge[1]), None))
    answered = [item for item in evidence if item[1]]
    rest = [item for item in evidence if not item[1]]
    rng.shuffle(rest)
    kept = answered[:1] + rest[: rng.randint(0 if answered else 1, 5)]
    graph = [item for item in kept if item[0].source == "graph"]
    texts = [item for item in kept if item[0].source != "graph"]
    if rng.random() < 0.3:
        rng.shuffle(graph)
    rng.shuffle(texts)
    kept = graph + texts
    if not kept or (not answered and not unanswerable):
        return None
    given: tuple[str, ...] = ()
    if rng.random() < 0.16 and about in question:
        hint = _stand_in(rng, domain)
        question, given = question.replace(f"the {domain.one} {about}", about).replace(about, hint), (about,)
    elif rng.random() < 0.06:
        question = slip(rng, question, (about,))
    if rng.random() < 0.12:
        question = question.lower()
    question = finish(rng, question)
    passages = tuple(item[0] for item in kept)
    prompt, record = compose(passages, question, given)
    value = None
    if answered and answered[0][1]:
        at, (start, end) = kept.index(answered[0]), answered[0][1]
        value = SpanValue(at, start, end, passages[at].text[start:end])
    return Example(prompt, record, {"answer": value})


def _stand_in(rng: random.Random, domain: Domain) -> str:
    """What a question says of a thing that an earlier step found: the largest country in Africa, that river, it."""
    draw = rng.random()
    if draw < 0.12:
        return rng.choice((f"that {domain.one}", f"this {domain.one}", "it"))
    attribute = rng.choice([attribute for attribute in domain.attributes if attribute.kind == "n"])
    adjectives = (*attribute.high, *attribute.low)
    if adjectives and draw < 0.7:
        text = f"the {degrees(rng.choice(adjectives))[1]} {domain.one}"
    else:
        text = f"the {domain.one} with the {rng.choice(('highest', 'largest', 'most', 'lowest', 'smallest'))} {rng.choice(attribute.nouns)}"
    if rng.random() < 0.5:
        filters = [other for other in domain.attributes if other.kind == "c" and other.values and "yes" not in other.values]
        if filters:
            other = rng.choice(filters)
            phrase = rng.choice([phrase for phrase in other.phrases if "{a}" not in phrase] or ["@"])
            text = agree(phrase, False).replace("@", text).replace("{v}", rng.choice(other.values))
    return text
