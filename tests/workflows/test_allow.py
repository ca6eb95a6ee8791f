"""Folders beside its own in which a file may name places: roles, tables, teams, knowledge, links."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from understudy import Team, UnderstudyError
from understudy.workflows import calls
from understudy.workflows.schema import check

HEAD = "schema: understudy/team/v1\n"
ROLE = """\
schema: understudy/role/v1
role: tone
does: Says whether a text is kind.
takes: {text: text}
gives: {kind: boolean}
demonstrations: ../more/tone.jsonl
"""
INNER = HEAD + "team: inner\nagents: {echo: {call: echo}}\ninput: {text: text}\n"
TEAM = HEAD + """\
team: outer
agents: {tone: ../shared/tone.yaml}
knowledge: {add: [../shared/*.md]}
workflow: {steps: {inner: {team: ../shared/inner.yaml, input: {text: input.request}}}}
"""


def echo(text: str) -> str:
    return text


@pytest.fixture(autouse=True)
def functions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(calls, "_registered", {"echo": echo})
    yield


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A folder with the team's own, one that is shared, and one more."""
    shown = [{"takes": {"text": text}, "gives": {"kind": kind}} for text, kind in (("dear", True), ("go away", False))]
    for name, text in {
        "own/team.yaml": TEAM, "shared/tone.yaml": ROLE, "shared/inner.yaml": INNER, "shared/a.md": "# A\nText.\n",
        "more/tone.jsonl": "".join(json.dumps(one) + "\n" for one in shown),
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_what_is_refused_says_which_option_allows_it(house: Path) -> None:
    found = check(house / "own" / "team.yaml")
    assert [problem.path for problem in found] == [
        "agents.tone", "knowledge.add[0]", "workflow.steps.inner.team",
    ]  # fmt: skip
    assert {problem.suggestion for problem in found} == {f"--allow {house / 'shared'} allows it"}
    assert found[0].what == "the path '../shared/tone.yaml' leads out of the folder"
    assert found[0].why == "a file may name only what lies in its own folder, unless another is allowed"


def test_what_an_allowed_file_names_must_be_allowed_as_well(house: Path) -> None:
    (problem,) = check(house / "own" / "team.yaml", [house / "shared"])
    assert Path(problem.file).name == "tone.yaml" and problem.path == "demonstrations"
    assert check(house / "own" / "team.yaml", [house / "shared", house / "more"]) == []


def test_a_team_is_loaded_run_and_saved_with_what_is_allowed(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(house)
    file = house / "own" / "team.yaml"
    team = Team.load(file, allow=["shared", house / "more"])
    assert team["tone"].member.role.name == "tone"
    assert team.graph.steps["inner"].workflow.resources.allow == team.resources.allow
    result = team.workflow.run_sync(team.message("tea"))
    assert result.status == "completed" and result.steps[0].output["answer"] == "tea"
    team.save(file)
    assert file.read_text(encoding="utf-8") == TEAM
    assert not (house / "own" / "roles").exists()


def test_a_path_from_the_root_may_be_allowed(house: Path) -> None:
    file = house / "own" / "team.yaml"
    file.write_text(f"{HEAD}team: outer\nagents: {{tone: {house}/shared/tone.yaml}}\n", encoding="utf-8")
    assert check(file)[0].what == f"the path '{house}/shared/tone.yaml' is not relative"
    assert check(file, [house]) == []


def test_links_lead_where_they_lead(house: Path) -> None:
    (house / "own" / "link.md").symlink_to(house / "shared" / "a.md")
    (house / "alias").symlink_to(house / "shared")
    file = house / "own" / "team.yaml"
    file.write_text(f"{HEAD}team: outer\nagents: {{echo: {{call: echo}}}}\nknowledge: {{add: [link.md]}}\n",
                    encoding="utf-8")  # fmt: skip
    assert check(file)[0].suggestion == f"--allow {house / 'shared'} allows it"
    assert check(file, [house / "alias"]) == []
    assert check(file, [house / "own"])


@pytest.mark.parametrize(("name", "what"), [("nowhere", "does not exist"), ("own/team.yaml", "is not a folder")])
def test_what_is_allowed_must_be_a_folder(house: Path, name: str, what: str) -> None:
    with pytest.raises(UnderstudyError, match=f"the allowed folder {what}"):
        check(house / "own" / "team.yaml", [house / name])


def test_a_team_of_python_is_confined_as_well(house: Path) -> None:
    agents = {"tone": "../shared/tone.yaml"}
    with pytest.raises(UnderstudyError, match="leads out of the folder"):
        Team.of("outer", agents=agents, folder=house / "own")
    team = Team.of("outer", agents=agents, folder=house / "own", allow=[house / "shared", house / "more"])
    file = team.save(house / "own" / "python.yaml")
    assert "../shared/tone.yaml" in file.read_text(encoding="utf-8")
