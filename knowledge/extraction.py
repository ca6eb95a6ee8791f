"""Extraction: the names and facts that a passage tells, behind one protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .entities import names_in
from .patterns import Patterns, RelationPattern
from .pieces import Piece
from .results import Fact


@dataclass(frozen=True)
class Extraction:
    """What was found in one passage.

    Attributes:
        names: name → whether it is surely one; an unsure name counts where it is known otherwise, and makes no entity
            that a query could be linked to.
        facts: supported by this passage, they die with it.
    """

    names: Mapping[str, bool] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()


class Extractor(Protocol):
    """Finds names and facts in passages: by rule (:class:`RuleExtractor`), by a learned head, or as you like."""

    def extract(self, pieces: Sequence[Piece]) -> list[Extraction]:
        """One extraction per passage, in order."""


class RuleExtractor:
    """Names by rule, without any model: titles, capitalised spans and links; and the relations that patterns state.

    Args:
        patterns: none unless some are given: what a form of sentence states depends on the texts.
    """

    def __init__(self, patterns: Iterable[RelationPattern] = ()) -> None:
        self._patterns = Patterns(patterns)

    def extract(self, pieces: Sequence[Piece]) -> list[Extraction]:
        """One extraction per passage, in order."""
        return [
            Extraction(names_in(p.title, p.text, p.headings) | dict.fromkeys(p.links, True), self._patterns.facts(p))
            for p in pieces
        ]
