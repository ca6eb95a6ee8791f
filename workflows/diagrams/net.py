"""The net of a diagram: boxes in rows, and every arrow as a trail of items from row to row.

Boxes stand in the even rows, labels in the odd ones between. An arrow over several rows has an item in each of them, so
that nothing else is put where it passes. Arrows to the same box share their items after their label: they flow
together. Arrows that lead back leave a box on its right, and climb in lanes beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .ranks import leading_back, ranks

Link = tuple[int, int]
LANE = 7.0
"""Half of the room that a line takes."""


@dataclass(frozen=True)
class Wire:
    """An arrow to be laid, with the size of its label. ``aside``: it is of those that are kept from the others."""

    source: str
    target: str
    wide: float = 0.0
    high: float = 0.0
    aside: bool = False


@dataclass(frozen=True)
class Item:
    """What has a place in a row: a box, a lane beside it (``box`` tells which), or a part of an arrow."""

    row: int
    left: float
    right: float
    box: str | None = None
    lane: bool = False

    @property
    def part(self) -> bool:
        """Whether it belongs to an arrow."""
        return self.box is None or self.lane


@dataclass(frozen=True)
class Trail:
    """The items of a wire, in its direction: the lane by which it leaves, its label, what it shares, and the lane by
    which it arrives. Only a wire that leads back has lanes; one from a box to itself has its label at the only one."""

    label: int
    shared: tuple[int, ...] = ()
    out: int | None = None
    into: int | None = None

    @property
    def loop(self) -> bool:
        """Whether it leads from a box to itself."""
        return self.label == self.out

    @property
    def up(self) -> bool:
        """Whether it leads back."""
        return self.out is not None


@dataclass(frozen=True)
class Net:
    """The items, how they are linked, and the trail of each wire.

    Attributes:
        links: (item, item in the row below).
        loose: the links that need not be straight.
        units: of each row: a box with its lanes, or a single part; what is in a unit stays side by side.
    """

    items: tuple[Item, ...]
    links: tuple[Link, ...]
    loose: frozenset[Link]
    trails: tuple[Trail, ...]
    units: tuple[tuple[tuple[int, ...], ...], ...]


def net_of(sizes: Mapping[str, tuple[float, float]], wires: Sequence[Wire], last: str | None = None) -> Net:
    """The net of boxes, by name with their extents left and right of the middle; no wire leads to the first.

    ``last`` is a box that stands below all others.
    """
    names = list(sizes)
    back = leading_back(names, [(wire.source, wire.target, wire.aside) for wire in wires])
    ahead = [(wire.source, wire.target) for number, wire in enumerate(wires) if number not in back]
    made = _Making(sizes, ranks(names, ahead, last))
    for number, wire in enumerate(wires):
        if number not in back:
            made.down(number, wire)
    for number in sorted(back, key=lambda number: (wires[number].source == wires[number].target, number)):
        # A box's way back to itself is the outermost of its lanes.
        made.back(number, wires[number])
    return made.net()


class _Making:
    def __init__(self, sizes: Mapping[str, tuple[float, float]], rank: Mapping[str, int]) -> None:
        self.row = {name: 2 * depth for name, depth in rank.items()}
        self.items: list[Item] = []
        self.links: dict[Link, bool] = {}
        self.trails: dict[int, Trail] = {}
        self.shared: dict[tuple[str, bool, bool, int], int] = {}
        self.boxes = {name: self.item(Item(self.row[name], *size, name)) for name, size in sizes.items()}
        self.lanes: dict[str, list[int]] = {name: [] for name in sizes}

    def item(self, item: Item) -> int:
        self.items.append(item)
        return len(self.items) - 1

    def label(self, wire: Wire, row: int) -> int:
        half = max(wire.wide / 2, LANE)
        return self.item(Item(row, half, half))

    def common(self, wire: Wire, up: bool, row: int) -> int:
        """What all wires of a kind to the same box have in this row: its lane, or a part on the way to it."""
        key = (wire.target, wire.aside, up, row)
        if key not in self.shared:
            arrived = row == self.row[wire.target]
            self.shared[key] = self.lane(wire.target) if arrived else self.item(Item(row, LANE, LANE))
        return self.shared[key]

    def lane(self, box: str, wide: float = LANE) -> int:
        self.lanes[box].append(self.item(Item(self.row[box], LANE, wide, box, lane=True)))
        return self.lanes[box][-1]

    def down(self, number: int, wire: Wire) -> None:
        first, end = self.row[wire.source], self.row[wire.target]
        label = self.label(wire, first + 1)
        shared = tuple(self.common(wire, False, row) for row in range(first + 2, end))
        self.trails[number] = Trail(label, shared)
        self.link(wire.aside, self.boxes[wire.source], label, *shared, self.boxes[wire.target])

    def back(self, number: int, wire: Wire) -> None:
        first, end = self.row[wire.source], self.row[wire.target]
        if wire.source == wire.target:
            lane = self.lane(wire.source, wire.wide + 2 * LANE)
            self.trails[number] = Trail(lane, (), lane, lane)
            return
        out, label = self.lane(wire.source), self.label(wire, first - 1)
        shared = tuple(self.common(wire, True, row) for row in range(first - 2, end, -1))
        into = self.common(wire, True, end)
        self.trails[number] = Trail(label, shared, out, into)
        self.link(wire.aside, into, *reversed(shared), label, out)

    def link(self, aside: bool, *down: int) -> None:
        for link in zip(down, down[1:], strict=False):
            self.links[link] = aside

    def net(self) -> Net:
        rows = 1 + max(item.row for item in self.items)
        units: list[list[tuple[int, ...]]] = [[] for _ in range(rows)]
        for name, box in self.boxes.items():
            units[self.row[name]].append((box, *self.lanes[name]))
        for number, item in enumerate(self.items):
            if item.box is None:
                units[item.row].append((number,))
        trails = tuple(trail for _, trail in sorted(self.trails.items(), key=lambda pair: pair[0]))
        return Net(tuple(self.items), tuple(self.links), self.loose(), trails, tuple(map(tuple, units)))

    def loose(self) -> frozenset[Link]:
        """Links of wires aside, at a box where others are as well: those are to be straight."""
        straight = {(end, item) for link, aside in self.links.items() if not aside for end, item in enumerate(link)}
        return frozenset(
            link for link, aside in self.links.items()
            if aside and any(not self.items[item].part and (end, item) in straight for end, item in enumerate(link))
        )  # fmt: skip
