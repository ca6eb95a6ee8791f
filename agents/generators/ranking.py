"""Things liked and things to suggest, over invented worlds: what the recommender learns from."""

from __future__ import annotations

import random

from ...core.prompts import Example
from ..recommender import compose, shared
from .domains import Domain
from .phrases import finish, slip
from .worlds import a_domain, distinct, make_facts, relate

_LOVED = (
    "I loved {l}",
    "I liked {l}",
    "we enjoyed {l}",
    "I really liked {l}",
    "my favourites are {l}",
    "I enjoyed {l} a lot",
    "{l} {was} great",
    "I was fond of {l}",
    "we loved {l}",
    "I have been to {l} and loved it",
    "I have been to {l} and loved them",
    "I travelled to {l} and enjoyed it",
    "my best trips were {l}",
    "I really enjoyed my time in {l}",
    "I adore {l}",
    "{l} {was} wonderful",
    "I had a great time with {l}",
    "I love {l}",
    "big fan of {l}",
    "we had a lovely time in {l}",
    "{l} {was} my favourite",
    "I like {l}",
    "I visited {l} and liked it",
    "after {l}",
    "I've enjoyed {l}",
    "{l} {was} lovely",
    "{l} stole my heart",
    "I keep thinking of {l}",
    "nothing ever pleased me like {l}",
    "I came back from {l} full of joy",
    "{l} {was} a dream",
    "I could go to {l} again and again",
    "five stars for {l}",
    "I have fallen for {l}",
    "{l} {was} just my thing",
    "I was happy with {l}",
    "{l}: brilliant",
    "I am crazy about {l}",
    "my kids adored {l}",
    "{l} suited me perfectly",
)
_DISLIKED = (
    "but not {d}",
    "but I did not like {d}",
    "but {d} was awful",
    "not {d} though",
    "I hated {d}",
    "but {d} bored me",
    "less so {d}",
    "I disliked {d}",
    "but {d} disappointed me",
    "unlike {d}",
    "{d} was a disappointment",
    "{d} was not for me",
    "never again {d}",
    "{d} left me cold",
    "I could not stand {d}",
    "{d}, well, so so",
    "{d} was a waste of money",
    "I regret {d}",
    "whereas {d} was dull",
    "but nothing like {d}, please",
    "{d} got on my nerves",
    "{d} I would skip",
)
_NEXT = (
    "where next",
    "what next",
    "what should I try next",
    "where should I head next",
    "what do you suggest",
    "any suggestions",
    "what else would I like",
    "what is similar",
    "which {one} should I try",
    "recommend another {one}",
    "recommend something",
    "what else is like it",
    "suggest {many} like that",
    "give me some ideas",
    "which {many} would I enjoy",
    "where should I travel",
    "where to now",
    "what would you recommend",
    "more like this please",
    "suggest a few {many}",
    "which {one} next",
    "what other {many} are like that",
    "now what",
    "ideas for the next one",
    "I want more of that",
    "help me find the next {one}",
    "what comes next",
    "give me three tips",
    "what would suit me",
    "I need a new {one}",
    "surprise me with something alike",
    "anything in that vein",
    "tell me what to book",
)
_ONLY = (
    "{many} like {l}",
    "what is similar to {l}",
    "which {many} are similar to {l}",
    "recommend {many} similar to {l}",
    "what else would I like if I liked {l}",
    "where should I go if I loved {l}",
    "suggest a {one} for someone who likes {l}",
    "something like {l}",
    "I want to go somewhere like {l}",
    "I would like to see {many} similar to {l}",
    "where else would someone who liked {l} go",
    "which {many} resemble {l}",
    "find me {many} like {l}",
    "which {one} should I try after {l}",
    "if I enjoyed {l}, what next",
    "recommend me a {one} like {l}",
    "where should we go after {l}",
    "what should I visit if I liked {l}",
    "alternatives to {l}",
    "where next after {l}",
)
_HINTS = {
    "speaks": (
        "with the same language",
        "where they speak the same language",
        "I want to keep using the language",
        "same language please",
    ),
    "pays with": (
        "with the same currency",
        "I do not want to change money",
        "where I can keep my money",
        "same currency please",
    ),
    "borders": ("close by", "nearby", "next door", "a neighbour would be best", "not far from there"),
    "lies in": ("on the same continent", "in the same part of the world", "same continent please"),
}


def liked_request(rng: random.Random, domain: Domain, liked: list[str], disliked: list[str]) -> str:
    """What somebody says about things liked, things not liked, and the wish for others."""
    words = {"one": domain.one, "many": domain.many, "l": join(rng, liked), "was": "were" if len(liked) > 1 else "was"}
    if not disliked and rng.random() < 0.3:
        return rng.choice(_ONLY).format(**words)
    text = rng.choice(_LOVED).format(**words)
    if len(liked) == 2 and rng.random() < 0.2:
        first = {**words, "l": liked[0], "was": "was"}
        text = rng.choice(_LOVED).format(**first) + rng.choice((", {x} too", ", and so was {x}", "; {x} as well",
            ", same for {x}", ", {x} likewise", " and {x} even more")).format(x=liked[1])  # fmt: skip
    if disliked:
        text += rng.choice((", ", " ", "; ")) + rng.choice(_DISLIKED).format(d=join(rng, disliked))
    wish = rng.choice(_NEXT).format(**words)
    if rng.random() < 0.2:
        return f"{wish}{rng.choice(('? ', ': ', '. ', ' - ', '; '))}{text}"
    link = rng.choice((". ", ". ", ", ", "; ", "! ", ": "))
    return f"{text}{link}{wish[0].upper() + wish[1:] if link in ('. ', '! ') and rng.random() < 0.85 else wish}"


def join(rng: random.Random, names: list[str]) -> str:
    """A and B; A, B and C."""
    if len(names) == 1:
        return names[0]
    last = rng.choice((" and ", " and ", " and ", " & ", ", ", " and also "))
    return ", ".join(names[:-1]) + last + names[-1]


def example(rng: random.Random) -> Example:
    """A request with what was liked, candidates with their facts, and a grade for each by what it shares."""
    while True:
        domain = a_domain(rng)
        count = rng.randint(8, 14)
        names = distinct(rng, domain.maker, count)
        by_relation = make_facts(rng, domain, names, 2, 5)
        for single in ("capital", "drives on"):
            by_relation.pop(single, None)
        if len(by_relation) < 3:
            continue
        for relation in domain.relations:
            if relation.name in by_relation and not relation.target and not relation.values:
                by_relation[relation.name] = _denser(rng, by_relation[relation.name])
            elif relation.name in by_relation and relation.target:
                by_relation[relation.name] = relate(rng, relation, names)
        facts = {name: [(r, o) for r, by in by_relation.items() for o in by.get(name, ())] for name in names}
        mentioned = rng.sample(names, rng.choice((1, 2, 2, 2, 3)))
        disliked = mentioned[1:2] if len(mentioned) > 1 and rng.random() < 0.18 else []
        liked = [name for name in mentioned if name not in disliked]
        candidates = [name for name in names if name not in mentioned and shared(name, mentioned, facts)]
        if len(candidates) < 5:
            continue
        candidates = sorted(candidates)[: rng.randint(6, 12)]
        request = liked_request(rng, domain, liked, disliked)
        hint = rng.choice(list(by_relation)) if rng.random() < 0.25 else ""
        if hint in _HINTS:
            request += rng.choice((", ", ". ", " - ")) + rng.choice(_HINTS[hint])
        else:
            hint = ""
        scores = {name: _score(name, liked, facts, hint) for name in candidates}
        grades = {name: str(round(min(score, 9.0))) for name, score in scores.items()}
        if len(set(grades.values())) < 2:
            continue
        if rng.random() < 0.05:
            request = slip(rng, request, tuple(mentioned))
        if rng.random() < 0.1:
            request = request.lower()
        order = sorted(mentioned, key=lambda name: request.lower().find(name.lower()))
        prompt, record = compose(order, candidates, facts, finish(rng, request))
        return Example(prompt, record, {"liked": [name for name in order if name in liked], "places": grades})


def _denser(rng: random.Random, facts: dict[str, list[str]]) -> dict[str, list[str]]:
    """The same facts with fewer different objects, so that things share some."""
    objects = list({other for others in facts.values() for other in others})
    few = objects[: max(2, len(objects) // 3)]
    return {name: rng.sample(few, min(len(few), max(1, len(others)))) for name, others in facts.items()}


def _score(name: str, liked: list[str], facts: dict[str, list[tuple[str, str]]], hint: str) -> float:
    """Facts in common with what was liked; those of the relation that the request asks for count for four."""
    return sum(4.0 if relation == hint else 1.0 for relation, _ in shared(name, liked, facts))
