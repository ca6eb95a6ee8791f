"""Streams: endless examples for heads, and batches of one width drawn from them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .backbone import Backbone
from .demonstrations import Rendered, render
from .prompts import Example


@dataclass(frozen=True)
class Stream:
    """Examples for one head: ``draw`` makes one from a random generator; ``weight`` is its share of the rows."""

    head: int
    weight: float
    draw: Callable[[random.Random], Example]


Rows = tuple[list[str], list[Rendered]]
WIDTH = 32
"""Widths are multiples of this and the rows of a width always the same number: CPU kernels are made once a shape."""


class Sorter:
    """Draws examples and sorts them by length, until a batch of one width is full.

    Args:
        streams: name → examples for one head.
        backbone: renders them.
        tokens: in a batch; longest: rows with more are drawn again.
    """

    def __init__(self, streams: Mapping[str, Stream], backbone: Backbone, tokens: int, longest: int) -> None:
        self.streams, self.backbone, self.tokens, self.longest = streams, backbone, tokens, longest
        self._names = sorted(streams)
        self._weights = [streams[name].weight for name in self._names]
        self._rows: dict[int, Rows] = {}

    def batch(self, seed: int) -> Rows:
        """The next full batch: the stream of each row, and the rows."""
        rng = random.Random(seed)
        while True:
            name = rng.choices(self._names, self._weights)[0]
            rendered = render(self.streams[name].draw(rng), self.backbone)
            if len(rendered.ids) > self.longest or not rendered.decisions:
                continue
            width = -(-len(rendered.ids) // WIDTH) * WIDTH
            names, items = self._rows.setdefault(width, ([], []))
            names.append(name)
            items.append(rendered)
            if len(names) * width >= self.tokens:
                return self._rows.pop(width)
