"""``understudy new``: what it writes runs as it is; nothing is written over or left half-written."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from understudy import cli_new
from understudy.cli import app
from understudy.lesson import read_role
from understudy.team_tests import needs_model, read_tests, request, run_test
from understudy.workflows.places import matches
from understudy.workflows.schema import check
from understudy.workflows.team import Team

Command = Callable[..., subprocess.CompletedProcess[str]]
runner = CliRunner()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(folder: Path) -> list[str]:
    """Everything in a folder."""
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*"))


def begun(*arguments: str) -> list[str]:
    """What ``new`` says comes next."""
    done = runner.invoke(app, ["new", *arguments, "--json"])
    assert done.exit_code == 0, done.output
    return list(json.loads(done.stdout)["next"])


def test_a_team(folder: Path) -> None:
    assert begun("team", "my_desk") == [
        "understudy check my_desk/team.yaml",
        'understudy run my_desk/team.yaml "When is the library open?"',
        "understudy test my_desk/team.yaml",
    ]
    assert files(folder) == ["my_desk", "my_desk/notes.md", "my_desk/team.yaml"]
    assert check(folder / "my_desk" / "team.yaml") == []
    team = Team.load(folder / "my_desk" / "team.yaml")
    assert team.name == "my_desk"
    team.require_heads()  # nothing has to be learned
    assert needs_model(team) and list(team.agents) == ["reader"]


async def test_the_steps_of_the_team_fit_together(folder: Path) -> None:
    """Without its model: an agent in its place says what was found, or abstains."""
    from understudy.agents.messages import Finding, Source, Task
    from understudy.testing.scripted import ScriptedAgent

    begun("team", "desk")
    team = Team.load(folder / "desk" / "team.yaml")
    (notes,) = matches(team.resources.knowledge["add"][0], folder / "desk")
    assert "open from Tuesday" in notes.read_text(encoding="utf-8")
    found = Finding(answer="from 10", sources=(Source(title="The library", text="", source="notes.md"),))
    for reply, value, way in (
        (found, "from 10 (says The library)", ["find", "tell"]),
        (Finding(answer="", abstained=True), "Not sure from the notes: When?", ["find", "unknown"]),
    ):
        reader = ScriptedAgent("reader", [reply], takes=Task, gives=Finding)
        result = await team.run("When?", agents={"reader": reader})
        assert (result.status, result.output) == ("completed", {"value": value}), result.error
        assert [step.name for step in result.steps] == way


def test_the_tests_of_the_team_can_be_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from understudy.agents.messages import Finding
    from understudy.testing.scripted import ScriptedAgent
    from understudy.workflows.members import TeamAgent

    begun("team", "desk")
    team = Team.load(folder / "desk" / "team.yaml")
    (test,) = read_tests(folder / "desk" / "team.yaml")
    assert request(team, test) == team.message("When is the library open?")
    scripted = ScriptedAgent("reader", [Finding(answer="", abstained=True)])
    monkeypatch.setattr(TeamAgent, "handle", lambda self, message: scripted.handle(message))
    outcome = run_test(team, test)
    assert outcome.passed, outcome.differences
    assert outcome.path == ("find", "unknown")


def test_a_role(folder: Path) -> None:
    assert begun("role", "tone", "--out", "my roles") == [
        "understudy check 'my roles/tone.yaml'",
        "understudy learn 'my roles/tone.yaml'",
        'understudy ask tone "The lamp arrived in pieces"',
    ]
    assert files(folder) == ["my roles", "my roles/tone.yaml"]
    role = read_role(folder / "my roles" / "tone.yaml")  # as learn reads it
    assert role.name == "tone" and len(role.demonstrations) >= 8
    answers = [(one.gives["about"], one.gives["happy"]) for one in role.demonstrations]
    assert {answers.count(one) for one in answers} == {2}, "each answer as often as the others"
    assert len(role.examples()) == len(answers)


def test_a_workflow_runs_again_and_again(folder: Path, python: Command) -> None:
    assert begun("workflow", "my-flow") == ["python my-flow.py"]
    assert files(folder) == ["my-flow.py"]
    for _ in range(2):
        done = python(folder / "my-flow.py", cwd=folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines() == [
            "completed {'value': '3 parcels for 7.50'}",
            "waiting That is a lot. Go on?",
            "completed {'value': '200.00 was too much'}",
        ]


def test_what_the_comments_say_is_so(folder: Path) -> None:
    """Commands in comments exist, and the lines that are commented out can be taken in."""
    begun("team", "desk")
    begun("role", "sorter", "--out", "desk")
    begun("workflow", "flow")
    file = folder / "desk" / "team.yaml"
    known = {name for name in ("check", "run", "test", "diagram", "schema", "learn", "ask", "new")
             if runner.invoke(app, [name, "--help"]).exit_code == 0}
    for one in ("desk/team.yaml", "desk/sorter.yaml"):
        said = re.findall(r"understudy (\w+)", re.sub(r"schema: .*|of understudy", "", (folder / one).read_text()))
        assert said and set(said) <= known, one
    (folder / "desk" / "figures.csv").write_text("name,height\na,1\n")
    file.write_text(re.sub(r"^  # (coder|sorter)", r"  \1", file.read_text(), flags=re.M))
    assert list(Team.load(file).agents) == ["reader", "coder", "sorter"]


def test_for_a_person_it_says_what_was_written_and_what_comes_next() -> None:
    done = runner.invoke(app, ["new", "role", "tone"], env={"COLUMNS": "80"})
    assert done.stdout.splitlines()[:2] == ["written: tone.yaml", "   next: understudy check tone.yaml"]


@pytest.mark.parametrize("kind", ["team", "role", "workflow"])
def test_nothing_is_written_over(kind: str, folder: Path) -> None:
    begun(kind, "mine")
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    for file in before:
        file.write_bytes(b"changed")
    done = runner.invoke(app, ["new", kind, "mine"])
    assert done.exit_code == 2 and "it is there already; choose another name, or --out DIR" in done.stderr
    assert {file.read_bytes() for file in before} == {b"changed"} and set(folder.rglob("*")) >= set(before)


NAMES = [
    ("team", "a b", "'a b' is not a team's name; a name has letters, digits, _ and -, and begins with a letter: a-b"),
    ("role", "../x", "'../x' is not a role's name"),
    ("role", "1x", "'1x' is not a role's name"),
    ("workflow", "é", "'é' is not a workflow's name"),
    ("team", "x" * 5 + "\n", "is not a team's name"),
    ("role", "qa", "'qa' is a role that ships; call it otherwise"),
    ("team", "null", "'null' is no text in YAML; call it otherwise"),
    ("role", "True", "'True' is no text in YAML"),
    ("team", "con", "'con' names a device on Windows"),
]


@pytest.mark.parametrize(("kind", "name", "message"), NAMES, ids=[repr(name) for _, name, _ in NAMES])
def test_names(kind: str, name: str, message: str, folder: Path) -> None:
    done = runner.invoke(app, ["new", kind, name])
    assert done.exit_code == 2
    assert message in done.stderr
    assert files(folder) == []


def test_the_names_are_those_of_the_formats(folder: Path) -> None:
    for kind in ("team", "role"):
        name = "Abc_1-x"
        begun(kind, name, "--out", kind)
        (file,) = (folder / kind).rglob("*.yaml")
        assert check(file) == []
        file.write_text(file.read_text().replace(f"{kind}: {name}\n", f"{kind}: a b\n"))
        assert "is not a" in str(check(file)[0]), "a name that new refuses is one that check refuses"


def test_what_is_cut_off_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from understudy.workflows.changes import Changes

    written = Changes.write

    def second_is_cut_off(self: Any, path: Path, text: str) -> None:
        if path.name == "notes.md":
            assert (folder / "desk" / "team.yaml").is_file()
            raise KeyboardInterrupt
        written(self, path, text)

    monkeypatch.setattr(Changes, "write", second_is_cut_off)
    done = runner.invoke(app, ["new", "team", "desk"])
    assert done.exit_code == 130
    assert files(folder) == []


def test_every_scaffold_is_used() -> None:
    folder = Path(cli_new.__file__).parent / "scaffolds"
    used = {source for scaffold in cli_new.SCAFFOLDS.values() for source in scaffold.files}
    assert used == {file.name for file in folder.iterdir()}
