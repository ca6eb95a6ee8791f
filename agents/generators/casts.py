"""Casts of agents: what they are called and what is said of them, beside others that are not needed."""

from __future__ import annotations

import random

from .. import coder, qa, recommender
from .domains import DOMAINS, Domain
from .names import syllables

#: The three kinds of work that requests need.
FIGURES, FACTS, TASTE = "figures", "facts", "taste"

_NAMES = {
    FIGURES: (
        "coder",
        "coder",
        "coder",
        "sql",
        "analyst",
        "tables",
        "numbers",
        "statistician",
        "calculator",
        "database",
        "counter",
        "figures",
        "data",
        "query",
        "accountant",
        "sheet",
    ),
    FACTS: (
        "qa",
        "qa",
        "qa",
        "reader",
        "lookup",
        "librarian",
        "facts",
        "answers",
        "researcher",
        "scholar",
        "graph",
        "encyclopedia",
        "finder",
        "archive",
        "expert",
    ),
    TASTE: (
        "recommender",
        "recommender",
        "recommender",
        "advisor",
        "suggest",
        "guide",
        "matchmaker",
        "concierge",
        "tips",
        "picker",
        "curator",
        "scout",
        "taste",
    ),
}
_DOES = {
    FIGURES: (
        coder.DOES,
        coder.DOES,
        "answers questions about figures with SQL",
        "counts, sums, averages and rankings over the table",
        "queries the table of {many}",
        "figures about {many}: {columns}",
        "numbers and statistics about {many}",
        "runs SQL over the {many} table",
        "knows the table with {columns}",
        "calculates with the data",
        "filters, counts and compares {many}",
        "a question about figures becomes SQL",
        "writes SQL",
        "data analysis: totals, averages, largest and smallest",
        "answers questions on {columns} of {many}",
    ),
    FACTS: (
        qa.DOES,
        qa.DOES,
        "answers questions from texts and a graph",
        "looks up single facts about {many}",
        "reads passages and the knowledge graph",
        "knows {relations} of {many}",
        "finds facts: {relations}",
        "answers a question with the passage it rests on",
        "searches the briefs",
        "facts and relations between {many}",
        "who, what and where, from documents",
        "looks things up",
        "answers from the sources",
        "knows what is written about {many}",
    ),
    TASTE: (
        recommender.DOES,
        recommender.DOES,
        "recommends {many} from what you liked",
        "suggests what next",
        "ranks {many} by taste",
        "personal suggestions",
        "finds {many} like the ones you loved",
        "tells where to go next",
        "advice on what to try",
        "recommendations",
        "from places liked to places not yet visited",
        "proposes similar {many}",
    ),
}
_OTHERS = (
    ("translator", "translates texts into other languages"),
    ("writer", "writes polite letters"),
    ("reviewer", "checks answers for mistakes"),
    ("painter", "draws pictures"),
    ("mailer", "sends e-mail"),
    ("calendar", "makes appointments"),
    ("summary", "shortens long texts"),
    ("critic", "judges style and tone"),
    ("poet", "writes verse"),
    ("clerk", "files forms"),
    ("triage", "sorts messages into queues"),
    ("booking", "books flights and rooms"),
    ("weather", "tells the weather"),
    ("chat", "small talk"),
    ("speller", "corrects spelling"),
)


def describe(rng: random.Random, kind: str, domain: Domain) -> str:
    """What an agent of this kind does, generally or for one domain."""
    text = rng.choice(_DOES[kind])
    if "{" not in text:
        return text
    columns = [rng.choice(attribute.nouns) for attribute in domain.attributes]
    relations = [relation.nouns[0] for relation in domain.relations]
    picked = rng.sample(columns, min(len(columns), rng.randint(2, 4)))
    return text.format(
        many=domain.many, columns=", ".join(picked), relations=", ".join(rng.sample(relations, min(len(relations), 3)))
    )


def cast(rng: random.Random, domain: Domain) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Names and descriptions in any order, and which agent does each of the three kinds of work."""
    if rng.random() < 0.22:  # the cast of a team that names nothing of its own
        usual = [("coder", coder.DOES), ("qa", qa.DOES), ("recommender", recommender.DOES)]
        return usual, {FIGURES: "coder", FACTS: "qa", TASTE: "recommender"}
    members: dict[str, str] = {}
    who: dict[str, str] = {}
    for kind in (FIGURES, FACTS, TASTE):
        draw = rng.random()
        name = syllables(rng).lower() if draw < 0.25 else rng.choice(_NAMES[kind])
        if 0.25 <= draw < 0.32:
            name = rng.choice(_NAMES[rng.choice((FIGURES, FACTS, TASTE))])  # the name may mislead: what it does counts
        while name in members:
            name = syllables(rng).lower()
        members[name] = describe(rng, kind, domain)
        who[kind] = name
    for name, does in rng.sample(_OTHERS, rng.choice((0, 0, 0, 1, 1, 2, 3))):
        members.setdefault(name, does)
    if rng.random() < 0.12:  # a second specialist, for something else
        kind, other = rng.choice((FIGURES, FACTS)), rng.choice(DOMAINS)
        if other is not domain:
            template = rng.choice([text for text in _DOES[kind] if "{many}" in text])
            nouns = ", ".join(attribute.nouns[0] for attribute in other.attributes[:3])
            does = template.format(
                many=other.many, columns=nouns, relations=", ".join(r.nouns[0] for r in other.relations)
            )
            mine = next(text for text in _DOES[kind] if text == template).format(
                many=domain.many,
                columns=", ".join(attribute.nouns[0] for attribute in domain.attributes[:3]),
                relations=", ".join(r.nouns[0] for r in domain.relations),
            )
            members[who[kind]] = mine
            members.setdefault(syllables(rng).lower(), does)
    listed = list(members.items())
    rng.shuffle(listed)
    return listed, who
