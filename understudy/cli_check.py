"""``understudy check`` and ``understudy schema``: mistakes in team and role files, and the schemas of editors."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from .cli_support import REFUSED, AllowOption, FunctionsOption, JsonOption, print_json, stdout, use_functions
from .core.errors import UnderstudyError


def check(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE…", help="team.yaml and role.yaml files.")],
    functions: FunctionsOption = None,
    allow: AllowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find every mistake in team and role files, with file:line:column and "did you mean".

    Exit status 2 where there is one. Nothing is run but the files of --functions, and no model is loaded.

    `understudy check examples/travel_desk/team.yaml`
    """
    from .workflows.schema import check as mistakes_of

    for path in paths:
        if path.suffix.lower() in (".csv", ".tsv", ".jsonl"):
            mend = "a table of demonstrations is checked by `understudy learn`, questions by `understudy evaluate`"
            raise UnderstudyError("this is no team file and no role file", where=str(path), mend=mend)
    use_functions(functions)
    problems = [problem for path in paths for problem in mistakes_of(path, allow or ())]
    if as_json:
        print_json({"ok": not problems, "files": paths, "problems": [asdict(problem) for problem in problems]})
    else:
        console = stdout()
        for problem in problems:
            console.print(Text(str(problem)), soft_wrap=True)
        if problems:
            console.print(Text(f"{len(problems)} {'mistake' if len(problems) == 1 else 'mistakes'}", style="red"))
        else:
            names = ", ".join(str(path) for path in paths)
            console.print(Text(f"{names}: no mistakes", style="green"), soft_wrap=True)
    if problems:
        raise typer.Exit(REFUSED)


def schema(
    kind: Annotated[str, typer.Argument(metavar="team|role", help="Which file the schema is for.")] = "team",
    as_json: JsonOption = False,
) -> None:
    """Print the JSON Schema of team or role files, for editors.

    `understudy schema role > role.json`
    """
    if kind not in ("team", "role"):
        raise UnderstudyError(f"there is no schema {kind!r}", mend="ask for 'team' or 'role'")
    text = (files(__package__) / "schemas" / f"{kind}.json").read_text(encoding="utf-8")
    if as_json:
        print_json(json.loads(text))
    else:
        print(text.rstrip("\n"))
