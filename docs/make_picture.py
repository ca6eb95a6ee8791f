"""Makes docs/demo.svg, the picture in the README, from one real run.

    python docs/make_picture.py ["another request"]
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console

from understudy import Team
from understudy.render import run_object, run_view

HERE = Path(__file__).resolve().parent


def main() -> None:
    request = sys.argv[1] if len(sys.argv) > 1 else "Which neighbours of France use the euro?"
    team = Team.load(HERE.parent / "examples" / "travel_desk" / "team.yaml")
    team.make_ready()
    result = team.run_sync(request)
    console = Console(record=True, width=100, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print(f'[dim]$[/dim] understudy run examples/travel_desk/team.yaml [green]"{request}"[/green]')
    console.print(run_view(run_object(result)))
    picture = HERE / "demo.svg"
    # rich's own template asks a font server; a viewer without it takes the next monospace font
    svg = console.export_svg(title="understudy")
    picture.write_text(without_web_fonts(svg), encoding="utf-8")
    print(f"{picture} ({result.status})")


def without_web_fonts(svg: str) -> str:
    """The picture without its @font-face rules, so that looking at it asks no server."""
    while "@font-face" in svg:
        start = svg.index("@font-face")
        svg = svg[:start] + svg[svg.index("}", start) + 1 :]
    return svg


if __name__ == "__main__":
    main()
