"""Short invented texts about one thing, with the places where they answer a question."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...core.prompts import Passage
from .domains import Domain, Relation, relation_of
from .lore import Lore, tell
from .phrases import agree, is_plural, singular

Facts = dict[str, dict[str, list[str]]]
Place = tuple[int, int]
_OPENINGS = ("It ", "Its ", "The ", "People ", "Cars ", "Traffic ", "On ", "You ", "A ", "Independence ", "Since ")
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


@dataclass(frozen=True)
class Brief:
    """A text, and where in it what is answered.

    Attributes:
        text: the sentences; empty where there was nothing to tell.
        answers: relation → the objects.
        figures: noun → the figure.
        lore: name of the lore → its value.
        names: names of several words, which a graph that has them would know.
    """

    text: str
    answers: dict[str, Place]
    figures: dict[str, Place]
    lore: dict[str, Place]
    names: tuple[Place, ...] = ()

    def passage(self, title: str) -> Passage:
        """The text as a reader gets it."""
        return Passage(title, self.text, "brief", self.names)


def brief(
    rng: random.Random, domain: Domain, name: str, facts: Facts, relations: list[str], figures: bool,
    lore: Sequence[tuple[Lore, str]] = (),
) -> Brief:  # fmt: skip
    """A short text about ``name``: facts of ``relations``, figures, lore with its values, and padding."""
    told: list[tuple[str, str, str, str]] = []  # sentence, the part that answers, relation or noun, kind
    names = [name]
    for relation in relations:
        objects = facts[relation].get(name, [])
        if objects:
            told.append((*_sentence(rng, domain, relation_of(domain, relation), name, objects), relation, "answers"))
            names += objects
    if figures:
        told += [(sentence, value, noun, "figures") for sentence, noun, value in _figures(rng, domain, name)[:2]]
    for one, value in lore:
        sentence = tell(rng, one, name, value)
        told.append((f"{sentence[0].upper()}{sentence[1:]}.", value, one.name, "lore"))
    if rng.random() < 0.5:
        filler = rng.choice(_FILLERS).format(x=rng.choice(_THINGS), m=rng.choice(_MONTHS), y=rng.randint(1400, 2020))
        told.append((filler, "", "", ""))
    rng.shuffle(told)
    places: dict[str, dict[str, Place]] = {"answers": {}, "figures": {}, "lore": {}}
    text = ""
    joining = rng.random() < 0.5
    for sentence, part, about, kind in told:
        if not text and name not in sentence:
            sentence = _named(name, sentence, domain)
        if text and joining and rng.random() < 0.4 and sentence.startswith(_OPENINGS):
            text = text[:-1] + rng.choice((", and", ", and", ";", ", while", ", where", " -", ", though"))
            sentence = sentence[0].lower() + sentence[1:]
        text += (" " if text else "") + sentence
        if part:
            at = _last(sentence, part) + len(text) - len(sentence)
            places[kind][about] = (at, at + len(part))
    known = rng.random() < 0.7
    runs = {m.span() for one in set(names) if " " in one and known for m in re.finditer(re.escape(one), text)}
    return Brief(text, **places, names=tuple(sorted(runs)))


def _last(sentence: str, part: str) -> int:
    """Where the part stands last; a sentence may have set its first letter, and a dotless i is not that of an I."""
    begun = (sentence.rfind(first + part[1:]) for first in (part[0], part[0].upper(), part[0].lower()))
    found = max(begun)
    return found if found >= 0 else sentence.lower().rindex(part.lower())


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
