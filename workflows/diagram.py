"""Diagram: a picture of a workflow, as Mermaid and as SVG.

    >>> from understudy import Workflow
    >>> flow = Workflow("arithmetic")
    >>> double = flow.step(lambda number: number * 2, name="double")
    >>> print(flow.diagram().mermaid)
    flowchart TD
        run_start(["start"])
        step_double["double<br/>function"]:::function
        run_end(["end"])
        run_start --> step_double
        step_double --> run_end
        classDef function stroke:#8a94a3,stroke-width:1.5px
    <BLANKLINE>
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..core.errors import UnderstudyError
from .diagrams.chart import Chart, chart_of
from .graph import Graph


@dataclass(frozen=True)
class Diagram:
    """A picture of a workflow. The same workflow has the same texts.

    A notebook shows it as it is.
    """

    chart: Chart

    @cached_property
    def mermaid(self) -> str:
        """A Mermaid flowchart."""
        from .diagrams.mermaid import mermaid_of

        return mermaid_of(self.chart)

    @cached_property
    def svg(self) -> str:
        """An SVG that needs no other file; it is readable on light and on dark."""
        from .diagrams.svg import svg_of

        return svg_of(self.chart)

    @property
    def markdown(self) -> str:
        """The flowchart in a fence, as Markdown has it."""
        return f"```mermaid\n{self.mermaid}```\n"

    def save(self, path: str | Path) -> Path:
        """Write a file: ``.svg``, ``.mmd`` or ``.md``, by the path's ending; returns the path.

        Raises UnderstudyError for any other ending.
        """
        file = Path(path)
        texts = {".svg": "svg", ".mmd": "mermaid", ".md": "markdown"}
        kind = texts.get(file.suffix.lower())
        if kind is None:
            mend = "let its name end with .svg, .mmd or .md"
            raise UnderstudyError(f"no diagram is written as {file.suffix or file.name!r}", where=str(path), mend=mend)
        file.write_text(getattr(self, kind), encoding="utf-8", newline="\n")
        return file

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return f'<div style="overflow-x:auto">{self.svg}</div>'

    def __repr__(self) -> str:
        return f"Diagram({self.chart.name!r}, {len(self.chart.boxes)} boxes)"


def diagram(graph: Graph, inside: bool = False) -> Diagram:
    """The diagram of a graph; ``inside``: its child workflows are shown with their steps."""
    return Diagram(chart_of(graph, inside))
