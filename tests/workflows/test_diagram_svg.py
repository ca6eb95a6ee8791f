"""The SVG of a diagram, read back: all is there, nothing lies over anything else, no line runs through words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy import Workflow
from understudy.workflows.diagram import diagram
from understudy.workflows.diagrams.words import width
from understudy.workflows.expressions import Expression
from understudy.workflows.graph import END, Graph, Question, Route, Step

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


LOOP = graph_of(
    step("plan", "write", on_error="sorry"),
    step("write", "review", on_error="sorry"),
    Step("review", agent="reviewer", routes=(
        Route("publish", Expression.parse("review.score > 0.8")), Route("write", None, 3), Route("plan", None, 1),
        Route("review", Expression.parse("review.unsure"), 2), Route(END),
    )),
    step("publish", END),
    step("sorry", END),
)  # fmt: skip


def test_a_line_of_steps_is_straight() -> None:
    drawn = sound(LINE.diagram().svg, LINE)
    assert len({round((box.rect.left + box.rect.right) / 2, 1) for box in drawn.boxes}) == 1
    assert all(line.points[0][0] == line.points[-1][0] for line in drawn.lines)
    tops = [box.rect.top for box in drawn.boxes]
    assert tops == sorted(tops)
    assert [box.kind for box in drawn.boxes] == ["ud-start", "ud-agent", "ud-agent", "ud-agent", "ud-end"]


LINE = graph_of(step("a", "b"), step("b", "c"), step("c", END))


def test_loops_back_climb_at_the_side() -> None:
    drawn = sound(LOOP.diagram().svg, LOOP)
    rect = {box.name: box.rect for box in drawn.boxes}
    for target in ("write", "plan", "review"):
        (line,) = [line for line in drawn.lines if line.target == target and line.head and line.source != "$start"
                   and line.points[-1][0] > rect[target].right]
        assert line.points[-1][1] < rect["review"].bottom
    assert rect["plan"].bottom < rect["write"].top < rect["write"].bottom < rect["review"].top
    assert rect["review"].bottom < rect["$end"].top


def test_the_main_way_stays_straight_beside_its_errors() -> None:
    drawn = sound(LOOP.diagram().svg, LOOP)
    middles = {box.name: round((box.rect.left + box.rect.right) / 2, 1) for box in drawn.boxes}
    assert middles["plan"] == middles["write"] == middles["review"]


def test_what_runs_side_by_side_stands_side_by_side() -> None:
    graph = graph_of(step("a", ("b", "c", "d")), *(step(name, "e") for name in "bcd"), step("e", END))
    rect = {box.name: box.rect for box in sound(graph.diagram().svg, graph).boxes}
    assert rect["b"].top == rect["c"].top == rect["d"].top
    assert rect["b"].right < rect["c"].left < rect["c"].right < rect["d"].left


def test_an_each_is_a_stack_of_boxes() -> None:
    text = graph_of(step("a", "b", each="input.rows"), step("b", END)).diagram().svg
    groups = re.findall(r'data-step="([ab])">.*?</g>', text, re.DOTALL)
    rects = [len(re.findall("<rect", found)) for found in re.findall(r'data-step="[ab]">.*?</g>', text, re.DOTALL)]
    assert dict(zip(groups, rects, strict=True)) == {"a": 3, "b": 1}
    _, drawn = read_svg(text)
    assert [text for text, _ in drawn.boxes[1].texts] == ["a", "agent", "for each input.rows, 8 at once"]


def test_errors_are_dashed() -> None:
    text = LOOP.diagram().svg
    drawn = sound(text, LOOP)
    assert {(line.source, line.target) for line in drawn.lines if line.error and line.source} == {
        ("plan", "sorry"), ("write", "sorry"),
    }  # fmt: skip
    assert re.search(r"\.ud-error \.ud-line[^{]*{[^}]*stroke-dasharray:5 4}", text)


def test_labels_say_when_and_how_often() -> None:
    drawn = sound(LOOP.diagram().svg, LOOP)
    assert {label.title: label.texts for label in drawn.labels if label.source == "review"} == {
        "if review.score > 0.8": ["if review.score > 0.8"],
        "else, at most 3 times": ["else, at most 3 times"],
        "else, at most once": ["else, at most once"],
        "else if review.unsure, at most 2 times": ["else if review.unsure", "at most 2 times"],
        "else": ["else"],
    }


def test_a_child_workflow_is_drawn_in_its_box() -> None:
    child = Workflow("child")
    child.step("c", name="c")
    child.step("d", name="d")
    flow = Workflow("outer")
    flow.step("a", name="a")
    flow.each(Expression.parse("a.rows"), do=child, name="b")
    _, shut = read_svg(flow.diagram().svg)
    assert all(box.inside is None for box in shut.boxes)
    drawn = sound(flow.diagram(inside=True).svg, flow.graph())
    (box,) = [box for box in drawn.boxes if box.inside is not None]
    assert box.name == "b" and box.inside is not None
    assert [each.name for each in box.inside.boxes] == ["$start", "c", "d", "$end"]
    assert all(box.rect.around(each.rect) for each in box.inside.boxes)
    assert all(box.rect.holds(point) for line in box.inside.lines for point in line.points)


def test_it_needs_no_other_file_and_runs_nothing() -> None:
    text = LOOP.diagram().svg
    assert re.findall("https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<script|@import|@font-face|url\(|href|\son\w+=|<image|<foreignObject", text)


def test_words_stand_out_on_light_and_dark() -> None:
    sheets = LOOP.diagram().svg.split("@media (prefers-color-scheme: dark)")
    assert len(sheets) == 2
    for sheet in sheets:
        colour = dict(re.findall(r"(\S.*){(?:fill|stroke):(#\w+)[;}]", sheet))
        grounds = [colour[".ud-page,.ud-box>.ud-page"], *(at for name, at in colour.items() if name.endswith(">rect"))]
        assert len(grounds) == 9
        for ground in grounds:
            for words in (".ud-title,.ud-label", ".ud-text"):
                assert contrast(colour[words], ground) > 4.5, "what WCAG asks of text"
        assert contrast(colour[".ud-error .ud-head,.ud-error .ud-label"], grounds[0]) > 4.5
        assert contrast(colour[".ud-line"], grounds[0]) > 3, "what WCAG asks of lines"


def brightness(colour: str) -> float:
    """Relative luminance, as WCAG 2 has it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted(map(brightness, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_awkward_texts_are_escaped() -> None:
    text = 'a "b" <c> & d \x00 \ud800 ]]> \n e'
    graph = graph_of(Step("a", ask=Question(Expression.constant(text)), routes=(
        Route(END, Expression.parse("a == '<&\"'")), Route(END),
    )))  # fmt: skip
    drawn = sound(graph.diagram().svg, graph)
    assert drawn.boxes[1].title == 'a\nasks a person: a "b" <c> & d \ufffd \ufffd ]]> e'
    assert drawn.labels[0].texts == ["if a == '<&\"'"]


@pytest.mark.parametrize("letter", ["W", "漢", "😀", "i", "é"])
def test_long_words_are_broken(letter: str) -> None:
    name = letter * 200
    graph = graph_of(Step(name, agent=name, routes=(Route(name, Expression.constant(name), 2), Route(END))))
    drawn = sound(graph.diagram().svg, graph)
    assert drawn.boxes[1].title.startswith(letter * 59 + "…")
    assert drawn.boxes[1].rect.right - drawn.boxes[1].rect.left < 330


names = st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h"])


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Graphs as people write them and worse: loops, ways that skip, side by side, errors, steps that none leads to."""
    some = draw(st.lists(names, min_size=1, max_size=8, unique=True))
    targets = st.sampled_from([*some, END])
    several = st.lists(st.sampled_from(some), min_size=1, max_size=3, unique=True).map(tuple)
    whens = st.none() | st.sampled_from(["a.sure", "a.score > 0.5 and len(b.rows) == 12", "x"]).map(Expression.parse)
    routes = st.builds(Route, targets | several, whens, st.none() | st.integers(1, 20))
    steps = [
        Step(name, agent=name, routes=tuple(draw(st.lists(routes, max_size=3))),
             on_error=draw(st.none() | st.sampled_from(some)),
             each=draw(st.none() | st.just(Expression.parse("plan.steps"))))
        for name in some
    ]  # fmt: skip
    return graph_of(*steps)


@given(graphs())
@settings(max_examples=80, deadline=None)
def test_any_graph_is_drawn_with_nothing_over_another(graph: Graph) -> None:
    text = diagram(graph).svg
    sound(text, graph)
    assert text == diagram(graph).svg
