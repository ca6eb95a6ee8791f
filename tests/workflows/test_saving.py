"""Teams composed or changed in Python, written as files that load the same, and files that keep what is the same."""

from __future__ import annotations

import difflib
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.agents.messages import Message
from understudy.agents.retry import Retry
from understudy.agents.role import Demonstration, Role
from understudy.core.errors import UnderstudyError
from understudy.workflows import calls, saving
from understudy.workflows.expressions import Expression
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import END, Graph, Question, Route, Step
from understudy.workflows.limits import Budget, Limits
from understudy.workflows.saving import graph_of
from understudy.workflows.schema import check
from understudy.workflows.team import Team

ROOT = Path(__file__).resolve().parents[2]

TEAM = """\
# The desk of ours.
schema: understudy/team/v1
team: 'desk'          # its name
does: "Answers."
agents:
  reader: qa          # the short form
  counter:
    role: qa
    passages: 3       # not more
knowledge: {add: ["*.md"]}   # briefs
input: {request: text}
workflow:
  start: look         # first
  steps:
    look:
      agent: reader   # or the counter
      routes:
        - {to: $end, when: not look.abstained}   # known
        - to: more
    more: {agent: counter, input: {request: input.request}}
output: {answer: look.answer}
tests:
  - {input: {request: "What?"}, expect: {answer: x}}
"""

ROLE = """\
schema: understudy/role/v1
role: mood
does: Says how a customer feels.   # in a word
takes: {text: text}
gives: {mood: [calm, angry]}
demonstrations:
- {takes: {text: I want my money back}, gives: {mood: angry}}   # plain
- {takes: {text: Thank you for the help}, gives: {mood: calm}}
"""


class Order(Message, message_name="orders.input"):
    item: str
    count: int
    kind: Literal["new", "used"]
    parts: tuple[str, ...]


class Verdict(Message, message_name="test_saving.Verdict"):
    approved: bool
    why: str


def price(count: int) -> float:
    """What so many cost."""
    return 2.5 * count


def pay(price: float, allowed: str) -> str:
    """How it ended."""
    return f"paid {price}" if allowed == "yes" else "left"


def mend(error: Any) -> str:
    """What is done about an error."""
    return str(error)


def sum_up(texts: list[Any]) -> str:
    """One text."""
    return "; ".join(map(str, texts))


@pytest.fixture(autouse=True)
def functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_registered", {})
    for function in (price, pay, mend, sum_up):
        calls.register(function)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "team.yaml").write_text(TEAM, encoding="utf-8")
    (tmp_path / "brief.md").write_text("# Brief\n", encoding="utf-8")
    (tmp_path / "mood.yaml").write_text(ROLE, encoding="utf-8")
    return tmp_path


def files(folder: Path) -> dict[str, bytes]:
    """Everything in a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def changed(before: str, after: str) -> list[str]:
    """The lines that differ, with - and +."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[:1] in "-+" and line[:3] not in ("---", "+++")]


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


def small(**options: Any) -> Workflow:
    flow = Workflow("orders", takes=Order, **options)
    flow.step(price, input={"count": flow.input.count})
    return flow


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


def alter(team: Team, **steps: Any) -> None:
    """Give steps of a team other values."""
    flow = team.workflow
    graph = flow.graph()
    made = {name: replace(step, **steps.get(name, {})) for name, step in graph.steps.items()}
    team.workflow = Workflow.of(replace(graph, steps=made), team.agents)


def renamed(team: Team) -> None:
    team.name = "front"


def limited(team: Team) -> None:
    flow = team.workflow
    flow.limits = Limits(seconds=5)
    team.workflow = flow


CHANGES: dict[str, tuple[Callable[[Team], object], list[str]]] = {
    "its name": (renamed, ["-team: 'desk'          # its name", "+team: front          # its name"]),
    "what it is for": (lambda team: setattr(team, "does", "Reads: all."),
                       ['-does: "Answers."', '+does: "Reads: all."']),
    "nothing is said of it": (lambda team: setattr(team, "does", ""), ['-does: "Answers."']),
    "an agent more": (lambda team: team.add("third", {"role": "qa", "does": "reads"}),
                      ["+  third: {role: qa, does: reads}"]),
    "a setting of an agent": (lambda team: team.add("counter", {"role": "qa", "passages": 7}),
                              ["-    passages: 3       # not more", "+    passages: 7       # not more"]),
    "the short form": (lambda team: team.add("reader", {"role": "qa", "passages": 7}),
                       ["-  reader: qa          # the short form",
                        "+  reader: {role: qa, passages: 7}          # the short form"]),
    "an agent by a file": (lambda team: team.add("mood", "./mood.yaml"), ["+  mood: {role: ./mood.yaml}"]),
    "limits": (limited, ["+limits: {seconds: 5}"]),
    "a step's agent": (lambda team: alter(team, look={"agent": "counter"}),
                       ["-      agent: reader   # or the counter", "+      agent: counter   # or the counter"]),
    "a step's retry": (lambda team: alter(team, more={"retry": Retry(attempts=2)}),
                       ["-    more: {agent: counter, input: {request: input.request}}",
                        "+    more: {agent: counter, input: {request: input.request}, retry: 2}"]),
    "a step's input": (lambda team: alter(team, more={"input": {"request": Expression.constant("why?")}}),
                       ["-    more: {agent: counter, input: {request: input.request}}",
                        "+    more: {agent: counter, input: {request: {value: why?}}}"]),
    "tests": (lambda team: setattr(team, "tests", (*team.tests, {"input": {"request": "${HOME}?"}})),
              ['+  - {input: {request: "$${HOME}?"}}']),
}


@pytest.mark.parametrize(("change", "lines"), CHANGES.values(), ids=CHANGES)
def test_only_what_changed_is_changed(folder: Path, change: Callable[[Team], object], lines: list[str]) -> None:
    team = Team.load(folder / "team.yaml")
    change(team)
    team.save(folder / "team.yaml")
    text = (folder / "team.yaml").read_text(encoding="utf-8")
    if change is not renamed:
        assert saving.likeness(Team.load(folder / "team.yaml"), graph_of(team)) == saving.likeness(team, graph_of(team))
    assert changed(TEAM, text) == lines


def test_a_step_more_and_its_route(folder: Path) -> None:
    team = Team.load(folder / "team.yaml")
    flow = team.workflow
    more = flow.step("reader", name="last", after="more")
    flow.route(more, "look", when=more.abstained, at_most=2)
    flow.route(more, "$end")
    team.workflow = flow
    team.save(folder / "team.yaml")
    assert changed(TEAM, (folder / "team.yaml").read_text()) == [
        "-    more: {agent: counter, input: {request: input.request}}",
        "+    more: {agent: counter, input: {request: input.request}, then: last}",
        "+    last: {agent: reader, routes: [{to: look, when: last.abstained, at_most: 2}, {to: $end}]}",
    ]
    assert graph_of(Team.load(folder / "team.yaml")).digest == graph_of(team).digest


def test_variables_and_line_ends_stay(folder: Path) -> None:
    file = folder / "team.yaml"
    text = TEAM.replace("team: 'desk'", "backbone: ${NO_SUCH_VARIABLE:-default}  # ours\nteam: 'desk'")
    file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    team = Team.load(file)
    team.does = "Reads."
    team.save(file)
    wanted = text.replace('does: "Answers."', 'does: Reads.')
    assert file.read_bytes() == b"\xef\xbb\xbf" + wanted.replace("\n", "\r\n").encode()


def test_a_planned_team_that_gets_another_workflow_says_it(folder: Path) -> None:
    file = folder / "planned.yaml"
    text = "schema: understudy/team/v1\nteam: planned   # p\nagents: {boss: planner, reader: qa}\n"
    file.write_text(text)
    team = Team.load(file)
    team.add("third", "qa")
    team.save(file)
    assert file.read_text() == text.replace("reader: qa}", "reader: qa, third: {role: qa}}")
    flow = team.workflow
    flow.limits = Limits(seconds=3)
    team.workflow = flow
    team.save(file)
    assert "workflow" not in file.read_text() and "limits: {seconds: 3}" in file.read_text()
    alter(team, work={"at_once": 2})
    team.save(file)
    assert "at_once: 2" in file.read_text() and "input: {request: text}" in file.read_text()
    assert file.read_text().startswith("schema: understudy/team/v1\nteam: planned   # p\n")
    assert graph_of(Team.load(file)).digest == graph_of(team).digest


def test_a_lone_agent_that_gets_company_says_its_workflow(folder: Path) -> None:
    file = folder / "alone.yaml"
    file.write_text("schema: understudy/team/v1\nteam: alone\nagents: {mood: ./mood.yaml}\n")
    team = Team.load(file)
    team.add("reader", "qa")
    team.save(file)
    loaded = Team.load(file)
    assert list(loaded.agents) == ["mood", "reader"]
    assert loaded.workflow.graph().steps["answer"].agent == "mood" and list(loaded.takes.model_fields) == ["text"]


def scolding() -> Role:
    """A role that is told in Python alone."""
    class Letter(Message, message_name="test_saving.Letter"):
        text: str

    class Tone(Message, message_name="test_saving.Tone"):
        tone: Literal["kind", "rude"]
        words: tuple[str, ...]

    shown = (Demonstration({"text": "Go away\nnow"}, {"tone": "rude", "words": ("away",)}),
             Demonstration({"text": "Do come ${in}"}, {"tone": "kind", "words": []}))
    return Role("tone", "Says how a letter sounds.", Letter, Tone, demonstrations=shown)


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


def unsaid() -> Iterator[tuple[str, Callable[[Workflow], object], str]]:
    yield ("a lambda", lambda flow: flow.step(lambda count: count, input={"count": flow.input.count}, name="own"),
           r"orders, step own: the function '.*<lambda>' is not registered; understudy.register\(\"NAME\", …\)")
    yield ("a chosen agent", lambda flow: flow.each(flow.input.parts, agent=lambda item: "reader", name="own",
                                                    input={"request": flow.item}),
           r"orders, step own: a function chooses the agent: '.*<lambda>'; choose it by an expression")
    yield ("a merge", lambda flow: (flow.step(sum_up, name="a", input={"texts": ["x"]}, after="price"),
                                    flow.step(sum_up, name="b", input={"texts": ["x"]}, after="price"),
                                    flow.step(mend, name="own", after=["a", "b"], merge=lambda found: "")),
           r"orders, step own: a function merges what came: '.*<lambda>'; name a rule: merge='majority'")
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
                                              r".*\norders, step two: the function '.*' is not registered; under"):
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


LAID_OUT = """\
schema: understudy/team/v1
team: laid-out
input: {text: text, parts: {list: text}}
workflow:            # all layouts
  steps:
    a: {call: echo, input: {x: input.text}}     # a
    b:               # after one
      after: a
      call: echo
    c: {call: echo, after: a, then: d, retry: 2}
    d:
      after: [b, c]
      merge: list
      call: echo
      routes:        # ways
      - {to: a, when: d == 'x', at_most: 2}
      - e
    e: {call: echo, each: input.parts, input: {x: item}, at_once: 2}
    f: {ask: Really?, after: e, choices: [yes, no]}
    g: {sleep: 1, after: f}
output: {a: a, all: e}
limits: {seconds: 5}
"""


def echo(x: Any) -> Any:
    """What it is given."""
    return x


@st.composite
def alterations(draw: st.DrawFn) -> list[tuple[str, str, Any]]:
    """Changes of steps: of what they are given, where they lead, whether they are there."""
    names = st.sampled_from("abcdefgh")
    kinds = st.sampled_from(["input", "then", "routes", "seconds", "gone", "new", "join", "question"])
    return draw(st.lists(st.tuples(kinds, names, st.tuples(names, names, st.integers(1, 3))), min_size=1, max_size=5))


def altered(graph: Graph, changes: list[tuple[str, str, Any]]) -> Graph:
    """The graph with the changes that can be made; it may have mistakes."""
    steps = dict(graph.steps)
    for kind, name, (one, other, number) in changes:
        if kind == "new":
            steps.setdefault(name, Step(name, call=echo, routes=(Route(one),)))
        elif name not in steps:
            continue
        elif kind == "gone":
            del steps[name]
        else:
            news: dict[str, dict[str, Any]] = {
                "input": {"input": {} if number == 1 else {"x": Expression.constant(["$${A}", number])}},
                "then": {"routes": (Route(END if number == 1 else one),)},
                "routes": {"routes": (Route(one, Expression.parse(f"{name} == 'x'"), number), Route((other, one)))},
                "seconds": {"seconds": float(number), "retry": Retry(attempts=number, wait=0.5)},
                "join": {"join": (one, other), "merge": "dict"},
                "question": {"call": None, "each": None, "at_once": 8, "input": {}, "sleep": None, "retry": None,
                             "seconds": None, "ask": Question(Expression.parse(one), (number, one))},
            }  # fmt: skip
            steps[name] = replace(steps[name], **news[kind])
    return replace(graph, steps=steps)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(alterations())
def test_whatever_is_altered_loads_the_same(tmp_path_factory: pytest.TempPathFactory, changes: Any) -> None:
    calls.register(echo)
    file = tmp_path_factory.mktemp("altered") / "team.yaml"
    file.write_text(LAID_OUT, encoding="utf-8")
    team = Team.load(file)
    graph = altered(team.workflow.graph(), changes)
    try:
        team.workflow = Workflow.of(graph)
    except UnderstudyError:
        return  # no workflow
    try:
        team.save(file)
    except UnderstudyError as error:
        assert "cannot be written as a file" in str(error), error
        return
    loaded = Team.load(file)
    assert graph_of(loaded).digest == graph_of(team).digest
    assert "# all layouts" in file.read_text(encoding="utf-8"), "what is around a change stays"
