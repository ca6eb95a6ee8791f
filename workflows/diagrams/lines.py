"""The lines of a diagram: where they leave and reach the boxes, and their ways through the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .frame import Frame, Point
from .net import Trail, Wire

Command = tuple[str, tuple[Point, ...]]
"""A letter of an SVG path and its points: M, L or C."""
CORNER = 9.0
BEND = 0.45
"""How far from its corner a curve's handle stands, as a share of the radius, for the curve to be a quarter circle."""


@dataclass(frozen=True)
class Line:
    """A line that one wire or several share; ``head``: an arrow ends it, pointing as the line's last part does."""

    wires: tuple[int, ...]
    path: tuple[Command, ...]
    head: bool


def lines_of(frame: Frame, wires: Sequence[Wire]) -> tuple[Line, ...]:
    """For each wire what is its own, then what several share on their way to the same box."""
    ways = _Ways(frame, wires)
    together: dict[tuple[str, bool, bool], list[int]] = {}
    for number, (wire, trail) in enumerate(ways.pairs()):
        if trail.shared or trail.up and not trail.loop:
            together.setdefault((wire.target, wire.aside, trail.up), []).append(number)
    several = [tuple(numbers) for numbers in together.values() if len(numbers) > 1]
    meeting = {number for numbers in several for number in numbers}
    return (*(ways.own(number, number in meeting) for number in range(len(wires))), *map(ways.common, several))


class _Ways:
    def __init__(self, frame: Frame, wires: Sequence[Wire]) -> None:
        self.frame = frame
        self.wires = wires
        self.trails = frame.net.trails
        self.sides = self.side_ports()
        self.leaving = self.ports([(wire.source, trail.label) for wire, trail in self.pairs()])
        self.arriving = self.ports([(wire.target, (trail.label, *trail.shared)[-1]) for wire, trail in self.pairs()])

    def pairs(self) -> list[tuple[Wire, Trail]]:
        return list(zip(self.wires, self.trails, strict=True))

    def own(self, number: int, meeting: bool) -> Line:
        """From the box to the other, or to where the wire is ``meeting`` others."""
        wire, trail, pen = self.wires[number], self.trails[number], _Pen()
        place = self.frame.boxes[wire.source]
        if trail.out is None:
            pen.move(self.leaving[number], place.bottom)
            pen.line(self.leaving[number], self.frame.bottom[self.row(trail.label) - 1])
        else:
            pen.move(place.right, self.sides[wire.source, trail.out, True])
            if trail.loop:
                into = self.sides[wire.source, trail.out, False]
                pen.turn_up(self.frame.x[trail.label], (pen.at[1] - into) / 2)
                pen.turn_left(place.right, into)
                return Line((number,), tuple(pen.done), True)
            pen.turn_up(self.frame.x[trail.out])
            pen.line(self.frame.x[trail.out], self.frame.top[self.row(trail.out)])
        self.through(pen, trail.label, trail.up)
        if not meeting:
            self.along(pen, number)
        else:
            self.enter(pen, next(item for item in (*trail.shared, trail.into) if item is not None), trail.up)
        return Line((number,), tuple(pen.done), not meeting)

    def common(self, numbers: tuple[int, ...]) -> Line:
        """From where the first wires meet to the box."""
        pen = _Pen()
        self.along(pen, max(numbers, key=lambda number: (len(self.trails[number].shared), -number)))
        return Line(numbers, tuple(pen.done), True)

    def along(self, pen: _Pen, number: int) -> None:
        """Through what the wire may share, and into the box."""
        trail = self.trails[number]
        for part in trail.shared:
            self.through(pen, part, trail.up)
        if trail.into is None:
            self.arrive(pen, number)
        else:
            self.enter(pen, trail.into, up=True)
            target = self.wires[number].target
            pen.turn_left(self.frame.boxes[target].right, self.sides[target, trail.into, False])

    def arrive(self, pen: _Pen, number: int) -> None:
        place = self.frame.boxes[self.wires[number].target]
        last = (self.trails[number].label, *self.trails[number].shared)[-1]
        pen.curve(self.arriving[number], self.frame.top[self.row(last) + 1])
        pen.line(self.arriving[number], place.top)

    def enter(self, pen: _Pen, item: int, up: bool) -> None:
        row = self.row(item)
        pen.curve(self.frame.x[item], self.frame.bottom[row] if up else self.frame.top[row])

    def through(self, pen: _Pen, item: int, up: bool) -> None:
        row = self.row(item)
        if self.frame.top[row] < self.frame.bottom[row]:  # else no label stands in it, and the line bends freely
            self.enter(pen, item, up)
            pen.line(self.frame.x[item], self.frame.top[row] if up else self.frame.bottom[row])

    def row(self, item: int) -> int:
        return self.frame.net.items[item].row

    def side_ports(self) -> dict[tuple[str, int | None, bool], float]:
        """How high a line leaves (True) or reaches a box on its right, by the lane: such that none crosses another.

        From above: those that leave, the nearest lane first, the box's way to itself, and those that arrive.
        """
        lanes: dict[str, tuple[dict[int, None], dict[int, None], dict[int, None]]] = {}
        for wire, trail in self.pairs():
            if trail.out is not None and trail.into is not None:
                leave, loop, _ = lanes.setdefault(wire.source, ({}, {}, {}))
                (loop if trail.loop else leave)[trail.out] = None
                if not trail.loop:
                    lanes.setdefault(wire.target, ({}, {}, {}))[2][trail.into] = None
        ports: dict[tuple[str, int | None, bool], float] = {}
        for name, (leave, loop, arrive) in lanes.items():
            place, x = self.frame.boxes[name], self.frame.x
            order = [(lane, True) for lane in sorted(leave, key=x.__getitem__)]
            order += [(lane, there) for lane in loop for there in (False, True)]
            order += [(lane, False) for lane in sorted(arrive, key=x.__getitem__, reverse=True)]
            for number, (lane, there) in enumerate(order):
                share = (number + 1) / (len(order) + 1)
                ports[name, lane, there] = place.top + place.behind + (place.high - place.behind) * share
        return ports

    def ports(self, ends: Sequence[tuple[str, int]]) -> list[float]:
        """Where each wire meets the top or bottom of its box: in the middle, or beside it where it is kept apart."""
        near: dict[tuple[str, bool], list[float]] = {}
        for (name, item), (wire, trail) in zip(ends, self.pairs(), strict=True):
            if not trail.up:
                near.setdefault((name, wire.aside), []).append(self.frame.x[item])
        found = []
        for (name, _), wire in zip(ends, self.wires, strict=True):
            place = self.frame.boxes[name]
            others, these = near.get((name, False)), near.get((name, True))
            x = place.middle
            if wire.aside and others and these:
                right = sum(these) / len(these) >= sum(others) / len(others)
                x += min(place.wide / 4, 40.0) * (1 if right else -1)
            found.append(x)
        return found


class _Pen:
    """Writes a path whose curves begin and end upright."""

    def __init__(self) -> None:
        self.done: list[Command] = []

    @property
    def at(self) -> Point:
        return self.done[-1][1][-1]

    def move(self, x: float, y: float) -> None:
        self.done.append(("M", ((x, y),)))

    def line(self, x: float, y: float) -> None:
        if abs(self.at[0] - x) + abs(self.at[1] - y) > 0.1:
            self.done.append(("L", ((x, y),)))

    def curve(self, x: float, y: float) -> None:
        """To a point further up or down; begins the path where there is none."""
        if not self.done:
            self.move(x, y)
        elif abs(self.at[0] - x) < 0.5:
            self.line(x, y)
        else:
            half = (self.at[1] + y) / 2
            self.done.append(("C", ((self.at[0], half), (x, half), (x, y))))

    def turn_up(self, x: float, most: float = CORNER) -> None:
        """Rightwards, and round a corner upwards."""
        y, corner = self.at[1], min(CORNER, most)
        self.line(x - corner, y)
        bend = corner * BEND
        self.done.append(("C", ((x - bend, y), (x, y - bend), (x, y - corner))))

    def turn_left(self, x: float, y: float) -> None:
        """Upwards, and round a corner to the left."""
        (lane, below) = self.at
        corner = min(CORNER, below - y)
        self.line(lane, y + corner)
        bend = corner * BEND
        self.done.append(("C", ((lane, y + bend), (lane - bend, y), (lane - corner, y))))
        self.line(x, y)
