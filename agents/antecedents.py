"""What a step of a plan speaks of without naming it, where another part of the request names it.

"What is the capital of Chad, and how many people live there?" makes two steps that need nothing of each other, and the
second alone names nothing. As with values of tables and names of the graph, what is meant is linked by rule, and the
rule says nothing where it is not sure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..knowledge import KnowledgeStore
    from ..knowledge.entities import Mention

_THING = r"(?:countr(?:y|ies)|nations?|states?|lands?|places?|cit(?:y|ies)|towns?|persons?|books?|compan(?:y|ies))"
_PRONOUN = re.compile(
    r"(?<![\w'’-])(?:(?<!is )(?<!are )(?<!was )(?<!were )(?<!n't )(?<!hi )(?<!hey )(?<!hello )there"
    r"(?!,? (?:is|are|was|were|be|have|has|may|exists?)\b)|it(?! (?:true|possible|correct|takes|seems)\b)|its|they|"
    rf"theirs?|them|(?:that|this|the same) (?:one|{_THING}))(?![\w'’-])(?! (?:who|which|that|whose)\b)",
    re.IGNORECASE,
)
_OWN = re.compile(rf"\b(?:{_THING}|who|those|ones?)\b[^,;?.]* (?:that|which|whose|who|and|with|as)\b", re.IGNORECASE)
"""Before a pronoun: the step speaks of a thing of its own ("the country that has fondue as its dish")."""
_ROUND = re.compile(r"\b(?:border|touch|neighbou?r|surround|adjoin|flank)\w* $", re.IGNORECASE)
_BARE = re.compile(r"\W*(?:\w[\w'’-]*\W+){0,4}\w[\w'’-]*\W*")
_OF_OTHERS = re.compile(
    rf"\b(?:{_THING}|most|least|fewest|more|fewer|less|(?!forest|west)\w+est|who\w*|which|where|any\w*|every\w*|all|"
    r"world|globe|earth|planet|continents?|next|similar|like|recommend\w*|suggest\w*|advi[sc]e|trip)\b",
    re.IGNORECASE,
)
"""A step that is short and has none of these asks for something of what is named beside it ("population")."""
_ALL = re.compile(r"\b(?:both|common|shared?|together|each)\b", re.IGNORECASE)
_ONE_OF_TWO = re.compile(r"\b(?:former|latter)\b", re.IGNORECASE)
_JOINED = re.compile(r"\s*(?:,|;|&|\+|\band\b|\bor\b|, and)\s*", re.IGNORECASE)


def antecedent(request: str, start: int, end: int, store: KnowledgeStore) -> str:
    """What ``request[start:end]`` speaks of without naming it; empty where nothing outside surely is it.

    A pronoun does so, and where one thing alone is named outside, also up to five words that ask for something of it
    ("Chad's capital and population"). What is meant is the name which stands last before it, with those that are joined
    to it ("Ghana and Togo"), or else the first behind it; of "both", all before it. Names of which the graph tells a
    single fact are taken where there are no others, those of which it tells none (a continent, a currency) never. A
    step that names something stands for itself.
    """
    step = request[start:end]
    pronoun = _PRONOUN.search(step)
    bare = pronoun is None and bool(_BARE.fullmatch(step)) and not _OF_OTHERS.search(step)
    if (pronoun is None and not bare) or _ONE_OF_TWO.search(step):
        return ""
    if pronoun and _OWN.search(step[: pronoun.start()]) and not _ROUND.search(step[: pronoun.start()]):
        return ""
    mentions = [mention for mention in store.link(request) if mention.sure]
    if any(mention.start < end and mention.end > start for mention in mentions):
        return ""
    named = [(mention, *_meant(mention, store)) for mention in mentions]
    most = max((told for _, _, told in named), default=0)
    known = [(mention, name) for mention, name, told in named if told >= max(1, min(most, 2))]
    if bare and len({name for _, name in known}) != 1:
        return ""
    before = [one for one in known if one[0].end <= start]
    kept = before if _ALL.search(step) else before[-1:]
    while len(before) > len(kept) and _JOINED.fullmatch(request, before[-len(kept) - 1][0].end, kept[0][0].start):
        kept = before[-len(kept) - 1 :]
    return " and ".join(dict.fromkeys(name for _, name in kept or known[:1]))


def _meant(mention: Mention, store: KnowledgeStore) -> tuple[str, int]:
    """The name of what most is told of ("Ukrainian": the country, not the language), and how many facts that are."""
    told = {
        name: sum(fact.subject == name and fact.relation not in ("is_a", "also_called") for fact in store.facts(name))
        for name in (mention.entity, *mention.others)
    }
    best = max(told, key=lambda name: told[name])
    return best, told[best]
