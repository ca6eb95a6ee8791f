"""What a team's file cannot say, what is not written over, and what is taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.saved_teams import ROLE, TEAM, Order, Verdict, files, limited, mend, price, scolding, small, sum_up
from understudy.agents.messages import Message
from understudy.agents.retry import Retry
from understudy.agents.role import Role
from understudy.core.errors import UnderstudyError
from understudy.workflows import saving
from understudy.workflows.flow import Workflow
from understudy.workflows.limits import Limits
from understudy.workflows.team import Team

pytestmark = pytest.mark.usefixtures("saved_functions")


def unsaid() -> Iterator[tuple[str, Callable[[Workflow], object], str]]:
    yield ("a lambda", lambda flow: flow.step(lambda count: count, input={"count": flow.input.count}, name="own"),
           r"orders, step own: the function '<lambda>' \(.*\) is not registered; understudy.register\(\"NAME\", …\)")
    yield ("a chosen agent", lambda flow: flow.each(flow.input.parts, agent=lambda item: "reader", name="own",
                                                    input={"request": flow.item}),
           r"orders, step own: a function chooses the agent: '<lambda>' \(.*\); choose it by an expression")
    yield ("a merge", lambda flow: (flow.step(sum_up, name="a", input={"texts": ["x"]}, after="price"),
                                    flow.step(sum_up, name="b", input={"texts": ["x"]}, after="price"),
                                    flow.step(mend, name="own", after=["a", "b"], merge=lambda found: "")),
           r"orders, step own: a function merges what came: '<lambda>' \(.*\); name a rule: merge='majority'")
    yield ("a retry", lambda flow: flow.step(mend, input={"error": "x"}, name="own", retry=Retry(on=(OSError,))),
           r"orders, step own: it is tried again after OSError alone, which YAML cannot say; leave Retry\(on=…\) out")
    yield ("a tuple", lambda flow: flow.step(mend, input={"error": ("x",)}, name="own"),
           r"orders, step own, input error: a constant of type tuple, .*; write a list instead of a tuple")
    yield ("a message", lambda flow: flow.step(mend, input={"error": Verdict(approved=True, why="")}, name="own"),
           r"orders, step own, input error: a constant of type Verdict, which YAML does not have")
    yield ("a workflow", lambda flow: flow.step(Workflow.of(small().graph()), name="own",
                                                input={name: flow.input[name] for name in Order.model_fields}),
           r"orders, step own: the workflow 'orders' has no file; save it as a team first")
    yield ("a name", lambda flow: flow.step(mend, input={"error": "x"}, name="_own"),
           r"orders: the team cannot be written as a file: workflow.steps._own: '_own' cannot name a step")


@pytest.mark.parametrize(("add", "message"), [one[1:] for one in unsaid()], ids=[one[0] for one in unsaid()])
def test_what_a_file_cannot_say(folder: Path, add: Callable[[Workflow], object], message: str) -> None:
    flow = small()
    add(flow)
    team = Team.of("orders", flow, {"reader": "qa"}, folder=folder)
    before = files(folder)
    with pytest.raises(UnderstudyError, match=message):
        team.save(folder / "orders.yaml")
    assert files(folder) == before, "nothing is written"


def test_all_steps_that_cannot_be_said_are_named(folder: Path) -> None:
    flow = small()
    flow.step(lambda: 1, name="one")
    flow.step(lambda: 2, name="two")
    team = Team.of("orders", flow, folder=folder)
    with pytest.raises(UnderstudyError, match=r"orders: 2 steps that a file cannot say\norders, step one: the function "
                                              r".*\norders, step two: the function '.*' \(.*\) is not registered; u"):
        team.save(folder / "orders.yaml")


def test_what_a_file_cannot_say_of_types(folder: Path) -> None:
    class Loose(Message, message_name="test_saving.Loose"):
        item: str = "tea"

    class Strange(Message, message_name="test_saving.Strange"):
        item: dict[str, int]

    for takes, message in ((Loose, "orders, input: the field 'item' of test_saving.Loose has a default"),
                           (Strange, r"orders, input: the field 'item' has the type dict.*use str, int")):
        flow = Workflow("orders", takes=takes)
        flow.step(mend, input={"error": "x"})
        with pytest.raises(UnderstudyError, match=message):
            Team.of("orders", flow, folder=folder).save(folder / "orders.yaml")

    class Own(Role):
        pass

    role = scolding()
    team = Team.load(folder / "team.yaml")
    team.add("listener", Own(role.name, role.does, role.takes, role.gives, role.record))
    with pytest.raises(UnderstudyError, match="agent listener: its role is the class Own of Python; a team file knows"):
        team.save(folder / "team.yaml")
    team.add("listener", replace(role, demonstrations=()))
    with pytest.raises(UnderstudyError, match="agent listener: the role 'tone' has no demonstrations; give it 8 to 40"):
        team.save(folder / "team.yaml")


def test_files_that_are_not_written_over(folder: Path) -> None:
    team = Team.of("orders", small(), folder=folder)
    for name, text in (("role.yaml", ROLE), ("notes.yaml", "a: 1\n"), ("other.yaml", TEAM)):
        (folder / name).write_text(text)
        with pytest.raises(UnderstudyError, match=f"{name}: there is a file that is not of the team 'orders'; name"):
            team.save(folder / name)
        assert (folder / name).read_text() == text
    with pytest.raises(UnderstudyError, match=r"orders.json: a team's file ends in .yaml; save it as orders.yaml"):
        team.save(folder / "orders.json")
    (folder / "roles").mkdir()
    (folder / "roles" / "tone.yaml").write_text(ROLE)
    mine = Team.load(folder / "team.yaml")
    mine.add("listener", scolding())
    with pytest.raises(UnderstudyError, match="tone.yaml: there is another file; name the role otherwise"):
        mine.save(folder / "team.yaml")


def test_a_file_that_was_changed_since_is_not_written_over(folder: Path) -> None:
    team = Team.load(folder / "team.yaml")
    text = TEAM.replace("Answers.", "Answers well.")
    (folder / "team.yaml").write_text(text)
    with pytest.raises(UnderstudyError, match=r"team.yaml: the file was changed since the team was loaded; load it"):
        team.save(folder / "team.yaml")
    assert (folder / "team.yaml").read_text() == text


def test_a_composed_team_is_saved_again_over_itself(folder: Path) -> None:
    file = Team.of("orders", small(), folder=folder).save(folder / "orders.yaml")
    commented = file.read_text().replace("\nworkflow", "   # ours\nworkflow")
    file.write_text(commented)
    team = Team.of("orders", small(limits=Limits(seconds=9)), folder=folder)
    team.save(file)
    assert file.read_text() == commented + "limits: {seconds: 9}\n"
    team.does = "Sells."
    team.save(file)
    assert "team: orders\ndoes: Sells.\n" in file.read_text() and "# ours" in file.read_text()


@pytest.mark.parametrize("error", [KeyboardInterrupt, UnderstudyError("no")])
def test_what_is_cut_off_is_taken_back(folder: Path, monkeypatch: pytest.MonkeyPatch, error: Any) -> None:
    before = files(folder)
    team = Team.load(folder / "team.yaml")
    team.does = "Reads."
    team.add("listener", scolding())

    def cut_off(*_: object) -> None:
        assert (folder / "roles" / "tone.yaml").is_file() and "Reads." in (folder / "team.yaml").read_text()
        raise error

    monkeypatch.setattr(saving, "_check", cut_off)
    with pytest.raises(type(error) if isinstance(error, Exception) else error):
        team.save(folder / "team.yaml")
    assert files(folder) == before
    assert not (folder / "roles").exists()


def test_a_write_that_is_cut_off_leaves_the_old_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(folder)
    team = Team.load(folder / "team.yaml")
    team.does = "Reads."

    def full(source: Any, target: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("understudy.workflows.changes.os.replace", full)
    with pytest.raises(OSError, match="No space"):
        team.save(folder / "team.yaml")
    assert files(folder) == before


def test_a_file_that_would_not_load_the_same_is_taken_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(folder)
    team = Team.load(folder / "team.yaml")
    limited(team)
    said = saving.document_of
    wrong = {"limits": {"seconds": 6}}
    monkeypatch.setattr(saving, "document_of", lambda *parts, **more: {**said(*parts, **more), **wrong})
    with pytest.raises(UnderstudyError, match=r"desk: the team would not load the same: limits was \[5.*and is \["):
        team.save(folder / "team.yaml")
    assert files(folder) == before


def test_mistakes_in_what_is_composed(folder: Path) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"agents": {"a": "qaa"}}, r"agents.a: unknown role 'qaa'; did you mean 'qa'\?"),
        ({"agents": {"a": "./moood.yaml"}}, "agents.a: the role file './moood.yaml' does not exist; did you"),
        ({"agents": {"a": {"role": "qa", "passage": 3}}}, "agents.a.passage: unknown key 'passage'; did you mean"),
        ({"agents": {"a": 5}}, "agents.a: expected a role's name or a mapping, found a number"),
        ({"agents": {"a": price}}, "agent a: function is no role; give a Role"),
        ({"agents": {"a b": "qa"}}, r"agents.*: 'a b' cannot name an agent"),
        ({"agents": {}}, "x: no agent plans and there is no workflow; give the team a workflow"),
        ({"agents": {"a": "qa", "b": "qa"}}, "x: no agent plans and there is no workflow"),
        ({"agents": {"a": "qa"}, "knowledge": {"ad": ["*.md"]}}, "knowledge.ad: unknown key 'ad'; did you mean 'add'"),
        ({"agents": {"a": "qa"}, "knowledge": {"add": ["*.txt"]}}, r"knowledge.add\[0\]: the file '\*.txt' does not"),
        ({"agents": {"a": "qa"}, "tests": [{"expect": 1}]}, r"tests\[0\].*"),
    ]
    for options, message in cases:
        with pytest.raises(UnderstudyError, match=message):
            Team.of("x", folder=folder, **options)
    with pytest.raises(UnderstudyError, match="team: 'a team' is not a team's name"):
        Team.of("a team", agents={"a": "qa"}, folder=folder)
    flow = Workflow("x")
    flow.step("reder", name="look")
    with pytest.raises(UnderstudyError, match=r"x.steps.look.agent: there is no agent 'reder'; did you mean 'reader'"):
        Team.of("x", flow, {"reader": "qa"}, folder=folder)
    other = Team.load(folder / "team.yaml")
    flow = Workflow("x")
    flow.step(other["reader"])
    with pytest.raises(UnderstudyError, match="the agent 'reader' of the workflow is not the team's; name it"):
        Team.of("x", flow, {"reader": "qa"}, folder=folder)
    other.workflow = flow
    assert list(other.workflow.graph().steps) == ["reader"]
