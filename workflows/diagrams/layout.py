"""Layout: from boxes and arrows with their sizes to places and lines, in layers from top to bottom.

Lines run in the gaps between the rows and in columns of their own through them: they touch no box and no label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .columns import columns
from .frame import Frame, Place, Point
from .lines import CORNER, Line, lines_of
from .net import Item, Net, Wire, net_of
from .order import ordered

ABOVE_LABEL, BELOW_LABEL = 17.0, 22.0
"""What lies at least between a box, a row of labels and the next box; the second has room for an arrow's head."""
SLANT, MOST_SLANT = 0.08, 30.0
"""How much is added where a line goes far to the side: a share of how far."""
APART = (2.0, 10.0, 34.0)
"""What lies between two neighbours of which none, one or both are boxes."""


@dataclass(frozen=True)
class Size:
    """Of a box; ``behind`` is how far the boxes stacked behind it stick out to the right and below."""

    wide: float
    high: float
    behind: float = 0.0


@dataclass(frozen=True)
class Layout:
    """Where all is: boxes by their upper left corner, labels (by the number of the wire) by their middle."""

    wide: float
    high: float
    boxes: Mapping[str, Point]
    labels: Mapping[int, Point]
    lines: tuple[Line, ...]


def layout(sizes: Mapping[str, Size], wires: Sequence[Wire], last: str | None = None) -> Layout:
    """Lay out boxes and arrows. No wire leads to the first box; ``last`` is one that stands below all others."""
    extents = {name: (size.wide / 2, size.wide / 2 + size.behind) for name, size in sizes.items()}
    net = net_of(extents, wires, last)
    rows = [[item for unit in row for item in unit] for row in ordered(net)]
    links = [link for link in net.links if link not in net.loose]
    middles = columns(rows, links, lambda item: net.items[item].part,
                      lambda one, other: _space(net.items[one], net.items[other]))
    left = min(x - item.left for x, item in zip(middles, net.items, strict=True))
    frame = _framed(net, [x - left for x in middles], sizes, wires)
    return Layout(
        max(x + item.right for x, item in zip(frame.x, net.items, strict=True)),
        frame.bottom[-1],
        {name: (place.left, place.top) for name, place in frame.boxes.items()},
        _labels(frame, wires),
        lines_of(frame, wires),
    )


def _space(one: Item, other: Item) -> float:
    return one.right + other.left + APART[(not one.part) + (not other.part)]


def _framed(net: Net, x: list[float], sizes: Mapping[str, Size], wires: Sequence[Wire]) -> Frame:
    rows = len(net.units)
    high, slant = [0.0] * rows, [0.0] * rows
    for item in net.items:
        if item.box is not None:
            size = sizes[item.box]
            high[item.row] = max(high[item.row], size.high + size.behind)
    for wire, trail in zip(wires, net.trails, strict=True):
        row = net.items[trail.label].row
        high[row] = max(high[row], wire.high)
    for upper, lower in net.links:
        row = net.items[upper].row
        slant[row] = max(slant[row], abs(x[upper] - x[lower]))
    top, y = [], 0.0
    for row in range(rows):
        top.append(y)
        y += high[row] + (BELOW_LABEL if row % 2 else ABOVE_LABEL) + min(SLANT * slant[row], MOST_SLANT)
    boxes = {}
    for item, middle in zip(net.items, x, strict=True):
        if item.box is not None and not item.lane:
            size = sizes[item.box]
            above = top[item.row] + (high[item.row] - size.high - size.behind) / 2
            boxes[item.box] = Place(middle - size.wide / 2, above, size.wide, size.high, size.behind)
    return Frame(net, tuple(x), tuple(top), tuple(y + h for y, h in zip(top, high, strict=True)), boxes)


def _labels(frame: Frame, wires: Sequence[Wire]) -> dict[int, Point]:
    found = {}
    for number, (wire, trail) in enumerate(zip(wires, frame.net.trails, strict=True)):
        if wire.high:
            row = frame.net.items[trail.label].row
            aside = wire.wide / 2 + CORNER if trail.loop else 0.0
            found[number] = (frame.x[trail.label] + aside, (frame.top[row] + frame.bottom[row]) / 2)
    return found
