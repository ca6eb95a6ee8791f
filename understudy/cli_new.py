"""``understudy new``: a team, a role or a workflow to begin with, commented, that runs as it is."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from .cli_support import JsonOption, print_json, stdout
from .core.errors import UnderstudyError


class Kind(StrEnum):
    """What can be begun."""

    team = "team"
    role = "role"
    workflow = "workflow"


@dataclass(frozen=True)
class Scaffold:
    """Files to begin with: scaffold → where it goes, and the commands that come next. ``NAME`` stands for the name."""

    files: dict[str, str]
    next: tuple[str, ...]


SCAFFOLDS = {
    Kind.team: Scaffold(
        {"team.yaml": "NAME/team.yaml", "notes.md": "NAME/notes.md"},
        ("understudy check {}", 'understudy run {} "When is the library open?"', "understudy test {}"),
    ),
    Kind.role: Scaffold(
        {"role.yaml": "NAME.yaml"},
        ("understudy check {}", "understudy learn {}", 'understudy ask NAME "The lamp arrived in pieces"'),
    ),
    Kind.workflow: Scaffold({"workflow.txt": "NAME.py"}, ("python {}",)),
}


def new(
    kind: Annotated[Kind, typer.Argument(metavar="team|role|workflow", help="What to begin.", show_default=False)],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder it is written into.")] = Path("."),
    as_json: JsonOption = False,
) -> None:
    """Begin a team, a role or a workflow: a commented file that runs as it is, to be changed.

    A team is a folder NAME with team.yaml and what its agent reads; a role is NAME.yaml with its examples; a workflow
    is NAME.py. Nothing is written over.

    `understudy new team desk`

    `understudy new role tone --out roles`
    """
    scaffold = SCAFFOLDS[kind]
    check_name(kind, name)
    written = write(scaffold, name, out)
    steps = [step.replace("NAME", name).format(shlex.quote(str(written[0]))) for step in scaffold.next]
    if as_json:
        print_json({"kind": kind.value, "name": name, "files": written, "next": steps})
        return
    console = stdout()
    for file in written:
        console.print(Text(f"written: {file}", style="green"), soft_wrap=True)
    for step in steps:
        console.print(Text(f"   next: {step}", style="dim"), soft_wrap=True)


def check_name(kind: Kind, name: str) -> None:
    """Raise UnderstudyError for a name that no team, role or workflow can have."""
    from .workflows.roles import SHIPPED
    from .workflows.shapes import NAME
    from .workflows.yaml_text import scalar

    if not re.fullmatch(NAME, name):
        near = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")
        mend = "a name has letters, digits, _ and -, and begins with a letter"
        if re.fullmatch(NAME, near):
            mend += f": {near}"
        raise UnderstudyError(f"'{name[:60]}' is not a {kind}'s name", mend=mend)
    if kind is Kind.role and name in SHIPPED:
        raise UnderstudyError(f"'{name}' is a role that ships", mend="call it otherwise")
    if kind is not Kind.workflow and scalar(name) != name:
        raise UnderstudyError(f"'{name}' is no text in YAML", mend="call it otherwise")
    if name.upper() in RESERVED:
        raise UnderstudyError(f"'{name}' names a device on Windows", mend="call it otherwise")


RESERVED = ("CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in range(1, 10)))


def write(scaffold: Scaffold, name: str, out: Path) -> list[Path]:
    """Write the files of a scaffold, all or none; where. Raises UnderstudyError where something is there already."""
    from .workflows.changes import Changes

    places = {source: out / target.replace("NAME", name) for source, target in scaffold.files.items()}
    for place in places.values():
        for path in (place, *([] if place.parent == out else [place.parent])):
            if path.exists() or path.is_symlink():
                raise UnderstudyError("it is there already", where=str(path), mend="choose another name, or --out DIR")
    folder = files(__package__) / "scaffolds"
    with Changes() as changes:
        for source, place in places.items():
            text = (folder / source).read_text(encoding="utf-8")
            changes.write(place, re.sub(r"\bNAME\b", name, text))
    return list(places.values())
