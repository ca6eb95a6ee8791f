"""The frame of a diagram: its net with all places, into which the lines are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .net import Net

Point = tuple[float, float]


@dataclass(frozen=True)
class Place:
    """A box; ``behind`` is how far the boxes stacked behind it stick out to the right and below."""

    left: float
    top: float
    wide: float
    high: float
    behind: float

    @property
    def middle(self) -> float:
        """Where lines leave and arrive, above and below."""
        return self.left + self.wide / 2

    @property
    def right(self) -> float:
        """The right edge of all that is drawn."""
        return self.left + self.wide + self.behind

    @property
    def bottom(self) -> float:
        """The lower edge of all that is drawn."""
        return self.top + self.high + self.behind


@dataclass(frozen=True)
class Frame:
    """The middle of every item, the top and bottom of every row, the place of every box."""

    net: Net
    x: tuple[float, ...]
    top: tuple[float, ...]
    bottom: tuple[float, ...]
    boxes: Mapping[str, Place]
