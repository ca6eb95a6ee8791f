"""A drawing read back from its SVG, and whether all in it is in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from xml.etree import ElementTree

from understudy.workflows.diagrams.words import width
from understudy.workflows.expressions import Expression
from understudy.workflows.graph import END, Graph, Route, Step

Point = tuple[float, float]


@dataclass(frozen=True)
class Rect:
    left: float
    top: float
    right: float
    bottom: float

    def over(self, other: Rect, by: float = 0.1) -> bool:
        """Whether the two share more than a rim."""
        across = min(self.right, other.right) - max(self.left, other.left)
        return across > by and min(self.bottom, other.bottom) - max(self.top, other.top) > by

    def holds(self, point: Point, rim: float = 0.6) -> bool:
        """Whether the point lies inside, further than ``rim`` from the edge."""
        x, y = point
        return self.left + rim < x < self.right - rim and self.top + rim < y < self.bottom - rim

    def around(self, other: Rect) -> bool:
        """Whether the other lies in this one."""
        rim = 0.1
        return (self.left <= other.left + rim and self.top <= other.top + rim
                and self.right >= other.right - rim and self.bottom >= other.bottom - rim)


@dataclass
class SvgBox:
    name: str
    kind: str
    rect: Rect
    texts: list[tuple[str, Point]]
    title: str
    inside: Svg | None = None


@dataclass
class SvgLine:
    source: str
    target: str
    error: bool
    points: list[Point]
    head: bool


@dataclass
class SvgLabel:
    source: str
    target: str
    rect: Rect
    texts: list[str]
    title: str


@dataclass
class Svg:
    """One level of a drawing; ``all`` has what it and the drawings in it have."""

    boxes: list[SvgBox] = field(default_factory=list)
    lines: list[SvgLine] = field(default_factory=list)
    labels: list[SvgLabel] = field(default_factory=list)

    def all(self) -> Iterator[Svg]:
        yield self
        for box in self.boxes:
            if box.inside is not None:
                yield from box.inside.all()


def read_svg(text: str) -> tuple[Rect, Svg]:
    """The view box, and what is drawn. Raises for a text that is not well formed."""
    root = ElementTree.fromstring(text)
    left, top, wide, high = map(float, root.attrib["viewBox"].split())
    (drawing,) = _groups(root)
    return Rect(left, top, left + wide, top + high), _level(drawing, (0.0, 0.0))


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _groups(element: ElementTree.Element) -> list[ElementTree.Element]:
    return [each for each in element if _tag(each) == "g"]


def _some(element: ElementTree.Element, tag: str, kind: str = "") -> list[ElementTree.Element]:
    return [each for each in element if _tag(each) == tag and kind in each.get("class", "").split(" ")]


def _level(element: ElementTree.Element, at: Point) -> Svg:
    moved = re.fullmatch(r"translate\((\S+) (\S+)\)", element.attrib["transform"])
    assert moved is not None
    at = at[0] + float(moved[1]), at[1] + float(moved[2])
    drawn = Svg()
    for group in _groups(element):
        kinds = group.attrib["class"].split()
        if "ud-box" in kinds:
            drawn.boxes.append(_box(group, kinds[1], at))
        elif paths := _some(group, "path", "ud-line"):
            head = bool(_some(group, "path", "ud-head"))
            points = _points(paths[0].attrib["d"], at)
            names = group.attrib["data-from"], group.attrib["data-to"]
            drawn.lines.append(SvgLine(*names, "ud-error" in kinds, points, head))
        else:
            (rect,), title = _some(group, "rect", "ud-page"), _some(group, "title")[0].text or ""
            texts = [each.text or "" for each in _some(group, "text", "ud-label")]
            names = group.attrib["data-from"], group.attrib["data-to"]
            drawn.labels.append(SvgLabel(*names, _rect([rect], at), texts, title))
    return drawn


def _box(group: ElementTree.Element, kind: str, at: Point) -> SvgBox:
    rects = _some(group, "rect")
    texts = [(each.text or "", (float(each.attrib["x"]) + at[0], float(each.attrib["y"]) + at[1]))
             for each in group if _tag(each) == "text"]
    inside = _groups(group)
    return SvgBox(group.attrib["data-step"], kind, _rect(rects, at), texts, _some(group, "title")[0].text or "",
                  _level(inside[0], at) if inside else None)


def _rect(elements: list[ElementTree.Element], at: Point) -> Rect:
    """What all the rectangles cover together."""
    each = [[float(one.attrib[key]) for key in ("x", "y", "width", "height")] for one in elements]
    return Rect(min(x for x, _, _, _ in each) + at[0], min(y for _, y, _, _ in each) + at[1],
                max(x + wide for x, _, wide, _ in each) + at[0], max(y + high for _, y, _, high in each) + at[1])


def _points(path: str, at: Point) -> list[Point]:
    """Points along a path, no two of them far from each other."""
    parts = re.findall(r"([MLC])([^MLC]*)", path)
    assert "".join(letter + numbers for letter, numbers in parts) == path
    done: list[Point] = []
    for letter, numbers in parts:
        values = list(map(float, numbers.split()))
        ends = [(x + at[0], y + at[1]) for x, y in zip(values[::2], values[1::2], strict=True)]
        if letter == "M":
            assert not done and len(ends) == 1
            done.append(ends[0])
            continue
        assert len(ends) == (3 if letter == "C" else 1)
        first = done[-1]
        length = sum(abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in pairwise([first, *ends]))
        for step in range(1, int(length / 2) + 3):
            done.append(_along(first, ends, step / (int(length / 2) + 2)))
    return done


def _along(first: Point, ends: list[Point], t: float) -> Point:
    hull = [first, *ends]
    while len(hull) > 1:
        hull = [(a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t) for a, b in pairwise(hull)]
    return hull[0]


def sound(text: str, graph: Graph) -> Svg:
    """Read the drawing of a graph, having looked whether all is in its place."""
    view, drawn = read_svg(text)
    assert {box.name for box in drawn.boxes} >= {"$start", *graph.steps}
    for level in drawn.all():
        for box in level.boxes:
            assert view.around(box.rect)
            for words, (x, y) in box.texts:
                half = width(words, 14 if words == box.title.split("\n")[0] else 12) / 2
                assert box.rect.around(Rect(x - half, y - 9, x + half, y + 2)), f"{words} sticks out of {box.name}"
        for one, other in combinations([each.rect for each in (*level.boxes, *level.labels)], 2):
            assert not one.over(other)
        for line in level.lines:
            assert all(view.holds(point) for point in line.points)
            for box in level.boxes:
                assert not any(map(box.rect.holds, line.points)), f"{line.source} → {line.target} crosses {box.name}"
        for label in level.labels:
            assert view.around(label.rect)
            through = [line for line in level.lines if any(map(label.rect.holds, line.points))]
            aside = label.source == label.target
            assert [(line.source, line.target) for line in through] == [(label.source, label.target)] * (not aside)
    arrive(drawn, graph)
    return drawn


def arrive(drawn: Svg, graph: Graph) -> None:
    """Each way of the graph has a line from its box, which ends at its target or runs into one that does."""
    place = {box.name: box.rect for box in drawn.boxes}
    ways = {("$start", graph.start, False)}
    for step in graph.steps.values():
        ways |= {(step.name, to, False) for route in step.routes or (Route(END),) for to in route.targets}
        ways |= {(step.name, to, True) for to in [step.on_error] if to is not None and to != step.name}
    for source, target, error in ways:
        own = [line for line in drawn.lines if (line.source, line.target, line.error) == (source, target, error)]
        assert own, f"{source} → {target}"
        for line in own:
            assert at_rim(place[source], line.points[0])
            if not line.head:
                (line,) = [
                    other for other in drawn.lines
                    if (other.source, other.target, other.error) == ("", target, error) and other.head
                    and near(other.points, line.points[-1])
                ]  # fmt: skip
            assert at_rim(place[target], line.points[-1], 8.0)


def at_rim(rect: Rect, point: Point, away: float = 0.0) -> bool:
    """Whether a line from the point begins at the rectangle, or a head that is ``away`` long reaches it."""
    wider = Rect(rect.left - away, rect.top - away, rect.right + away, rect.bottom + away)
    return wider.holds(point, -0.3) and not rect.holds(point, 0.3)


def near(points: list[Point], point: Point) -> bool:
    return any(abs(x - point[0]) + abs(y - point[1]) < 2.5 for x, y in points)


def graph_of(*steps: Step) -> Graph:
    return Graph("g", {step.name: step for step in steps}, steps[0].name)


def step(name: str, *to: str | tuple[str, ...], on_error: str | None = None, each: str | None = None) -> Step:
    routes = tuple(Route(target) for target in to)
    return Step(name, agent=name, routes=routes, on_error=on_error, each=Expression.parse(each) if each else None)
