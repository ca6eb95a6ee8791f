"""A chart as Mermaid: a ``flowchart TD`` that GitHub, GitLab and most editors draw."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .chart import Box, Chart, Kind

_SHAPES: Mapping[Kind, tuple[str, str]] = {
    "start": ("([", "])"), "end": ("([", "])"), "agent": ("(", ")"), "function": ("[", "]"),
    "person": ("{{", "}}"), "clock": (">", "]"), "workflow": ("[[", "]]"), "unknown": ("[", "]"),
}  # fmt: skip
_EDGES = {
    "agent": "#4a7bd0", "function": "#8a94a3", "person": "#c28a1a", "clock": "#2f9279", "workflow": "#8a63c9",
    "unknown": "#c4453a",
}  # fmt: skip


def mermaid_of(chart: Chart) -> str:
    """The text of the flowchart."""
    lines = ["flowchart TD", *_lines(chart, "", "    ", set())]
    kinds = dict.fromkeys(kind for kind in _kinds(chart) if kind in _EDGES)
    # Edges alone are coloured: fill and text are those of the reader's theme, light or dark.
    lines += [f"    classDef {kind} stroke:{_EDGES[kind]},stroke-width:1.5px" for kind in kinds]
    return "\n".join(lines) + "\n"


def _kinds(chart: Chart) -> Iterator[Kind]:
    for box in chart.boxes:
        yield box.kind
        if box.inside is not None:
            yield from _kinds(box.inside)


def _lines(chart: Chart, prefix: str, indent: str, taken: set[str]) -> Iterator[str]:
    names = {box.name: _name(box, prefix, taken) for box in chart.boxes}
    for box in chart.boxes:
        name, label = names[box.name], _label(box)
        kind = f":::{box.kind}" if box.kind in _EDGES else ""
        if box.inside is None:
            opened, closed = _SHAPES[box.kind]
            yield f"{indent}{name}{opened}{label}{closed}{kind}"
        else:
            yield f"{indent}subgraph {name}[{label}]"
            yield f"{indent}    direction TB"
            yield from _lines(box.inside, f"{name}_", indent + "    ", taken)
            yield f"{indent}end"
            yield f"{indent}class {name} {box.kind}"
    for arrow in chart.arrows:
        line = "-.->" if arrow.error else "-->"
        label = f'|"{_encoded(arrow.label)}"|' if arrow.label else ""
        yield f"{indent}{names[arrow.source]} {line}{label} {names[arrow.target]}"


def _name(box: Box, prefix: str, taken: set[str]) -> str:
    """A name that no other box has, and that Mermaid takes for nothing else: it has words of its own, as ``end``."""
    plain = re.sub(r"[^A-Za-z0-9]", "_", box.name)
    wish = name = prefix + (f"run_{box.kind}" if box.kind in ("start", "end") else f"step_{plain}")
    number = 1
    while name in taken:
        number += 1
        name = f"{wish}_{number}"
    taken.add(name)
    return name


def _label(box: Box) -> str:
    # The title of a subgraph has one line.
    between = "<br/>" if box.inside is None else ", "
    return f'"{between.join(map(_encoded, [box.title, *box.lines]))}"'


# A formula, an icon, a line's end: these are looked for when the numbers have become marks again.
_LATE = re.compile(r"\$(?=\$)|:(?=fa-)|\\(?=n)")


def _encoded(text: str) -> str:
    """Every mark that Mermaid, Markdown or HTML might read as more than itself, by its number."""
    apart = _LATE.sub("\\g<0>\N{ZERO WIDTH SPACE}", text)
    return "".join(mark if mark.isalnum() or mark in " ,.=_/…" else f"#{ord(mark)};" for mark in apart)
