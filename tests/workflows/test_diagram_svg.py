"""Diagrams as SVG: everything is in its place, nothing lies over anything else, whatever the graph."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workflows.svg_reading import graph_of, read_svg, sound, step
from understudy import Workflow
from understudy.workflows.diagram import diagram
from understudy.workflows.expressions import Expression
from understudy.workflows.graph import END, Graph, Question, Route, Step

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
