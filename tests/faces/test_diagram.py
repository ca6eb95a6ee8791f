"""``understudy diagram``: Mermaid on stdout, a file by its ending, a user's mistake in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from understudy import Team
from understudy.cli import app

runner = CliRunner()


@pytest.fixture
def desk(checkout: Path) -> Path:
    return checkout / "examples" / "travel_desk" / "team.yaml"


def test_it_prints_mermaid(desk: Path) -> None:
    done = runner.invoke(app, ["diagram", str(desk)])
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == Team.load(desk).diagram().mermaid
    assert done.stdout.startswith("flowchart TD\n")
    assert "step_plan --> step_work" in done.stdout


def test_it_writes_an_svg(desk: Path, tmp_path: Path) -> None:
    file = tmp_path / "desk.svg"
    done = runner.invoke(app, ["diagram", str(desk), "--out", str(file)])
    assert done.exit_code == 0
    assert done.stdout == f"travel-desk in {file}\n"
    assert ElementTree.fromstring(file.read_text(encoding="utf-8")).tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize("name, first", [("a.mmd", "flowchart TD"), ("a.md", "```mermaid")])
def test_it_writes_mermaid(desk: Path, tmp_path: Path, name: str, first: str) -> None:
    done = runner.invoke(app, ["diagram", str(desk), "--out", str(tmp_path / name)])
    assert done.exit_code == 0
    assert (tmp_path / name).read_text(encoding="utf-8").splitlines()[0] == first


def test_json_has_the_text_and_the_file(desk: Path, tmp_path: Path) -> None:
    file = tmp_path / "desk.svg"
    told = json.loads(runner.invoke(app, ["diagram", str(desk), "--out", str(file), "--json"]).stdout)
    assert told == {"team": str(desk), "out": str(file), "mermaid": Team.load(desk).diagram().mermaid}
    assert file.exists()
    assert json.loads(runner.invoke(app, ["diagram", str(desk), "--json"]).stdout)["out"] is None


def test_a_mistake_is_a_sentence(desk: Path, tmp_path: Path) -> None:
    for arguments, word in (
        ([str(desk), "--out", str(tmp_path / "a.png")], ".svg, .mmd or .md"),
        ([str(desk), "--out", str(tmp_path / "nowhere" / "a.svg")], "no such file or directory"),
        ([str(tmp_path / "nothing.yaml")], "nothing.yaml"),
    ):
        done = runner.invoke(app, ["diagram", *arguments])
        assert done.exit_code == 2
        assert word in done.stderr and "Traceback" not in done.output
    assert not list(tmp_path.iterdir())


CHILD = "schema: understudy/team/v1\nteam: child\nagents: {helper: {role: qa}}\n"
OUTER = """
schema: understudy/team/v1
team: outer
agents: {first: {role: qa}}
input: {request: text}
workflow:
  start: ask
  steps:
    ask: {agent: first, input: {request: input.request}, then: rest}
    rest: {team: ./child.yaml, input: {request: input.request}}
"""


def test_inside_shows_the_steps_of_a_team_that_is_a_step(tmp_path: Path) -> None:
    (tmp_path / "child.yaml").write_text(CHILD, encoding="utf-8")
    (tmp_path / "outer.yaml").write_text(OUTER, encoding="utf-8")
    shut = runner.invoke(app, ["diagram", str(tmp_path / "outer.yaml")])
    assert shut.exit_code == 0, shut.stderr
    assert '[["rest<br/>team child"]]' in shut.stdout
    shown = runner.invoke(app, ["diagram", str(tmp_path / "outer.yaml"), "--inside"])
    assert 'subgraph step_rest["rest, team child"]' in shown.stdout
