"""Files of teams that were changed in Python: what is the same stays as it was written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workflows.saved_teams import TEAM, changed, limited
from understudy.agents.retry import Retry
from understudy.core.errors import UnderstudyError
from understudy.workflows import calls, saving
from understudy.workflows.expressions import Expression
from understudy.workflows.flow import Workflow
from understudy.workflows.graph import END, Graph, Question, Route, Step
from understudy.workflows.limits import Limits
from understudy.workflows.saving import graph_of
from understudy.workflows.team import Team

pytestmark = pytest.mark.usefixtures("saved_functions")


def alter(team: Team, **steps: Any) -> None:
    """Give steps of a team other values."""
    flow = team.workflow
    graph = flow.graph()
    made = {name: replace(step, **steps.get(name, {})) for name, step in graph.steps.items()}
    team.workflow = Workflow.of(replace(graph, steps=made), team.agents)


def renamed(team: Team) -> None:
    team.name = "front"


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
