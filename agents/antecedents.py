"""What a pronoun in one step of a plan stands for, where another part of the request names it.

"What is the capital of Chad, and how many people live there?" makes two steps that need nothing of each other, and the
second alone names nothing. As with values of tables and names of the graph, what is meant is linked by rule.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..knowledge import KnowledgeStore
    from ..knowledge.entities import Mention

_PRONOUN = re.compile(
    r"(?<![\w'’])(?:(?<!is )(?<!are )(?<!was )(?<!were )there(?! (?:is|are|was|were)\b)|it|its|they|their|theirs|them|"
    r"(?:that|this|the same) (?:one|place|country|nation|state|land|city|town|person|book|film|company))(?![\w'’])",
    re.IGNORECASE,
)
_JOINED = re.compile(r"\s*(?:,|;|&|\+|\band\b|\bor\b|, and)\s*", re.IGNORECASE)


def antecedent(request: str, start: int, end: int, store: KnowledgeStore) -> str:
    """What a pronoun in ``request[start:end]`` stands for, by name; empty where nothing outside names it.

    That is the name which stands last before it, with those that are joined to it ("Ghana and Togo"), or else the first
    behind it. A step that names something itself, or has no pronoun, stands for itself.
    """
    if not _PRONOUN.search(request[start:end]):
        return ""
    named = [mention for mention in store.link(request) if mention.sure]
    if any(mention.start < end and mention.end > start for mention in named):
        return ""
    before = [mention for mention in named if mention.end <= start]
    meant = before[-1:] or named[:1]
    while len(before) > len(meant) and _JOINED.fullmatch(request, before[-len(meant) - 1].end, meant[0].start):
        meant.insert(0, before[-len(meant) - 1])
    return " and ".join(_name(request, mention, store) for mention in meant)


def _name(request: str, mention: Mention, store: KnowledgeStore) -> str:
    """As it is written; of several meanings that which most is told of ("Ukrainian": the country, not the language)."""
    if not mention.others:
        return request[mention.start : mention.end]
    told = {name: sum(fact.subject == name for fact in store.facts(name)) for name in (mention.entity, *mention.others)}
    return max(told, key=lambda name: told[name])
