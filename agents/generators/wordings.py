"""How people ask for facts: the objects of a relation, the things that stand in one, things found before."""

from __future__ import annotations

import random

from .domains import Domain, Relation
from .phrases import agree, degrees, is_plural, singular

CONTINENTS = ("Africa", "Asia", "Europe", "South America", "North America", "the world", "the continent")


def ask_objects(
    rng: random.Random, domain: Domain, relation: Relation, name: str, several: bool, phrase: bool = False
) -> str:
    """A question for what ``name``, perhaps a ``phrase`` that says already what it is, stands in ``relation`` to."""
    noun = rng.choice(relation.nouns)
    if not several and is_plural(noun) and rng.random() < 0.6:
        noun = singular(noun)
    elif several and not is_plural(noun) and rng.random() < 0.3:
        noun += "s"
    be = "are" if is_plural(noun) else "is"
    about = name if phrase or rng.random() < 0.85 else f"the {domain.one} {name}"
    who = "who" if relation.maker == "person" and rng.random() < 0.7 else rng.choice(("what", "what", "which"))
    forms = [
        f"{who} {be} the {noun} of {about}",
        f"{who} {be} {about}'s {noun}",
        f"{noun} of {about}",
        f"{about}'s {noun}",
        f"what {noun} does {about} have",
        f"name the {noun} of {about}",
        f"tell me the {noun} of {about}",
        f"{about} {noun}",
        f"which {noun} does {about} have",
        f"do you know the {noun} of {about}",
        f"list the {noun} of {about}",
        f"give me the {noun} of {about}",
        f"what's the {noun} of {about}",
        f"what {be} the {noun} in {about}",
        f"which {be} the {noun} of {about}",
        f"what {noun} has {about}",
    ]
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
        forms += [
            f"where is {about}",
            f"where does {about} lie",
            f"which continent is {about} in",
            f"what part of the world is {about} in",
            f"on which continent is {about}",
            f"in which continent does {about} lie",
            f"which continent does {about} belong to",
            f"where is {about} located",
            f"in what region is {about}",
            f"in what part of {rng.choice(CONTINENTS)} is {about}",
            f"which part of {rng.choice(CONTINENTS)} does {about} belong to",
            f"whereabouts is {about}",
            f"{about} is in which part of the world",
            f"where on the map do I find {about}",
        ] * 2
    if relation.name == "speaks":
        forms += [
            f"what do people speak in {about}",
            f"which languages are spoken in {about}",
            f"what language is spoken in {about}",
            f"what language do they speak in {about}",
            f"what is the official language of {about}",
            f"what tongue do they use in {about}",
            f"what do the people of {about} speak",
            f"which language should I learn for {about}",
            f"what will I hear people talk in {about}",
        ] * 2
    if relation.name == "pays with":
        forms += [
            f"what money do they use in {about}",
            f"which currency is used in {about}",
            f"how do you pay in {about}",
            f"what currency does {about} use",
            f"what do people pay with in {about}",
            f"what money should I bring to {about}",
            f"which notes and coins are good in {about}",
            f"what's the currency of {about} called",
            f"what cash do I need in {about}",
            f"what is the money called in {about}",
        ] * 2
    if relation.name == "capital":
        forms += [
            f"name the capital city of {about}",
            f"which city is the capital of {about}",
            f"what's the capital of {about}",
            f"from which town is {about} governed",
            f"where does the government of {about} sit",
            f"{about}: capital",
        ] * 2
    if is_plural(noun) and several:
        forms += [f"how many {noun} does {about} have", f"how many {noun} has {about}"]
    if relation.name == "drives on":
        forms = [
            f"which side of the road do they drive on in {about}",
            f"on which side of the road do people drive in {about}",
            f"do they drive on the left or the right in {about}",
            f"does {about} drive on the left or the right",
            f"what side do cars drive on in {about}",
            f"do cars keep left in {about}",
            f"do you drive on the right in {about}",
            f"what is the driving side of {about}",
            f"driving side of {about}",
            f"{about} driving side",
        ]
    if relation.target == "sym":
        forms += [_which(rng, domain, relation, about) for _ in range(6)]
    if relation.name == "borders":
        forms += [
            f"who are {about}'s neighbours",
            f"which countries border {about}",
            f"which countries share a border with {about}",
            f"countries bordering {about}",
            f"countries around {about}",
            f"what countries are next to {about}",
            f"neighbours of {about}",
            f"which countries neighbour {about}",
            f"all countries that border {about}",
        ] * 2
    return rng.choice(forms)


def ask_subjects(rng: random.Random, domain: Domain, relation: Relation, target: str) -> str:
    """A question for the things that stand in ``relation`` to ``target``."""
    if relation.name == "capital":
        return rng.choice(
            (
                f"which country has {target} as its capital",
                f"{target} is which country's capital",
                f"what country is {target} the capital of",
                f"what is {target} the capital of",
                f"{target} is the capital of what",
                f"of which country is {target} the capital",
            )
        )
    if relation.name == "speaks" and rng.random() < 0.5:
        return rng.choice((
            f"where is {target} spoken", f"where do they speak {target}", f"in which countries is {target} spoken",
            f"who speaks {target}", f"{target} is the language of which country", f"where can I use my {target}",
            f"in what country will I hear {target}", f"{target}-speaking countries",
        ))  # fmt: skip
    if relation.name == "pays with" and rng.random() < 0.5:
        return rng.choice((
            f"which country uses the {target}", f"where do people pay with the {target}", f"where is the {target} used",
            f"{target}: whose money is that", f"the {target} is the currency of which country",
            f"where can I spend my {target}", f"what country has the {target}", f"who pays with the {target}",
        ))  # fmt: skip
    if relation.name == "lies in" and rng.random() < 0.4:
        return rng.choice((
            f"which countries are in {target}", f"countries of {target}", f"what belongs to {target}",
            f"which countries make up {target}", f"name a country in {target}",
        ))  # fmt: skip
    return _which(rng, domain, relation, target)


def _which(rng: random.Random, domain: Domain, relation: Relation, target: str) -> str:
    phrase = rng.choice(relation.verbs).replace("{v}", target)
    many, one = agree(phrase, True), agree(phrase, False)
    return rng.choice(
        (
            f"which {domain.many} {many}",
            f"what {domain.many} {many}",
            f"which {domain.one} {one}",
            f"{domain.many} that {many}",
            f"list the {domain.many} that {many}",
            f"name a {domain.one} that {one}",
            f"tell me which {domain.many} {many}",
            f"who or what {one}",
            f"name all {domain.many} that {many}",
            f"are there {domain.many} that {many}",
            f"the {domain.many} that {many}",
        )
    )


def stand_in(rng: random.Random, domain: Domain) -> str:
    """What a question says of a thing that an earlier step found: the largest country in Africa, that river, it."""
    draw = rng.random()
    if draw < 0.12:
        return rng.choice((f"that {domain.one}", f"this {domain.one}", "it"))
    attribute = rng.choice([attribute for attribute in domain.attributes if attribute.kind == "n"])
    adjectives = (*attribute.high, *attribute.low)
    if adjectives and draw < 0.7:
        text = f"the {degrees(rng.choice(adjectives))[1]} {domain.one}"
    else:
        most = rng.choice(("highest", "largest", "most", "lowest", "smallest"))
        text = f"the {domain.one} with the {most} {rng.choice(attribute.nouns)}"
    if rng.random() < 0.5:
        filters = [
            other for other in domain.attributes if other.kind == "c" and other.values and "yes" not in other.values
        ]
        if filters:
            other = rng.choice(filters)
            phrase = rng.choice([phrase for phrase in other.phrases if "{a}" not in phrase] or ["@"])
            text = agree(phrase, False).replace("@", text).replace("{v}", rng.choice(other.values))
    return text
