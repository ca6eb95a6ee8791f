"""Teams composed in Python, written as files that load the same."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.saved_teams import ROLE, TEAM, Order, Verdict, changed, files, mend, price, scolding, small, sum_up
from understudy.agents.retry import Retry
from understudy.agents.role import Demonstration, Role
from understudy.core.errors import UnderstudyError
from understudy.workflows.expressions import Expression
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import Graph
from understudy.workflows.limits import Budget, Limits
from understudy.workflows.saving import graph_of
from understudy.workflows.schema import check
from understudy.workflows.team import Team

pytestmark = pytest.mark.usefixtures("saved_functions")
ROOT = Path(__file__).resolve().parents[2]


def everything() -> Workflow:
    """A workflow with all that a step can have."""
    flow = Workflow("x", takes=Order, limits=Limits(
        seconds=60, messages=9, tokens=100, depth=3, on_exceed="partial", agents={"reader": Budget(messages=2)},
    ))  # fmt: skip
    cost = flow.step(price, input={"count": flow.input.count}, retry=Retry(attempts=2), seconds=3.5, on_error="mended")
    allowed = flow.ask("Pay ${this} for $$5?", choices=["yes", "no", 3], name="allowed", after=cost)
    pause = flow.sleep(5, after=allowed)
    flow.step(mend, input={"error": {"a": [1, None, True, 2.5, "x: y"]}}, name="paid", after=pause,
              retry=Retry(attempts=5, wait=0.5))
    notes = flow.growing("notes")
    flow.each(flow.input.parts, agent=Expression.parse("item"), input={"request": flow.item}, name="parts", at_once=2,
              failure="collect", after=pause, into=notes)
    flow.step(sum_up, after=["paid", "parts"], merge="list", name="joined")
    flow.ask(Expression.parse("joined"), gives=Verdict, name="judged")
    flow.sleep(flow.input.count, name="longer")
    flow.step("reader", input={"request": "a constant"}, name="looked", after=[])
    flow.step(mend, after=[], name="mended")
    flow.route("longer", ["looked", "mended"], when=Expression.parse("input.count > 2"), at_most=3)
    flow.route("longer", "$end")
    return flow


def test_a_composed_team_loads_the_same(folder: Path) -> None:
    team = Team.of("orders", everything(), {"reader": "qa", "mood": "mood.yaml"}, does="Sells things.", folder=folder,
                   knowledge={"add": ["*.md"]}, tests=[{"input": {"item": "tea"}, "expect": {"answer": "${x}"}}])
    file = team.save(folder / "orders.yaml")
    assert check(file) == []
    loaded = Team.load(file)
    assert graph_of(loaded).document["takes"] == "orders.input"
    said, read = graph_of(team), graph_of(loaded)
    # Types of answers are named by the team, whatever they are called in Python.
    assert plain_steps(said) == plain_steps(read)
    assert [step.retry for step in said.steps.values()] == [step.retry for step in read.steps.values()]
    assert read.steps["judged"].ask is not None and read.steps["judged"].ask.gives is not None
    assert list(read.steps["judged"].ask.gives.model_fields) == ["approved", "why"]
    assert (loaded.name, loaded.does, loaded.tests) == ("orders", "Sells things.", team.tests)
    assert loaded.resources.knowledge == {"add": ["*.md"]}
    assert [agent.member.role.name for agent in loaded.agents.values()] == ["qa", "mood"]
    assert loaded["mood"].member.role.document() == Role.load(folder / "mood.yaml").document()


def plain_steps(graph: Graph) -> Mapping[str, Any]:
    document = dict(graph.document)
    return {**document, "steps": {name: {key: value for key, value in step.items() if key != "gives"}
                                  for name, step in document["steps"].items()}}


def test_the_digest_is_the_same(folder: Path) -> None:
    team = Team.of("orders", small(output={"value": Expression.parse("price"), "kind": {"a": 1}}), folder=folder)
    loaded = Team.load(team.save(folder / "orders.yaml"))
    assert graph_of(loaded).digest == graph_of(team).digest
    assert loaded.run_sync({"item": "tea", "count": 4, "kind": "new", "parts": []}).output["value"] == 10.0


def test_a_team_of_roles_alone_needs_no_workflow(folder: Path) -> None:
    team = Team.of("asked", agents={"reader": {"role": "qa", "passages": 3}}, folder=folder)
    file = team.save(folder / "asked.yaml")
    assert file.read_text() == (
        "schema: understudy/team/v1\nteam: asked\nagents:\n  reader: {role: qa, passages: 3}\n"
    )
    assert graph_of(Team.load(file)).digest == graph_of(team).digest
    planned = Team.of("planned", agents={"boss": "planner", "reader": "qa"}, folder=folder)
    file = planned.save(folder / "planned.yaml")
    assert "workflow" not in file.read_text() and "output" not in file.read_text()
    assert graph_of(Team.load(file)).digest == graph_of(planned).digest


def test_a_file_that_says_the_same_is_left(folder: Path) -> None:
    before = files(folder)
    Team.load(folder / "team.yaml").save(folder / "team.yaml")
    assert files(folder) == before


def test_every_example_is_left(tmp_path: Path) -> None:
    found = [file for file in ROOT.glob("examples/**/team.yaml") if check(file) == []]
    assert found
    for file in found:
        copy = tmp_path / file.parent.name
        shutil.copytree(file.parent, copy)
        before = files(copy)
        Team.load(copy / "team.yaml").save(copy / "team.yaml")
        assert files(copy) == before


def test_a_role_of_python_becomes_a_file(folder: Path) -> None:
    team = Team.load(folder / "team.yaml")
    team.add("listener", scolding())
    team.save(folder / "team.yaml")
    assert changed(TEAM, (folder / "team.yaml").read_text()) == ["+  listener: {role: ./roles/tone.yaml}"]
    loaded = Team.load(folder / "team.yaml")
    assert loaded["listener"].member.role.document()["demonstrations"][0] == {
        "takes": {"text": "Go away\nnow"}, "gives": {"tone": "rude", "words": ["away"]},
    }  # fmt: skip
    before = files(folder)
    loaded.save(folder / "team.yaml")
    assert files(folder) == before


def test_a_role_that_was_learned_anew_keeps_the_comments_of_its_file(folder: Path) -> None:
    text = TEAM.replace("reader: qa ", "reader: ./mood.yaml ").replace("request: text", "text: text")
    text = text.replace("input.request", "input.text").replace('{request: "', '{text: "')
    text = text.replace("look.abstained", "look.mood == 'calm'").replace("look.answer", "look.mood")
    (folder / "team.yaml").write_text(text)
    assert check(folder / "team.yaml") == []
    before = (folder / "team.yaml").read_text()
    team = Team.load(folder / "team.yaml")
    role = team["reader"].member.role
    more = Demonstration({"text": "No hurry"}, {"mood": "calm"})
    role = replace(role, demonstrations=(*role.demonstrations, more))
    team["reader"].member = replace(team["reader"].member, role=role)
    team.save(folder / "team.yaml")
    assert (folder / "team.yaml").read_text() == before
    assert changed(ROLE, (folder / "mood.yaml").read_text()) == [
        "+- {takes: {text: No hurry}, gives: {mood: calm}}",
    ]


def test_a_head_that_was_learned_is_saved_with_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from understudy.core.heads import Head

    head = Head("tone", {"site": (torch.zeros(2, 1), torch.zeros(1, 2))}, role=scolding().document(), threshold=0.25)
    team = Team.load(folder / "team.yaml")
    team.add("listener", scolding())
    monkeypatch.setattr(team.resources, "at_hand", lambda name: head if name == "tone" else None)
    team.save(folder / "team.yaml")
    loaded = Team.load(folder / "team.yaml")
    assert loaded["listener"].learned and loaded["listener"].member.threshold == 0.25
    assert loaded["listener"].member.head == folder / "heads" / "tone"
    team.save(folder / "team.yaml")
    assert sorted(file.name for file in (folder / "heads").iterdir()) == ["tone"]
    # A head goes along into another folder, where it would not be found otherwise.
    shutil.copy(folder / "brief.md", (folder / "other").mkdir() or folder / "other" / "brief.md")
    loaded.save(folder / "other" / "team.yaml")
    assert Team.load(folder / "other" / "team.yaml")["listener"].member.head == folder / "other" / "heads" / "tone"
    assert (folder / "other" / "roles" / "tone.yaml").is_file()


def test_into_another_folder(folder: Path) -> None:
    team = Team.load(folder / "team.yaml")
    team.add("mood", "./mood.yaml")
    with pytest.raises(UnderstudyError, match=r"knowledge: '\*\.md' lies outside .*copy it there, or save the team in"):
        team.save(folder / "other" / "team.yaml")
    assert not (folder / "other").exists()
    (folder / "other").mkdir()
    (folder / "other" / "own.md").write_text("# Own\n")
    team.save(folder / "other" / "team.yaml")
    assert changed(TEAM, (folder / "other" / "team.yaml").read_text()) == ["+  mood: {role: ./roles/mood.yaml}"]
    assert (folder / "other" / "roles" / "mood.yaml").read_text() == ROLE, "with its comments"
    assert (folder / "team.yaml").read_text() == TEAM
    (folder / "inner").mkdir()
    (folder / "inner" / "team.yaml").write_text(TEAM)
    shutil.copy(folder / "brief.md", folder / "inner")
    inner = Team.load(folder / "inner" / "team.yaml")
    (folder / "brief.md").unlink()
    inner.save(folder / "outer.yaml")
    assert "knowledge: {add: [inner/*.md]}" in (folder / "outer.yaml").read_text()


def test_what_lies_outside(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "figures.csv").write_text("a,b\n1,2\n")
    team = Team.of("figures", agents={"coder": {"role": "coder", "tools": ["figures.csv"]}}, folder=folder)
    with pytest.raises(UnderstudyError, match="agent coder: 'figures.csv' lies outside .*inner; copy it there, or"):
        team.save(folder / "inner" / "team.yaml")
    assert "tools: [{sql: figures.csv}]" in team.save(folder / "figures.yaml").read_text()


def test_teams_that_do_steps(folder: Path) -> None:
    inner = Team.of("inner", small(), folder=folder)
    flow = Workflow("outer", takes=Order)
    flow.step(inner, name="sub")
    outer = Team.of("outer", flow, folder=folder)
    with pytest.raises(UnderstudyError, match=r"outer, step sub: the workflow 'inner' has no file; save it .*first"):
        outer.save(folder / "outer.yaml")
    inner.save(folder / "inner.yaml")
    outer.save(folder / "outer.yaml")
    assert "sub: {team: ./inner.yaml}" in (folder / "outer.yaml").read_text()
    assert Team.load(folder / "outer.yaml").workflow.graph().steps["sub"].workflow.name == "inner"
