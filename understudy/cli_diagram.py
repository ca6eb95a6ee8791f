"""``understudy diagram``: the picture of a team's workflow, without a run and without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from .cli_support import AllowOption, FunctionsOption, JsonOption, print_json, stdout, use_functions


def diagram(
    team: Annotated[Path, typer.Argument(metavar="TEAM", help="A team.yaml.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where to write it: .svg, .mmd or .md.", show_default=False),
    ] = None,
    inside: Annotated[bool, typer.Option("--inside", help="Show the steps of teams that are steps, too.")] = False,
    functions: FunctionsOption = None,
    allow: AllowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw the workflow of a team: steps and who does them, routes with their conditions, what follows an error.

    Without --out it is printed as Mermaid, which GitHub and GitLab draw.

    `understudy diagram examples/travel_desk/team.yaml`

    `understudy diagram team.yaml --out team.svg`
    """
    from .workflows.team import Team

    use_functions(functions)
    drawn = Team.load(team, allow=allow or ()).diagram(inside)
    written = None if out is None else drawn.save(out)
    if as_json:
        print_json({"team": str(team), "out": written, "mermaid": drawn.mermaid})
    elif written is not None:
        stdout().print(Text(f"{drawn.chart.name} in {written}"), soft_wrap=True)
    else:
        print(drawn.mermaid, end="")
