"""Short invented texts about one thing, with the places where they answer a question."""

from __future__ import annotations

import random

from .domains import Domain, Relation, relation_of
from .phrases import agree, is_plural, singular

Facts = dict[str, dict[str, list[str]]]
Place = tuple[int, int]
_FILLERS = (
    "It is known for its {x}.",
    "Many visitors come in {m}.",
    "The {x} is worth seeing.",
    "Little is known about its {x}.",
    "A {x} was opened there in {y}.",
    "It was first mentioned in {y}.",
    "In {m} it is busy.",
    "Experts disagree about the {x}.",
)
_THINGS = (
    "market harbour library festival garden colour sound bridge story archive weather food music history coast railway"
).split()
_MONTHS = "January March May June July August October December spring summer autumn winter".split()


def brief(
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
        told.append(
            (
                rng.choice(_FILLERS).format(x=rng.choice(_THINGS), m=rng.choice(_MONTHS), y=rng.randint(1400, 2020)),
                "",
                "",
                False,
            )
        )
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
    forms = [
        f"the {noun} of {name} {be} {listed}",
        f"{name}'s {noun} {be} {listed}",
        f"its {noun} {be} {listed}",
        f"{it} {verb.replace('{v}', listed)}",
        f"{it} {verb.replace('{v}', listed)}",
        f"the {noun} {be} {listed}",
    ]
    if listed[0].isupper():
        forms.append(f"{listed} {be} its {noun}")
    if relation.name == "speaks":
        forms += [
            f"people there speak {listed}",
            f"its official language{'s are' if len(objects) > 1 else ' is'} {listed}",
        ]
    if relation.name == "pays with":
        forms += [f"people pay with the {listed}", f"its currency is the {listed}", f"the currency is the {listed}"]
    if relation.name == "capital":
        forms += [
            f"its capital is {listed}",
            f"the capital is {listed}",
            f"the capital city is {listed}",
            f"{listed} is the capital",
        ]
    if relation.name == "borders":
        forms += [
            f"it borders {listed}",
            f"it shares land borders with {listed}",
            f"it has land borders with {listed}",
            f"its neighbours are {listed}",
        ]
    if relation.name == "drives on":
        forms = [
            f"cars drive on the {listed}",
            f"traffic keeps to the {listed}",
            f"people drive on the {listed}",
            f"{name} drives on the {listed}",
            f"driving is on the {listed}",
        ]
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
            form = rng.choice(
                (
                    f"the {noun} of {name} is {plain}",
                    f"its {noun} is {plain}",
                    f"with a {noun} of {plain}, it is well known",
                    f"{it} has a {noun} of {plain}",
                    f"the {noun} is {plain}",
                )
            )
            found.append((form[0].upper() + form[1:] + ".", noun, plain))
    return found


def _named(name: str, sentence: str, domain: Domain) -> str:
    for start in ("It ", f"The {domain.one} "):
        if sentence.startswith(start):
            return f"{name} {sentence.removeprefix(start)}"
    if sentence.startswith("Its ") and not name.endswith("s"):
        return f"{name}'s {sentence.removeprefix('Its ')}"
    return f"{name}: {sentence}"
