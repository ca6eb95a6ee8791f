"""All cases of the catalogue, and the folder in which each is provoked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.catalogue import python_workflows, role_files, runs, team_files, testing
from tests.workflows import yaml_teams
from understudy.workflows import calls
from understudy.workflows.problems import Problem
from understudy.workflows.schema import check

TOLD = Path(__file__).with_name("told.json")
"""The whole text of every message, by the name of its case."""


def cases() -> dict[str, Callable[[Path], Any]]:
    """How each message is provoked, by a name; it gives problems, or raises."""
    teams = {name: replaced(team_files.BASE, old, new) for name, (old, new) in team_files.CHANGES.items()}
    roles = {name: replaced(role_files.BASE, old, new) for name, (old, new) in role_files.CHANGES.items()}
    files = {name: partial(demonstrations, file=file, data=data) for name, (file, data) in role_files.FILES.items()}
    return {
        **{name: partial(checked, text=text) for name, text in {**teams, **team_files.WHOLE, **roles}.items()},
        **files, **python_workflows.CASES, **runs.CASES, **testing.CASES,
    }  # fmt: skip


def replaced(base: str, old: str, new: str) -> str:
    """The base with a change."""
    assert old in base, old
    return base.replace(old, new, 1)


def checked(folder: Path, text: str) -> list[Problem]:
    """What is wrong in a file of this text."""
    file = folder / "team.yaml"
    file.write_text(text, encoding="utf-8")
    return check(file)


def demonstrations(folder: Path, file: str, data: bytes) -> list[Problem]:
    """What is wrong in a role whose file of demonstrations holds ``data``."""
    (folder / file).write_bytes(data)
    return checked(folder, f"{role_files.HEAD}demonstrations: {file}\n")


@contextmanager
def prepared(folder: Path) -> Iterator[None]:
    """Inside, ``folder`` has the files that cases name, is the working folder, and the functions are registered."""
    for name, text in {"mood.yaml": role_files.BASE, "notes.csv": "name\na\n", "notes.md": "# Notes\n",
                       "other.yaml": team_files.BASE}.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "out.link").symlink_to("/")
    before, former = Path.cwd(), dict(calls._registered)
    functions = (yaml_teams.draft, yaml_teams.judge, yaml_teams.double, yaml_teams.broken)
    calls._registered.clear()
    calls._registered.update({function.__name__: function for function in functions})
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        calls._registered.clear()
        calls._registered.update(former)
