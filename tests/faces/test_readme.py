"""The README and docs/ say what is so: their commands exist, their links lead somewhere, their Python runs."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from understudy.cli import app
from understudy.workflows.schema import check

Command = Callable[..., subprocess.CompletedProcess[str]]
CHECKOUT = Path(__file__).resolve().parent.parent.parent
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]


def named(page: Path) -> str:
    return page.relative_to(CHECKOUT).as_posix()


def shown_commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for line in page.read_text(encoding="utf-8").splitlines():
            if line.startswith("    understudy "):
                yield named(page), line.split(" #")[0].strip()


@pytest.mark.parametrize(("page", "line"), list(shown_commands()))
def test_a_shown_command_is_understood(page: str, line: str) -> None:
    """Parsed by the real parser, so that a renamed command or option is found; nothing is run."""
    words = shlex.split(line)[1:]
    command: Any = get_command(app)
    while words and hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    context = command.make_context("understudy", words, resilient_parsing=False)
    assert context.params


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{named(page)} links to {target}"


def test_both_commands_are_in_the_first_screen() -> None:
    first = (CHECKOUT / "README.md").read_text(encoding="utf-8").splitlines()[:25]
    assert any(line.startswith("    make demo") for line in first)
    assert any(line.startswith("    make test") for line in first)


def test_nothing_is_left_to_be_filled_in() -> None:
    assert "<!--" not in (CHECKOUT / "README.md").read_text(encoding="utf-8")


def test_its_python_runs(python: Command, tmp_path: Path) -> None:
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"(?:^(?: {4}.*)?\n)+", text, flags=re.MULTILINE)
    (block,) = [block for block in blocks if "import Message" in block]
    code = "\n".join(line.removeprefix("    ") for line in block.splitlines())
    assert len(code.strip().splitlines()) <= 15
    shutil.copytree(CHECKOUT / "examples", tmp_path / "examples")
    done = python("-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "'queue': " in done.stdout and "'urgent': " in done.stdout


def test_its_team_file_has_no_mistake(tmp_path: Path) -> None:
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^    schema: understudy/team/v1\n(?: {4}.*\n)+", text, flags=re.MULTILINE)
    shutil.copytree(CHECKOUT / "examples" / "triage", tmp_path / "triage")
    written = "\n".join(line.removeprefix("    ") for line in block.splitlines())
    team = tmp_path / "desk.yaml"
    team.write_text(written.replace("sorter: triage", "sorter: ./triage/role.yaml"), encoding="utf-8")
    assert check(team) == []
    team.write_text(written.replace("sorter: triage", "sorter: ./triage/role.yaml").replace("abstained}", "abstaind}"),
                    encoding="utf-8")  # fmt: skip
    assert "abstained" in str(check(team)[0]), "and it is seen through to the role's fields"
