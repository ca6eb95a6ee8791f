"""A chart as SVG: one text without scripts, fonts or other files, readable on light and on dark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from ..graph import END
from .chart import Arrow, Box, Chart, plain
from .frame import Point
from .layout import Layout, Size, layout
from .lines import Command, Line
from .net import Wire
from .style import SMALL, TITLE, style
from .words import broken, width

# All in pixels.
TITLE_HIGH, SMALL_HIGH = 19.0, 16.0  # the lines of a text
AROUND, ASIDE, NARROWEST = 10.0, 14.0, 96.0  # what a box has around its text, and how wide it is at least
TITLE_WIDEST, WIDEST, LABEL_WIDEST = 260.0, 250.0, 180.0  # where texts are broken
BEHIND = 5.0  # from one box of a stack to the next
MARGIN, SHEET = 20.0, 14.0  # around a drawing; around one in a box
HEAD = 8.0


def svg_of(chart: Chart) -> str:
    """The text of the SVG."""
    drawn = _drawn(chart)
    wide, high = drawn.layout.wide + 2 * MARGIN, drawn.layout.high + 2 * MARGIN
    size = f'width="{_n(wide)}" height="{_n(high)}" viewBox="0 0 {_n(wide)} {_n(high)}"'
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" class="ud">',
        f"<title>{escape(chart.name)}</title>",
        f"<style>{style()}</style>",
        f'<rect class="ud-page" width="{_n(wide)}" height="{_n(high)}" rx="10"/>',
        f'<g transform="translate({_n(MARGIN)} {_n(MARGIN)})">',
        *drawn.elements(),
        "</g>",
        "</svg>",
        "",
    ])  # fmt: skip


@dataclass(frozen=True)
class _Words:
    """The lines of a box, with what they are."""

    lines: tuple[tuple[str, bool], ...]

    @property
    def wide(self) -> float:
        return max(width(text, TITLE if bold else SMALL, bold) for text, bold in self.lines)

    @property
    def high(self) -> float:
        return sum(TITLE_HIGH if bold else SMALL_HIGH for _, bold in self.lines)

    def elements(self, x: float, y: float) -> Iterator[str]:
        for text, bold in self.lines:
            high = TITLE_HIGH if bold else SMALL_HIGH
            middle = y + high / 2 + (TITLE if bold else SMALL) * 0.35
            kind = "ud-title" if bold else "ud-text"
            yield f'<text class="{kind}" x="{_n(x)}" y="{_n(middle)}">{escape(text)}</text>'
            y += high


@dataclass(frozen=True)
class _Drawn:
    """A chart that has been laid out."""

    chart: Chart
    layout: Layout
    sizes: dict[str, Size]
    words: dict[str, _Words]
    inside: dict[str, _Drawn]
    wires: list[tuple[Arrow, ...]]
    labels: list[list[str]]

    def elements(self) -> Iterator[str]:
        for line in self.layout.lines:
            yield from self.line(line)
        for box in self.chart.boxes:
            yield from self.box(box)
        for number, (x, y) in self.layout.labels.items():
            yield from self.label(number, x, y)

    def box(self, box: Box) -> Iterator[str]:
        size, words = self.sizes[box.name], self.words[box.name]
        x, y = self.layout.boxes[box.name]
        told = "\n".join([box.title, *box.lines])
        yield f'<g class="ud-box ud-{box.kind}" data-step={_attribute(box.name)}>'
        yield f"<title>{escape(told)}</title>"
        corner = {"start": size.high / 2, "end": size.high / 2, "function": 3.0}.get(box.kind, 9.0)
        for behind in ((2, 1, 0) if box.many else (0,)):
            shift = behind * BEHIND
            yield f'<rect {_at(x + shift, y + shift, size.wide, size.high)} rx="{_n(corner)}"/>'
        middle = x + size.wide / 2
        child = self.inside.get(box.name)
        if child is None:
            yield from words.elements(middle, y + (size.high - words.high) / 2)
        else:
            yield from words.elements(middle, y + AROUND - 3)
            left, top = x + (size.wide - child.layout.wide) / 2, y + words.high + AROUND + SHEET
            sheet = y + words.high + AROUND
            yield f'<rect class="ud-page" {_at(x + 6, sheet, size.wide - 12, y + size.high - 6 - sheet)} rx="6"/>'
            yield f'<g transform="translate({_n(left)} {_n(top)})">'
            yield from child.elements()
            yield "</g>"
        yield "</g>"

    def line(self, line: Line) -> Iterator[str]:
        first = self.wires[line.wires[0]][0]
        path, head = _headed(line.path) if line.head else (line.path, None)
        yield self.arrow(first, "" if len(line.wires) > 1 else first.source)
        yield f'<path class="ud-line" d="{_path(path)}"/>'
        if head is not None:
            yield f'<path class="ud-head" d="{_path(head)}Z"/>'
        yield "</g>"

    def label(self, number: int, x: float, y: float) -> Iterator[str]:
        arrows, lines = self.wires[number], self.labels[number]
        wide, high = _label_size(lines)
        told = "\n".join(arrow.label for arrow in arrows)
        yield self.arrow(arrows[0], arrows[0].source)
        yield f"<title>{escape(told)}</title>"
        yield f'<rect class="ud-page" {_at(x - wide / 2, y - high / 2, wide, high)}/>'
        for place, text in enumerate(lines):
            below = y - high / 2 + place * SMALL_HIGH + SMALL_HIGH / 2 + SMALL * 0.35
            yield f'<text class="ud-label" x="{_n(x)}" y="{_n(below)}">{escape(text)}</text>'
        yield "</g>"

    def arrow(self, arrow: Arrow, source: str) -> str:
        """What opens the group of an arrow's line or label; a line that several share has no source."""
        kind = "ud-arrow ud-error" if arrow.error else "ud-arrow"
        return f'<g class="{kind}" data-from={_attribute(source)} data-to={_attribute(arrow.target)}>'


def _drawn(chart: Chart) -> _Drawn:
    inside = {box.name: _drawn(box.inside) for box in chart.boxes if box.inside is not None}
    words = {box.name: _words(box) for box in chart.boxes}
    sizes = {box.name: _size(box, words[box.name], inside.get(box.name)) for box in chart.boxes}
    together: dict[object, list[Arrow]] = {}
    for number, arrow in enumerate(chart.arrows):
        # What leads from a box to itself is one line with all its labels.
        together.setdefault(arrow.source if arrow.source == arrow.target else number, []).append(arrow)
    wires = [tuple(arrows) for arrows in together.values()]
    labels = [[line for arrow in arrows for line in _label_lines(arrow)] for arrows in wires]
    laid = [Wire(arrows[0].source, arrows[0].target, *_label_size(lines), arrows[0].error)
            for arrows, lines in zip(wires, labels, strict=True)]
    last = END if END in sizes else None
    return _Drawn(chart, layout(sizes, laid, last), sizes, words, inside, wires, labels)


def _words(box: Box) -> _Words:
    title = [(line, True) for line in broken(box.title, TITLE_WIDEST, TITLE, bold=True)]
    return _Words((*title, *((line, False) for text in box.lines for line in broken(text, WIDEST, SMALL))))


def _size(box: Box, words: _Words, child: _Drawn | None) -> Size:
    wide, high = max(words.wide + 2 * ASIDE, NARROWEST), words.high + 2 * AROUND - 4
    if box.kind in ("start", "end"):
        wide, high = wide + 4, high - 2  # the ends are round
    if child is not None:
        wide = max(wide, child.layout.wide + 2 * (6 + SHEET))
        high = words.high + AROUND + SHEET + child.layout.high + SHEET + 6
    return Size(wide, high, 2 * BEHIND if box.many else 0.0)


def _label_lines(arrow: Arrow) -> list[str]:
    if width(arrow.label, SMALL) <= LABEL_WIDEST:
        return [arrow.label] if arrow.label else []
    said = (arrow.when, arrow.often)
    return [line for text in said if text for line in broken(text, LABEL_WIDEST, SMALL)]


def _label_size(lines: list[str]) -> Point:
    if not lines:
        return 0.0, 0.0
    return max(width(line, SMALL) for line in lines) + 8, len(lines) * SMALL_HIGH


def _headed(path: tuple[Command, ...]) -> tuple[tuple[Command, ...], tuple[Command, ...]]:
    """The path, cut short, and the head that ends it."""
    letter, points = path[-1]
    (x, y), (from_x, from_y) = points[-1], points[-2] if len(points) > 1 else path[-2][1][-1]
    long = max(((x - from_x) ** 2 + (y - from_y) ** 2) ** 0.5, 1e-6)
    dx, dy = (x - from_x) / long, (y - from_y) / long
    back = x - dx * HEAD, y - dy * HEAD
    wings = [(back[0] - dy * HEAD / 2, back[1] + dx * HEAD / 2), (back[0] + dy * HEAD / 2, back[1] - dx * HEAD / 2)]
    head = ("M", ((x, y),)), ("L", (wings[0],)), ("L", (wings[1],))
    return (*path[:-1], (letter, (*points[:-1], (x - dx * (HEAD - 1), y - dy * (HEAD - 1))))), head


def _path(path: tuple[Command, ...]) -> str:
    return "".join(letter + " ".join(f"{_n(x)} {_n(y)}" for x, y in points) for letter, points in path)


def _attribute(name: str) -> str:
    return quoteattr(plain(name, max(len(name), 1)))


def _at(x: float, y: float, wide: float, high: float) -> str:
    return f'x="{_n(x)}" y="{_n(y)}" width="{_n(wide)}" height="{_n(high)}"'


def _n(number: float) -> str:
    text = f"{number:.1f}"
    return text[:-2] if text.endswith(".0") else text
