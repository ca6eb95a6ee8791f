"""Links: facts that are not there yet and probably hold, with the rule and the facts that say so.

Where several rules predict the same, the highest confidence counts and, among equals, the next one (maximum
aggregation of AnyBURL, Meilicke et al. 2019), or all of them as if they were independent: 1 − ∏(1 − confidence).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .horn import HornRules, Ints, Rule
from .results import Fact

Floats = NDArray[np.float64]
Aggregation = Literal["max", "or"]


@dataclass(frozen=True)
class Prediction:
    """A link that probably holds.

    Attributes:
        name: what stands in the open place.
        confidence: 0 to 1.
        rule: the strongest rule that predicts it.
        because: the facts that satisfy its left side; none where it only tells what is frequent.
    """

    name: str
    confidence: float
    rule: Rule
    because: tuple[Fact, ...]


class LinkPredictor:
    """What follows from the rules that some facts support. Made by :meth:`learn`; it never changes.

    Args:
        rules: what was learned.
        by: how rules that predict the same count together, ``max`` or ``or``.
        depth: how many of them do, the strongest first.

    >>> pairs = [("Peru", "Chile"), ("Chile", "Peru"), ("Chile", "Bolivia"), ("Bolivia", "Chile"), ("Peru", "Brazil")]
    >>> links = LinkPredictor.learn(Fact(one, "borders", other) for one, other in pairs)
    >>> best = links.objects("Brazil", "borders")[0]
    >>> best.name, str(best.rule), [str(fact) for fact in best.because]
    ('Peru', 'borders(y, x) → borders(x, y) (4 of 5)', ['Peru borders Brazil'])
    """

    def __init__(self, rules: HornRules, by: Aggregation = "max", depth: int = 10) -> None:
        self.rules, self._by, self._depth = rules, by, depth
        sure = rules.confidences
        self._best = np.argsort(-sure, kind="stable")
        self._standing, self._falling = np.argsort(self._best), sure[self._best]

    @classmethod
    def learn(
        cls,
        facts: Iterable[Fact],
        *,
        support: int = 2,
        confidence: float = 0.01,
        unseen: float = 5.0,
        by: Aggregation = "max",
        depth: int = 10,
    ) -> LinkPredictor:
        """Counts the rules in some facts, ``store.all_facts()`` for example; one told several times counts once.

        Args:
            facts: what is known.
            support: what a rule must have.
            confidence: likewise.
            unseen: u; the higher, the more a rule must have been seen at work to be trusted.
            by: how rules that predict the same count together.
            depth: how many of them do, the strongest first.
        """
        return cls(HornRules(facts, support, confidence, unseen), by, depth)

    def objects(self, subject: str, relation: str, k: int = 10) -> list[Prediction]:
        """The ``k`` likeliest objects that are not known as such, best first; none where subject or relation is new."""
        asked = self.rules.number(subject, relation)
        return [] if asked is None else self._predictions(*asked, k)

    def subjects(self, relation: str, object: str, k: int = 10) -> list[Prediction]:
        """The ``k`` likeliest subjects that are not known as such, best first; none where relation or object is new."""
        asked = self.rules.number(object, relation)
        return [] if asked is None else self._predictions(asked[0], self.rules.back(asked[1]), k)

    def _predictions(self, start: int, relation: int, k: int) -> list[Prediction]:
        ends, _, sure, rules = (column[:k].tolist() for column in self.ranked(start, relation))
        return [
            Prediction(
                self.rules.things[end][0], s, self.rules.rule(rule), self.rules.because(rule, start, relation, end)
            )
            for end, s, rule in zip(ends, sure, rules, strict=True)
        ]

    def ranked(self, start: int, relation: int) -> tuple[Ints, Ints, Floats, Ints]:
        """All that is predicted where a relation leads from a thing, all as numbers, best first.

        Returns:
            the ends; their ranks, the same for equals; their confidences; the strongest rule for each.
        """
        ends, rules = self.rules.fired(start, relation)
        new = ~np.isin(ends, self.rules.ends(relation, start)) & ((ends != start) | (relation in self.rules.loops))
        # By the end, and then by the standing of the rule.
        ends, standing = np.divmod(np.sort(ends[new] * len(self._best) + self._standing[rules[new]]), len(self._best))
        things, first, group = np.unique(ends, return_index=True, return_inverse=True)
        place = np.arange(len(ends)) - first[group]
        counted = place < self._depth
        # [things, depth]: the confidences of the rules that predict each, falling.
        table = np.zeros((len(things), self._depth))
        table[group[counted], place[counted]] = self._falling[standing[counted]]
        if self._by == "or":
            table = 1.0 - np.prod(1.0 - table, axis=1, keepdims=True)
        order = np.lexsort((things, *-table.T[::-1]))
        table = table[order]
        rank = np.cumsum(np.any(np.diff(table, axis=0, prepend=table[:1]) != 0, axis=1))
        return things[order], rank, table[:, 0], self._best[standing[first[order]]]
