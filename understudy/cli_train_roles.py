"""``understudy train roles``: the heads of the shipped roles learn on, on a backbone that stays as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from .cli_support import JsonOption, print_json, stdout
from .core.errors import UnderstudyError
from .render import fields_view
from .training_bar import TrainingBar


def roles(
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="NAME", help="One of the shipped roles, as often as wanted (all).",
                     show_default=False),
    ] = None,
    name: Annotated[str, typer.Option("--backbone", metavar="BACKBONE", help="smollm2, a folder, …")] = "default",
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the heads are written.")] = Path("build/roles"),
    work: Annotated[Path, typer.Option(metavar="DIR", help="Where checkpoints are kept.")] = Path("build/roles.work"),
    origin: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="Heads to begin with (those that ship).", show_default=False),
    ] = None,
    minutes: Annotated[float, typer.Option(help="Of training.", min=0.01)] = 55.0,
    rank: Annotated[
        int | None, typer.Option(help="Of the heads (that of those begun with).", min=1, show_default=False)
    ] = None,
    tokens: Annotated[
        int | None, typer.Option(help="Of a step: fewer make more steps (2560).", min=64, show_default=False)
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Learning rate of the heads (0.002).", min=1e-9, show_default=False)
    ] = None,
    average: Annotated[
        bool, typer.Option("--average", help="Write the mean of the heads begun with and those learned.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the examples.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in --work.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Train the heads of the shipped roles on, on generated examples; the backbone stays as it is.

    `understudy train roles --role qa --role coder --rank 16 --out build/roles`

    `understudy train roles --backbone smollm2 --role coder --tokens 640 --rate 0.0025 --minutes 120`
    """
    if not resume and work.is_dir() and any(work.iterdir()):
        mend = "go on with --resume, or give another --work"
        raise UnderstudyError("there is an unfinished training here", where=str(work), mend=mend)
    from .mixture import ROLES
    from .role_training import RECIPE, train_roles

    recipe = replace(
        RECIPE, minutes=minutes, rows_tokens=tokens or RECIPE.rows_tokens,
        head_rate=RECIPE.head_rate if rate is None else rate,
    )
    with TrainingBar(minutes, 0.0).shown() as bar:
        standing = train_roles(
            name, role or ROLES, out, work, recipe=recipe, rank=rank, origin=origin, average=average, seed=seed,
            on_progress=bar.pretraining,
        )  # fmt: skip
    said = {"heads": str(out), "steps": standing.step, "tokens": standing.tokens,
            "right": {name: round(share, 4) for name, share in standing.right.items()}}  # fmt: skip
    if as_json:
        print_json(said)
    else:
        shown = said | {"right": ", ".join(f"{name} {share:.0%}" for name, share in standing.right.items())}
        stdout().print(fields_view(shown))
