"""The order of the items within each row, with few crossings: sweeps by barycentre, then swaps of neighbours.

After Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System Structures" (1981).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence

from .net import Net

Unit = tuple[int, ...]
SWEEPS = 16
SWAPS = 8


def ordered(net: Net) -> list[list[Unit]]:
    """The units of every row from left to right."""
    order = _Order(net)
    best, fewest = [list(row) for row in order.rows], order.crossings()
    for sweep in range(SWEEPS):
        if not fewest:
            return best
        order.sweep(down=sweep % 2 == 0)
        if (count := order.crossings()) < fewest:
            best, fewest = [list(row) for row in order.rows], count
    order.take(best)
    for _ in range(SWAPS):
        if not order.swap():
            break
    return order.rows


class _Order:
    def __init__(self, net: Net) -> None:
        self.above: list[list[int]] = [[] for _ in net.items]
        self.below: list[list[int]] = [[] for _ in net.items]
        for upper, lower in net.links:
            self.below[upper].append(lower)
            self.above[lower].append(upper)
        self.place = [0] * len(net.items)
        self.take(self.first(net))

    def first(self, net: Net) -> list[list[Unit]]:
        """In the order of a walk along the links, as they were declared: branches stay together."""
        unit_of = {item: unit for row in net.units for unit in row for item in unit}
        rows: list[list[Unit]] = [[] for _ in net.units]
        seen = set()
        for unit in (unit for row in net.units for unit in row):
            waiting = [unit]
            while waiting:
                unit = waiting.pop()
                if unit not in seen:
                    seen.add(unit)
                    rows[net.items[unit[0]].row].append(unit)
                    waiting += reversed([unit_of[other] for item in unit for other in self.below[item]])
        return rows

    def take(self, rows: list[list[Unit]]) -> None:
        self.rows = rows
        for row in rows:
            self.number(row)

    def number(self, row: Sequence[Unit]) -> None:
        for place, item in enumerate(item for unit in row for item in unit):
            self.place[item] = place

    def sweep(self, down: bool) -> None:
        near = self.above if down else self.below
        for row in self.rows if down else self.rows[::-1]:
            at = {}
            for unit in row:
                places = [self.place[other] for item in unit for other in near[item]]
                # Who has no neighbour there stays where it is.
                at[unit] = sum(places) / len(places) if places else float(self.place[unit[0]])
            row.sort(key=at.__getitem__)
            self.number(row)

    def crossings(self) -> int:
        count = 0
        for row in self.rows:
            passed: list[int] = []
            for item in (item for unit in row for item in unit):
                ends = [self.place[other] for other in self.below[item]]
                count += sum(len(passed) - bisect_right(passed, end) for end in ends)
                for end in ends:
                    insort(passed, end)
        return count

    def swap(self) -> bool:
        """Swap each two neighbours whose lines then cross less; tells whether any were."""
        better = False
        for row in self.rows:
            for place in range(len(row) - 1):
                one, other = row[place], row[place + 1]
                if self.crossed(one, other) > self.crossed(other, one):
                    row[place : place + 2] = other, one
                    better = True
            self.number(row)
        return better

    def crossed(self, left: Unit, right: Unit) -> int:
        """The crossings of the lines of two units, where ``left`` stands left of ``right``."""
        count = 0
        for near in (self.above, self.below):
            ends = sorted(self.place[other] for item in right for other in near[item])
            count += sum(bisect_right(ends, self.place[other] - 1) for item in left for other in near[item])
        return count
