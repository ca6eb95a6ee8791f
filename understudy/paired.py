"""Whether one answers the same questions better than another: the paired difference, its interval, and a test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .core.intervals import wilson

LEVEL = 0.05


@dataclass(frozen=True)
class Paired:
    """How two did on the same questions; the verdict of an ablation is :attr:`wins`.

    Two shares' own intervals say little of their difference: both are asked the same questions, and what is hard is
    hard for both, so that intervals often overlap where the difference is clear. Therefore the questions are compared
    one by one. Only those on which the two differ count; were they equally good, each would win half of these, and
    McNemar's exact test (1947, Psychometrika 12:153) says how rare such a split would be, for any number of questions.
    The interval of the difference is Newcombe's tenth (1998, Statistics in Medicine 17:2635): Wilson's of both shares,
    put together with their correlation. Of few questions it may leave out 0 where the test does not reject; then the
    test decides, which is exact.

    Attributes:
        both, first, second, neither: questions that both, only the first, only the second, and none got right.

    >>> media = Paired(20, 12, 2, 16)
    >>> round(media.p, 4), round(media.difference, 2), media.wins
    (0.0129, 0.2, True)
    """

    both: int
    first: int
    second: int
    neither: int

    @classmethod
    def of(cls, first: Sequence[bool], second: Sequence[bool]) -> Paired:
        """From what each got right, in the same order. Raises ValueError where the lengths differ."""
        pairs = list(zip(first, second, strict=True))
        return cls(*(pairs.count(kind) for kind in ((True, True), (True, False), (False, True), (False, False))))

    @property
    def total(self) -> int:
        """The questions."""
        return self.both + self.first + self.second + self.neither

    @property
    def difference(self) -> float:
        """The first's share less the second's; 0 where there are no questions."""
        return (self.first - self.second) / self.total if self.total else 0.0

    @property
    def p(self) -> float:
        """The chance of a split at least as uneven, were the two equally good; two-sided."""
        tried = self.first + self.second
        tail = sum(math.comb(tried, count) for count in range(min(self.first, self.second) + 1))
        return float(min(1.0, 2 * tail / 2**tried))

    @property
    def wins(self) -> bool:
        """Whether the first is better, beyond chance."""
        return self.first > self.second and self.p < LEVEL

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the difference; (-1, 1) where there are no questions."""
        n = self.total
        if not n:
            return (-1.0, 1.0)
        mine, theirs = self.both + self.first, self.both + self.second
        (low1, high1), (low2, high2) = wilson(mine, n), wilson(theirs, n)
        product = float(self.both * self.neither - self.first * self.second)
        spread = mine * (n - mine) * theirs * (n - theirs)
        if product > 0:
            product = max(0.0, product - n / 2)
        together = product / math.sqrt(spread) if spread else 0.0

        def reach(one: float, other: float) -> float:
            return math.sqrt(max(0.0, one * one - 2 * together * one * other + other * other))

        below, above = reach(mine / n - low1, high2 - theirs / n), reach(high1 - mine / n, theirs / n - low2)
        return (max(-1.0, self.difference - below), min(1.0, self.difference + above))

    @property
    def apart(self) -> bool:
        """Whether the Wilson intervals of the two shares do not overlap."""
        (low1, high1), (low2, high2) = (wilson(self.both + one, self.total) for one in (self.first, self.second))
        return low1 > high2 or low2 > high1

    @property
    def points(self) -> str:
        """For a table: ``+20 (+6 to +33)``, percentage points with their interval."""
        low, high = self.interval
        return f"{100 * self.difference:+.0f} ({100 * low:+.0f} to {100 * high:+.0f})"

    @property
    def chance(self) -> str:
        """For a table: ``0.013``, or ``< 0.001``."""
        return f"{self.p:.2g}" if self.p >= 0.001 else "< 0.001"

    def as_json(self) -> dict[str, Any]:
        """The counts, ``difference``, ``interval``, ``p``, ``wins`` and ``intervals_apart``."""
        counts = {"both": self.both, "first_only": self.first, "second_only": self.second, "neither": self.neither}
        return counts | {
            "difference": round(self.difference, 4), "interval": [round(end, 4) for end in self.interval],
            "p": self.p, "wins": self.wins, "intervals_apart": self.apart,
        }  # fmt: skip
