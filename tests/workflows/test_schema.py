"""Checking team and role files: every mistake, its place, and what to write instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from understudy.workflows import calls
from understudy.workflows.formats import FORMATS, json_schema
from understudy.workflows.problems import InvalidFile, Problem
from understudy.workflows.schema import check, read_role, read_team
from understudy.workflows.yaml_document import read_document

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted(ROOT.glob("examples/**/team.yaml")) + sorted(ROOT.glob("examples/**/role.yaml"))

TEAM = """\
schema: understudy/team/v1
team: desk
agents:
  planner: planner
  coder: {role: coder, tools: [{sql: data.csv}]}
  qa: {role: qa, passages: 3}
knowledge: {store: build/desk.db, add: ["*.md"]}
input: {request: text}
workflow:
  start: plan
  steps:
    plan: {agent: planner, input: {request: input.request, cast: team.cast}, then: work}
    work:
      each: plan.steps
      agent_from: item.agent
      input: {request: item.request, given: item.needs, kind: {value: fast}}
      at_once: 4
      failure: collect
      routes: [{to: plan, when: len(work) == 0, at_most: 2}, {to: $end}]
output: {answer: "work[-1].answer", sources: work.sources}
limits: {seconds: 60, messages: 200, on_exceed: partial}
tests: [{input: {request: What is the capital of Peru?}, expect: {answer: {contains: Lima}}}]
"""

ROLE = """\
schema: understudy/role/v1
role: triage
does: Sorts messages.
takes: {text: text}
gives: {queue: [billing, bug], urgent: boolean, hours: number, parts: {list: integer}}
demonstrations:
- takes: {text: I was charged twice}
  gives: {queue: billing, urgent: true, hours: 1.5, parts: [1, 2]}
- takes: {text: It crashes}
  gives: {queue: bug, urgent: false, hours: 2, parts: []}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    (tmp_path / "brief.md").write_text("# Brief\n")
    (tmp_path / "role.yaml").write_text(ROLE)
    return tmp_path


def problems(folder: Path, text: str, name: str = "team.yaml") -> list[Problem]:
    (folder / name).write_text(text)
    return check(folder / name)


def lines(folder: Path, text: str, name: str = "team.yaml") -> list[str]:
    return [str(problem).replace(f"{folder}/", "") for problem in problems(folder, text, name)]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: str(file.relative_to(ROOT)))
def test_the_examples_have_no_mistakes_and_fit_the_shipped_schema(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_registered", {})
    for functions in (one / "functions.py" for one in (file.parent, file.parent.parent)):
        if functions.is_file():
            calls.load_functions(functions)
    assert [str(problem) for problem in check(file)] == []
    shipped = json.loads((ROOT / "understudy" / "schemas" / file.with_suffix(".json").name).read_text())
    jsonschema.Draft202012Validator.check_schema(shipped)
    jsonschema.validate(read_document(file).value, shipped)


def test_there_are_examples() -> None:
    assert {file.name for file in EXAMPLES} == {"team.yaml", "role.yaml"}


@pytest.mark.parametrize("name", list(FORMATS))
def test_the_shipped_schemas_are_those_of_the_check(name: str) -> None:
    shipped = json.loads((ROOT / "understudy" / "schemas" / f"{name}.json").read_text())
    assert shipped == json_schema(name)


def test_files_without_mistakes(folder: Path) -> None:
    assert lines(folder, TEAM) == []
    assert lines(folder, ROLE, "role.yaml") == []
    assert read_team(folder / "team.yaml").value["team"] == "desk"
    assert read_role(folder / "role.yaml").value["role"] == "triage"
    for name, text in (("team", TEAM), ("role", ROLE)):
        jsonschema.validate(read_document(folder / f"{name}.yaml").value, json_schema(name))
        assert text


TEAM_MISTAKES = [
    ("team: desk", "teem: desk",
     ["1:1: the key 'team' is missing; a team needs it: its name",
      "2:1: teem: unknown key 'teem'; a team has no such key; did you mean 'team'?"]),
    ("team: desk", "team: [desk]", ["2:7: team: expected a team's name, found a list"]),
    ("team: desk", "team: my desk", ["2:7: team: 'my desk' is not a team's name"]),
    ("understudy/team/v1", "understudy/team/v7",
     ["1:9: schema: 'understudy/team/v7' is not the format of a team file; did you mean 'understudy/team/v1'?"]),
    ("planner: planner", "planner: planer",
     ["4:12: agents.planner: unknown role 'planer'; it is neither shipped nor learned; did you mean 'planner'?"]),
    ("role: coder,", "role: coder, tool: [],",
     ["5:24: agents.coder.tool: unknown key 'tool'; an agent has no such key; did you mean 'tools'?"]),
    ("role: qa,", "role: ./rolle.yaml,",
     ["6:14: agents.qa.role: the role file './rolle.yaml' does not exist; did you mean 'role.yaml'?"]),
    ("role: qa,", "role: ../role.yaml,",
     ["6:14: agents.qa.role: the path '../role.yaml' leads out of the folder; "
      "a file may name only what lies in its own folder"]),
    ("{sql: data.csv}", "{sql: date.csv}",
     ["5:38: agents.coder.tools[0].sql: the file 'date.csv' does not exist; did you mean 'data.csv'?"]),
    ("{sql: data.csv}", "{sql: /etc/passwd}",
     ["5:38: agents.coder.tools[0].sql: the path '/etc/passwd' is not relative"]),
    ("passages: 3", "passages: three",
     ["6:28: agents.qa.passages: expected a whole number, found a text"]),
    ("passages: 3", "passages: 0",
     ["6:28: agents.qa.passages: expected a whole number, at least 1 and at most 50, found 0"]),
    ('add: ["*.md"]', 'add: ["*.txt"]', ["7:41: knowledge.add[0]: the file '*.txt' does not exist"]),
    ("build/desk.db", "../desk.db", ["7:20: knowledge.store: the path '../desk.db' leads out of the folder"]),
    ("{request: text}\nworkflow", "{request: txt}\nworkflow",
     ["8:18: input.request: unknown type 'txt'; did you mean 'text'?"]),
    ("start: plan", "start: plann",
     ["10:10: workflow.start: unknown step 'plann'; did you mean 'plan'?"]),
    ("agent: planner,", "agent: planer,",
     ["12:19: workflow.steps.plan.agent: unknown agent 'planer'; did you mean 'planner'?"]),
    ("agent: planner,", "agent: planner, agent_from: input.request,",
     ["12:28: workflow.steps.plan.agent_from: 'agent' and 'agent_from' in one step; a step is done by one"]),
    ("agent: planner,", "call: os.system,",
     ["12:18: workflow.steps.plan.call: 'os.system' is not a registered function; register it: understudy.register"]),
    ("{sql: data.csv}", "{sql: data.csv}, {sql: data.csv}",
     ["5:50: agents.coder.tools[1].sql: a second sql tool"]),
    ("agent: planner,", "",
     ["12:5: workflow.steps.plan: the step has no agent; a step is done by one agent, function, team, group or "
      "person, or it waits; add agent: NAME"]),
    ("request: input.request,", "request: inputt.request,",
     ["12:45: workflow.steps.plan.input.request: unknown name 'inputt' in 'inputt.request'; did you mean 'input'?"]),
    ("request: input.request,", "request: 'len(input.request) + 1',",
     ["12:46: workflow.steps.plan.input.request: arithmetic in the expression"]),
    ("request: input.request,", "request: item.request,",
     ["12:45: workflow.steps.plan.input.request: unknown name 'item' in 'item.request'; "
      "only a step with 'each' has items"]),
    ("request: input.request,", "request: input.reqest,",
     ["12:45: workflow.steps.plan.input.request: input has no 'reqest'; did you mean 'request'?"]),
    ("cast: team.cast", "cast: team.casts",
     ["12:66: workflow.steps.plan.input.cast: team has no 'casts'; did you mean 'cast'?"]),
    ("cast: team.cast", "cast: 5", ["12:66: workflow.steps.plan.input.cast: expected an expression, "
                                    "found a number 5; a constant is {value: 5}"]),
    ("then: work}", "then: wrk}",
     ["12:84: workflow.steps.plan.then: unknown step 'wrk'; did you mean 'work'?"]),
    ("each: plan.steps\n", "each: plan.steps and\n",
     ["14:13: workflow.steps.work.each: cannot read the expression 'plan.steps and'"]),
    ("at_once: 4", "at_once: 0",
     ["17:16: workflow.steps.work.at_once: expected a whole number, at least 1, found 0"]),
    ("      each: plan.steps\n", "",
     ["14:19: workflow.steps.work.agent_from: unknown name 'item' in 'item.agent'",
      "15:24: workflow.steps.work.input.request: unknown name 'item' in 'item.request'",
      "15:45: workflow.steps.work.input.given: unknown name 'item' in 'item.needs'",
      "16:7: workflow.steps.work.at_once: 'at_once' without 'each'"]),
    ("failure: collect", "failure: colect",
     ["18:16: workflow.steps.work.failure: 'colect' is not a failure mode; did you mean 'collect'?"]),
    ("{to: $end}", "{to: $ende}",
     ["19:67: workflow.steps.work.routes[1].to: unknown step '$ende'; did you mean '$end'?"]),
    ("{to: $end}", "{when: work}",
     ["19:62: workflow.steps.work.routes[1]: the key 'to' is missing; a route needs it: the next step, or $end"]),
    ("failure: collect", "then: $end",
     ["18:7: workflow.steps.work.then: 'then' and 'routes' in one step"]),
    ("sources: work.sources", "sources: wrk.sources",
     ["20:46: output.sources: unknown name 'wrk' in 'wrk.sources'; did you mean 'work'?"]),
    ("on_exceed: partial", "on_exceed: halt",
     ["21:49: limits.on_exceed: 'halt' is not what happens at a limit; there is: ask, partial, stop"]),
    ("expect: {answer:", "expect: {anwser:",
     ["22:67: tests[0].expect.anwser: the team's output has no 'anwser'; did you mean 'answer'?"]),
    ("  qa: {", "  q a: {", ["6:3: agents.q a: 'q a' cannot name an agent; a name has letters, digits, _ and -, and"]),
    ("team: desk\n", "team: desk\nteam: desk\n", ["3:1: team: duplicate key 'team'; it is already on line 2"]),
    ("    work:\n", "    in:\n",
     ["13:5: workflow.steps.in: 'in' cannot name a step; expressions use that word; call it otherwise"]),
    ("    work:\n", "    my work:\n", ["13:5: workflow.steps.my work: 'my work' cannot name a step"]),
    ("team: desk", "team: ${UNDERSTUDY_NO_SUCH_VARIABLE}",
     ["2:7: team: the environment has no variable 'UNDERSTUDY_NO_SUCH_VARIABLE'; set it, or write"]),
]


@pytest.mark.parametrize(("old", "new", "expected"), TEAM_MISTAKES, ids=[new[:30] for _, new, _ in TEAM_MISTAKES])
def test_mistakes_in_a_team(folder: Path, old: str, new: str, expected: list[str]) -> None:
    assert old in TEAM
    found = lines(folder, TEAM.replace(old, new, 1))
    for line in expected:
        assert any(one.startswith(f"team.yaml:{line}") for one in found), found


def test_all_mistakes_are_reported_at_once_in_order(folder: Path) -> None:
    text = TEAM
    for old, new, _ in TEAM_MISTAKES[5:12:3]:
        text = text.replace(old, new, 1)
    found = problems(folder, text)
    assert len(found) == 3
    assert found == sorted(found, key=lambda one: (one.line, one.column))
    with pytest.raises(InvalidFile, match="3 mistakes in ") as caught:
        read_team(folder / "team.yaml")
    assert list(caught.value.problems) == found


def test_mistakes_in_a_role_file_that_a_team_names(folder: Path) -> None:
    (folder / "role.yaml").write_text(ROLE.replace("does:", "doe:"))
    found = lines(folder, TEAM.replace("role: qa,", "role: ./role.yaml,"))
    assert "role.yaml:3:1: doe: unknown key 'doe'; a role has no such key; did you mean 'does'?" in found


def test_a_team_of_several_needs_a_planner_or_a_workflow(folder: Path) -> None:
    text = "schema: understudy/team/v1\nteam: desk\nagents: {a: qa, b: coder}\n"
    assert lines(folder, text) == [
        "team.yaml:3:1: agents: no agent plans and there is no workflow; with several agents one must have the role "
        "planner, or the steps must be written; add planner: {role: planner}, or a workflow"]
    assert lines(folder, text.replace("b: coder", "b: planner")) == []
    assert lines(folder, text.replace(", b: coder", "")) == []


ROLE_MISTAKES = [
    ("role: triage", "role: ../triage", ["2:7: role: '../triage' is not a role's name"]),
    ("urgent: boolean", "urgent: bool", ["5:40: gives.urgent: unknown type 'bool'; did you mean 'boolean'?"]),
    ("[billing, bug]", "[billing]", ["5:16: gives.queue: expected at least 2 choices, found 1"]),
    ("[billing, bug]", "[bug, bug]", ["5:22: gives.queue[1]: the choice 'bug' stands here twice"]),
    ("{list: integer}", "{lst: integer}", ["5:71: gives.parts: a mapping is not a type"]),
    ("queue: billing,", "queue: biling,",
     ["8:18: demonstrations[0].gives.queue: 'biling' is not among the choices; choices: billing, bug; "
      "did you mean 'billing'?"]),
    ("urgent: true,", "urgent: soon,", ["8:35: demonstrations[0].gives.urgent: expected boolean, found a text"]),
    ("hours: 1.5", "hours: long", ["8:48: demonstrations[0].gives.hours: expected number, found a text"]),
    ("parts: [1, 2]", "parts: [1, 2.5]", ["8:64: demonstrations[0].gives.parts[1]: expected integer"]),
    ("parts: [1, 2]", "parts: 1", ["8:60: demonstrations[0].gives.parts: expected a list, found a number"]),
    (", parts: []", "", ["10:10: demonstrations[1].gives: the field 'parts' is missing; the role's gives has it"]),
    ("text: It crashes", "txt: It crashes",
     ["9:11: demonstrations[1].takes.txt: unknown field 'txt'; the role's takes has no such field; "
      "did you mean 'text'?"]),
    ("text: It crashes", "text: 404",
     ["9:17: demonstrations[1].takes.text: expected text, found a number; quote it"]),
    ("text: It crashes", "text: ''", ["9:17: demonstrations[1].takes.text: expected text, found an empty text"]),
    ("text: It crashes", "text: I was charged twice",
     ["10:10: demonstrations[1].gives: contradicts demonstration 1, which answers the same message otherwise"]),
    ("- takes: {text: It crashes}\n  gives", "- gives",
     ["9:3: demonstrations[1]: the key 'takes' is missing"]),
    ("demonstrations:\n", "demonstrations: ./none.csv\nx:\n",
     ["6:17: demonstrations: the file './none.csv' does not exist; a path is relative to this file"]),
    ("demonstrations:\n", "demonstrations: role.yaml\nx:\n",
     ["6:17: demonstrations: 'role.yaml' is not a .jsonl or .csv file"]),
]


@pytest.mark.parametrize(("old", "new", "expected"), ROLE_MISTAKES, ids=[new[:30] for _, new, _ in ROLE_MISTAKES])
def test_mistakes_in_a_role(folder: Path, old: str, new: str, expected: list[str]) -> None:
    assert old in ROLE
    found = lines(folder, ROLE.replace(old, new, 1), "role.yaml")
    for line in expected:
        assert any(one.startswith(f"role.yaml:{line}") for one in found), found


def test_a_text_that_is_given_may_be_empty_where_there_is_nothing(folder: Path) -> None:
    text = ROLE.replace("queue: [billing, bug]", "queue: text")
    assert lines(folder, text.replace("queue: bug", 'queue: ""'), "role.yaml") == []
    assert lines(folder, text.replace("queue: bug", 'queue: " "'), "role.yaml"), "blanks are no value"


def one(**gives: Any) -> str:
    right = {"queue": "bug", "urgent": False, "hours": 1, "parts": [1]}
    return json.dumps({"takes": {"text": "It crashes"}, "gives": {**right, **gives}})


HEAD = ROLE[: ROLE.index("demonstrations")]


@pytest.mark.parametrize(("text", "expected"), [
    (f"{one()}\n\n{one(queue='bgu')}\n",
     ["3:54: gives.queue: 'bgu' is not among the choices; choices: billing, bug; did you mean 'bug'?"]),
    (f"{one()}\n{one(urgent='x')}\n", ["2:71: gives.urgent: expected boolean, found a text"]),
    (f"{one()}\n{{'takes'}}\n", ["2:2: JSON: Expecting property name enclosed in double quotes"]),
    (f"{one()}\n[1]\n", ["2:1: expected a demonstration, found a list"]),
    (f"{one()}\n{{}}\n", ["2:1: takes: the demonstration's takes is missing",
                          "2:1: gives: the demonstration's gives is missing"]),
    (one()[:-1] + ', "note": 1}\n' + one(), ["1:87: note: unknown key 'note'; a demonstration has takes and gives"]),
    (one(), ["1:1: expected at least 2 demonstrations, found 1"]),
    ("", ["1:1: expected at least 2 demonstrations, found 0"]),
    (f"{one()}\n\n{one(queue='billing')}\n",
     ["3:44: gives: contradicts line 1, which answers the same message otherwise; a message has one right answer"]),
    (f"{one()}\n{one()}\n", []),
])
def test_demonstrations_in_a_jsonl_file(folder: Path, text: str, expected: list[str]) -> None:
    (folder / "demos.jsonl").write_text(text)
    found = lines(folder, HEAD + "demonstrations: ./demos.jsonl\n", "role.yaml")
    assert len(found) == len(expected)
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(f"demos.jsonl:{start}")


@pytest.mark.parametrize(("text", "expected"), [
    ("text,queue,urgent,hours,parts\n\"It, too\",bug,yes,1,1;2\nBill,billing,false,2.5,\n", []),
    ("takes.text,gives.queue,urgent,hours,parts\na,bug,yes,1,\nb,bgu,yes,1,\n",
     ["3:3: gives.queue: 'bgu' is not among the choices"]),
    ("text,queue,urgent,hours,parts\na,bug,yes,1,\nb,bug,maybe,1,\n", ["3:7: gives.urgent: expected boolean"]),
    ("text,queue,urgent,hours,parts\na,bug,yes,1,\nb,bug,yes,long,\n", ["3:11: gives.hours: expected number"]),
    ("text,queu,urgent,hours,parts\n",
     ["1:6: queu: unknown column 'queu'; a column is a field of takes or gives; did you mean 'queue'?",
      "1:1: gives.queue: no column 'queue'"]),
    ("text,queue,urgent,hours,parts\na,b,bug,yes,1,\n",
     ["2:1: 6 cells in a row of 5; put a cell that has commas in quotes"]),
])
def test_demonstrations_in_a_csv_file(folder: Path, text: str, expected: list[str]) -> None:
    (folder / "demos.csv").write_text(text)
    found = lines(folder, HEAD + "demonstrations: demos.csv\n", "role.yaml")
    assert len(found) == len(expected), found
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(f"demos.csv:{start}")


@pytest.mark.parametrize(("text", "expected"), [
    ("a: 1", "1:1: the key 'schema' is missing; write schema: understudy/team/v1 or understudy/role/v1"),
    ("schema: understudy/teem/v1",
     "1:9: schema: unknown format 'understudy/teem/v1'; did you mean 'understudy/team/v1'?"),
    ("[1]", "1:1: expected a team or a role (a mapping), found a list"),
    ("", "1:1: the file is empty"),
    ("a: [", "1:5: YAML: expected the node content"),
])
def test_files_that_are_neither(folder: Path, text: str, expected: str) -> None:
    (found,) = lines(folder, text, "x.yaml")
    assert found.startswith(f"x.yaml:{expected}")


def test_a_role_is_not_a_team(folder: Path) -> None:
    with pytest.raises(InvalidFile, match="expected a team, found a role"):
        read_team(folder / "role.yaml")


def test_variables_are_read_in_teams_and_left_in_roles(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK", "night-desk")
    (folder / "team.yaml").write_text(TEAM.replace("team: desk", "team: ${DESK}"))
    assert read_team(folder / "team.yaml").value["team"] == "night-desk"
    (folder / "role.yaml").write_text(ROLE.replace("It crashes", "'It prints ${HOME}'"))
    assert read_role(folder / "role.yaml").value["demonstrations"][1]["takes"]["text"] == "It prints ${HOME}"
