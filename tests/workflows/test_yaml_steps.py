"""What a team file says of steps: every key, its short and long forms, what comes of it, and what is wrong with it."""

from __future__ import annotations

import copy
import json
import random
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from understudy.agents.messages import Finding, Message, Task
from understudy.agents.retry import Retry
from understudy.workflows import calls
from understudy.workflows.expressions import Expression
from understudy.workflows.formats import AGENT, TEAM, TEST, json_schema
from understudy.workflows.graph import END, Graph, Route
from understudy.workflows.limits import Budget, Limits
from understudy.workflows.meaning import graph_path, written_path
from understudy.workflows.problems import InvalidFile, key_path
from understudy.workflows.resources import Resources
from understudy.workflows.schema import check, check_text
from understudy.workflows.step_shapes import LIMITS, STEP
from understudy.workflows.team import Team
from understudy.workflows.team_graph import graph_of
from understudy.workflows.yaml_document import parse_document

ROOT = Path(__file__).resolve().parents[2]
VALIDATOR = jsonschema.Draft202012Validator(json_schema("team"))
HEAD = "schema: understudy/team/v1\nteam: desk\n"


class Draft(Message, message_name="test_yaml_steps.Draft"):
    text: str
    good: bool = True


def draft(request: str, given: tuple[str, ...] = ()) -> str:
    """Drafts a text.

    With care.
    """
    return " ".join((request, *given))


def judge(text: str) -> Draft:
    return Draft(text=text, good=len(text) > 3)


async def double(value: int) -> int:
    return 2 * value


def broken(value: Any) -> int:
    raise ValueError(f"no {value}")


@pytest.fixture(autouse=True)
def functions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    mine = {"draft": draft, "judge": judge, "double": double, "broken": broken}
    monkeypatch.setattr(calls, "_registered", mine)
    yield


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def written(text: str, name: str = "team.yaml") -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(HEAD + textwrap.dedent(text), encoding="utf-8")
        return file

    return written


def graph(text: str) -> Graph:
    document = parse_document(HEAD + textwrap.dedent(text))
    assert not document.problems
    VALIDATOR.validate(document.value)
    return graph_of(document.value)


def mistakes(text: str) -> list[str]:
    found = check_text(HEAD + textwrap.dedent(text), "team.yaml")
    return [str(problem).removeprefix("team.yaml:") for problem in found]


# What is written, and the step that it is.

EVERY = """\
agents: {qa: qa}
input: {texts: {list: text}, seconds: number}
workflow:
  start: go
  steps:
    go: {call: same, input: {value: {value: [1, 2]}}, then: [one, two]}
    one:
      agent_from: team.cast[0].name
      each: input.texts
      at_once: 3
      failure: collect
      input: {request: item}
      retry: {attempts: 4, wait: 1, factor: 3, longest: 60}
      seconds: 2.5
      into: talk
      on_error: mend
      then: met
    two: {ask: 'May I?', choices: [yes, 1, true], on_error: $end, then: met}
    met: {call: same, after: [one, two], merge: dict, routes: [{to: [say, wait], when: met.two == 1, at_most: 2}, tell]}
    say: {ask_from: met.two, gives: {mood: [good, bad], note: text}, then: $end}
    wait: {sleep: 5}
    tell: {sleep: input.seconds, routes: [go2]}
    go2: {agent: qa, input: {request: 'talk[0].answer'}, retry: 2}
    mend: {call: record, input: {step: error.step}}
output: {talk: talk}
limits:
  seconds: 9
  messages: 8
  tokens: 7
  depth: 6
  on_exceed: ask
  agents: {qa: {seconds: 1, messages: 2, tokens: 3}}
"""


def test_every_key_of_a_step_is_in_its_graph() -> None:
    made = graph(EVERY)
    steps = made.steps
    assert made.start == "go" and steps["go"].routes == (Route(("one", "two")),)
    one = steps["one"]
    assert one.agent_from == Expression.parse("team.cast[0].name") and one.each == Expression.parse("input.texts")
    assert (one.at_once, one.failure, one.seconds, one.into, one.on_error) == (3, "collect", 2.5, "talk", "mend")
    assert one.retry == Retry(attempts=4, wait=1, factor=3, longest=60) and one.routes == (Route("met"),)
    two = steps["two"].ask
    assert two is not None and two.text.evaluate({}) == "May I?" and two.choices == ("yes", 1, True)
    assert two.gives is None and steps["two"].on_error == END
    met = steps["met"]
    assert met.join == ("one", "two") and met.merge == "dict" and met.call is calls.CALLS["same"]
    assert met.routes == (Route(("say", "wait"), Expression.parse("met.two == 1"), 2), Route("tell"))
    say = steps["say"].ask
    assert say is not None and say.text == Expression.parse("met.two") and say.choices == ()
    assert say.gives is not None and say.gives(mood="bad", note="x").model_dump() == {"mood": "bad", "note": "x"}
    assert say.gives.message_name == "desk.say.gives" and steps["say"].routes == (Route(END),)
    assert steps["wait"].sleep == Expression.constant(5) and steps["wait"].routes == (Route(END),)
    assert steps["tell"].sleep == Expression.parse("input.seconds") and steps["tell"].routes == (Route("go2"),)
    assert steps["go2"].retry == Retry(attempts=2)
    assert made.limits == Limits(9, 8, 7, 6, "ask", {"qa": Budget(1, 2, 3)})
    assert check_text(HEAD + EVERY) == []


def test_every_key_of_a_step_is_in_the_example() -> None:
    written = parse_document(EVERY).value["workflow"]["steps"]
    assert {key for step in written.values() for key in step} == set(STEP.keys) - {"team"}


@pytest.mark.parametrize(("short", "long"), [
    ("routes: [b]", "routes: [{to: b}]"),
    ("then: b", "routes: [{to: [b]}]"),
    ("then: [b]", "then: b"),
    ("retry: 4, then: b", "retry: {attempts: 4}, then: b"),
    ("then: b", "at_once: 8, failure: fail_fast, each: input.x, then: b"),
])
def test_short_and_long_forms_are_the_same(short: str, long: str) -> None:
    def steps(keys: str) -> Any:
        each = "" if "each" in keys else "each: input.x, "
        made = graph(f"workflow: {{steps: {{a: {{call: same, {each}{keys}}}, b: {{call: same}}}}}}")
        return made.document

    assert steps(short) == steps(long)


def test_short_forms_of_agents_tools_and_tests(write: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n")
    file = write("agents: {a: coder, b: {role: coder, tools: [a.csv]}, c: {role: coder, tools: [{sql: a.csv}]}}\n"
                 "workflow: {steps: {s: {agent: a}}}\ntests: [What?, {input: What?}, {input: {request: What?}}]\n")
    assert [str(one) for one in check(file)] == []
    members = {name: agent.member for name, agent in Team.load(file).agents.items()}
    assert members["b"].tools == members["c"].tools == ({"sql": "a.csv"},)
    assert members["a"].role.name == members["b"].role.name == "coder"


@pytest.mark.parametrize("steps", [
    "a: {call: same, then: [b, c]}, b: {call: same, then: d}, c: {call: same, then: d}, d: {call: same, after: [b, c]}",
    "a: {call: same}, b: {call: same, after: a}, c: {call: same, after: [a]}, d: {call: same, after: [b, c]}",
    "a: {call: same, then: [b, c]}, b: {call: same, after: a}, c: {call: same, routes: [d]}, "
    "d: {call: same, after: [b, c]}",
])
def test_ways_said_by_then_or_by_after(steps: str) -> None:
    made = graph(f"workflow: {{steps: {{{steps}}}}}")
    assert {name: step.routes for name, step in made.steps.items()} == {
        "a": (Route(("b", "c")),), "b": (Route("d"),), "c": (Route("d"),), "d": (Route(END),)}
    assert [step.join for step in made.steps.values()] == [(), (), (), ("b", "c")]


# What comes of it.

def run(file: Path, fields: Any, answers: Mapping[str, Any] | None = None, **more: Any) -> Any:
    team, journal = Team.load(file), file.with_name("runs.db")
    result = team.run_sync(fields, journal=journal, run_id="r", **more)
    for step, answer in (answers or {}).items():
        assert result.status == "waiting", (result.status, result.error)
        result = team.resume_sync("r", journal=journal, answers={step: answer})
    return result


def test_a_team_without_agents_asks(write: Callable[..., Path]) -> None:
    file = write("""\
        input: {amount: number}
        workflow:
          steps:
            allowed: {ask: Pay this?, choices: [yes, no], routes: [{to: pay, when: allowed == 'yes'}, {to: refused}]}
            pay: {call: fill, input: {template: {value: 'paid {amount}'}, amount: input.amount}}
            refused: {ask_from: allowed, gives: {why: text}}
        """)
    result = run(file, {"amount": 2})
    (asked,) = result.questions
    assert (asked.step, asked.question, asked.choices) == ("allowed", "Pay this?", ("yes", "no"))


def test_answers_lead_on(write: Callable[..., Path]) -> None:
    text = """\
        input: {amount: number}
        workflow:
          steps:
            allowed: {ask: Pay this?, choices: [yes, no], routes: [{to: pay, when: allowed == 'yes'}, refused]}
            pay: {call: fill, input: {template: {value: 'paid {amount}'}, amount: input.amount}}
            refused: {ask_from: allowed, gives: {why: text}}
        """
    assert run(write(text, "a/team.yaml"), {"amount": 2}, {"allowed": "yes"}).output == {"value": "paid 2.0"}
    refused = run(write(text, "b/team.yaml"), {"amount": 2}, {"allowed": "no", "refused": {"why": "late"}})
    assert refused.output == {"why": "late"} and refused.steps[-1].name == "refused"


AGENTS = """\
    agents: {writer: {call: draft, does: writes}, critic: {call: judge}}
    input: {request: text}
    workflow:
      steps:
        write: {agent_from: "team.cast[0].name", input: {request: input.request, given: talk.answer}, into: talk}
        test: {agent: critic, input: {text: write.answer}, after: write,
               routes: [{to: write, when: not test.good, at_most: 2}, {to: $end}]}
    output: {text: write.answer, tries: len(talk), good: test.good}
    """


def test_functions_are_agents(write: Callable[..., Path]) -> None:
    file = write(AGENTS)
    team = Team.load(file)
    assert team["writer"].takes is Task and team["writer"].gives is Finding and team["writer"].does == "writes"
    assert team["critic"].gives is Draft and team["critic"].learned
    assert [member.name for member in team.cast] == ["writer"]
    result = run(file, "a")
    assert result.output == {"text": "a a a a", "tries": 3, "good": True}, result.error
    assert [step.agent for step in result.steps[:2]] == ["writer", "critic"]
    again = team.workflow.replay("r", journal=file.with_name("runs.db"))
    assert again.output == result.output


def test_a_failure_leads_to_on_error_and_a_retry_is_counted(write: Callable[..., Path],
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    calls.register("shaky", shaky := Shaky(2))
    file = write("""\
        input: {value: integer}
        workflow:
          steps:
            first: {call: shaky, input: {value: input.value}, retry: {attempts: 3, wait: 0}, then: second}
            second: {call: broken, input: {value: first}, retry: {attempts: 2, wait: 0}, on_error: mended}
            mended: {call: record, input: {step: error.step, error: error.error, first: first}}
        """)
    result = run(file, {"value": 4})
    assert result.status == "completed", result.error
    assert result.output["step"] == "second" and "no 8" in result.output["error"] and result.output["first"] == 8
    assert shaky.calls == 3 and [step.attempts for step in result.steps[:2]] == [3, 2]


class Shaky:
    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = 0

    def __call__(self, value: int) -> int:
        self.calls += 1
        if self.calls <= self.failures:
            raise ValueError("not yet")
        return 2 * value


def test_branches_are_merged_and_time_passes(write: Callable[..., Path]) -> None:
    file = write("""\
        input: {values: {list: integer}}
        workflow:
          steps:
            go: {sleep: 0, then: [a, b, c]}
            a: {call: total, input: {numbers: input.values}}
            b: {call: same, input: {value: {value: 6}}}
            c: {each: input.values, call: double, input: {value: item}, at_once: 2, then: sum}
            sum: {call: total, input: {numbers: c}, then: vote}
            vote: {call: same, after: [a, b, sum], merge: majority}
        output: {vote: vote, doubled: c}
        """)
    assert run(file, {"values": [1, 2, 3]}).output == {"vote": 6, "doubled": [2, 4, 6]}


CHILD = """\
    input: {text: text}
    workflow: {steps: {sign: {ask: Sign?, choices: [yes, no]}}}
    output: {text: input.text, sign: sign}
    """


def test_a_team_is_a_step(write: Callable[..., Path]) -> None:
    write(CHILD.replace("{ask: Sign?, choices: [yes, no]}", "{call: double, input: {value: len(input.text)}}"),
          "inner/quick.yaml")
    file = write("""\
        input: {texts: {list: text}}
        workflow: {steps: {all: {each: input.texts, team: inner/quick.yaml, input: {text: item}, at_once: 2}}}
        output: {signs: all.sign, texts: all.text}
        """)
    assert run(file, {"texts": ["a", "bc"]}).output == {"signs": [2, 4], "texts": ["a", "bc"]}


def test_a_question_of_a_team_that_is_a_step_is_answered_from_outside(write: Callable[..., Path]) -> None:
    write(CHILD, "inner/team.yaml")
    file = write("""\
        input: {request: text}
        workflow: {steps: {inner: {team: inner/team.yaml, input: {text: input.request}}}}
        output: {sign: inner.sign}
        tests: [{input: a, answers: {inner/sign: yes}, expect: {sign: yes}}]
        """)
    assert [str(one) for one in check(file)] == []
    assert run(file, "a", {"inner/sign": "yes"}).output == {"sign": "yes"}


def test_teams_share_a_backbone_and_are_loaded_once(write: Callable[..., Path]) -> None:
    write("agents: {qa: qa}\n", "one.yaml")
    write("agents: {qa: qa}\nworkflow: {steps: {s: {team: one.yaml, input: {request: input.request}}}}\n", "two.yaml")
    file = write("""\
        backbone: default
        agents: {qa: qa}
        workflow:
          steps:
            a: {team: one.yaml, input: {request: input.request}, then: b}
            b: {team: two.yaml, input: {request: input.request}}
        """)
    steps = Team.load(file).workflow.graph().steps
    one, two = steps["a"].workflow, steps["b"].workflow
    assert two.workflow.graph().steps["s"].workflow is one
    assert two.resources.lender is one.resources and two.resources.knowledge is None


def test_only_teams_with_roles_are_made_ready(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []
    for word in ("make_ready", "close"):
        monkeypatch.setattr(Resources, word, lambda self, word=word: told.append((word, self.base.name)))
    write("agents: {qa: qa}\n", "roles/team.yaml")
    write("agents: {writer: {call: draft}}\nworkflow: {steps: {s: {agent: writer, input: {request: input.request}}}}\n",
          "functions/team.yaml")
    file = write("""\
        agents: {writer: {call: draft}}
        workflow:
          steps:
            a: {team: roles/team.yaml, input: {request: input.request}, then: b}
            b: {team: functions/team.yaml, input: {request: input.request}}
        """, "team.yaml")
    team = Team.load(file)
    team.make_ready()
    team.close()
    assert told[0] == ("make_ready", "roles") and [word for word, _ in told[1:]] == ["close"] * 3


def test_a_limit_asks(write: Callable[..., Path]) -> None:
    file = write("""\
        agents: {writer: {call: draft}}
        input: {texts: {list: text}}
        workflow: {steps: {all: {each: input.texts, agent: writer, input: {request: item}, at_once: 1}}}
        output: {texts: all.answer}
        limits: {on_exceed: ask, agents: {writer: {messages: 1}}}
        """)
    result = run(file, {"texts": ["a", "b"]})
    assert result.status == "waiting" and result.questions[0].step == "$limits"
    done = Team.load(file).resume_sync("r", journal=file.with_name("runs.db"), answers={"$limits": True})
    assert done.output == {"texts": ["a", "b"]}


def test_the_example_of_the_documentation_runs(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "teams.md").read_text(encoding="utf-8")
    text, code = (re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL)[0] for kind in ("yaml", "python"))
    (tmp_path / "functions.py").write_text(code, encoding="utf-8")
    assert set(calls.load_functions(tmp_path / "functions.py")) == {"draft", "judge"}
    (tmp_path / "translators").mkdir()
    (tmp_path / "translators" / "team.yaml").write_text(
        HEAD + "input: {text: text, language: text}\n"
        "workflow: {steps: {say: {call: fill, input: {template: {value: '{language}: {text}'}, text: input.text,"
        " language: input.language}}}}\noutput: {text: say}\n", encoding="utf-8")
    file = tmp_path / "team.yaml"
    file.write_text(text, encoding="utf-8")
    assert [str(one) for one in check(file)] == []
    VALIDATOR.validate(parse_document(text).value)
    (test,) = parse_document(text).value["tests"]
    result = run(file, test["input"], test["answers"])
    assert result.status == "completed", result.error
    assert result.output == {"notice": "We open on Monday.", "signed": "yes", "notes": (),
                             "translations": ["German: We open on Monday."]}


def test_every_key_is_in_the_documentation() -> None:
    page = (ROOT / "docs" / "teams.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", page, re.MULTILINE)
    told = [key for cell in cells for key in re.findall(r"\w+", cell)]
    for shape in (TEAM, AGENT, STEP, LIMITS, TEST):
        assert set(shape.keys) <= set(told), shape.what
    assert set(told) == {key for shape in (TEAM, AGENT, STEP, LIMITS, TEST) for key in shape.keys}


# What is wrong with it.

STEPS = """\
agents: {qa: qa}
input: {texts: {list: text}, amount: number}
workflow:
  steps:
    a: {call: same, input: {value: input.amount}, then: [b, c]}
    b: {agent: qa, input: {request: 'input.texts[0]'}, retry: 2}
    c: {ask: Yes?, choices: [yes, no], then: d}
    d: {call: same, after: [b, c], merge: list, into: talk, routes: [{to: a, when: len(d) > 1, at_most: 1}, e]}
    e: {call: record, input: {x: d}}
output: {x: e.x}
"""

WRONG = [
    ("ask: Yes?", "ask: 5", "9:14: workflow.steps.c.ask: expected a question, found a number 5; quote it"),
    ("ask: Yes?, ", "", "9:5: workflow.steps.c: the step has no agent"),
    ("ask: Yes?, ", "ask_from: a, ask: b, ",
     "9:22: workflow.steps.c.ask: 'ask_from' and 'ask' in one step; a step is done by one agent, function, team or "
     "person, or it waits; remove one of them"),
    ("ask: Yes?", "sleep: soon", "9:16: workflow.steps.c.sleep: unknown name 'soon' in 'soon'"),
    ("ask: Yes?", "sleep: -1", "9:16: workflow.steps.c.sleep: expected a number, at least 0, found -1"),
    ("ask: Yes?", "sleep: 1", "9:19: workflow.steps.c.choices: 'choices' without 'ask'; it says what a person may "
                              "answer; add ask: QUESTION, or remove it"),
    ("[yes, no]", "[yes]", "9:29: workflow.steps.c.choices: expected at least 2 choices, found 1"),
    ("[yes, no]", "[yes, no, yes]", "9:39: workflow.steps.c.choices[2]: the choice 'yes' stands here twice"),
    ("[yes, no]", "[yes, [no]]", "9:35: workflow.steps.c.choices[1]: expected a text, a number or a boolean, "
                                 "found a list"),
    ("[yes, no]", "[yes, no], gives: {x: text}",
     "9:20: workflow.steps.c.choices: 'choices' and 'gives' in one step; an answer is one of the choices, or has "
     "fields; remove one of them"),
    ("choices: [yes, no]", "gives: {x: txt}",
     "9:31: workflow.steps.c.gives.x: unknown type 'txt'; did you mean 'text'"),
    ("choices: [yes, no]", "retry: 2", "9:20: workflow.steps.c.retry: 'retry' and 'ask' in one step; nothing is tried"),
    ("choices: [yes, no]", "seconds: 2", "9:20: workflow.steps.c.seconds: 'seconds' and 'ask' in one step"),
    ("choices: [yes, no]", "input: {x: a}", "9:20: workflow.steps.c.input: 'input' and 'ask' in one step"),
    ("retry: 2", "retry: 0", "8:63: workflow.steps.b.retry: expected a whole number, at least 1, found 0"),
    ("retry: 2", "retry: {attempts: 2, wayt: 1}",
     "8:77: workflow.steps.b.retry.wayt: unknown key 'wayt'; a retry has no such key; did you mean 'wait'?"),
    ("retry: 2", "retry: often",
     "8:63: workflow.steps.b.retry: expected a number of attempts or a mapping, found a text"),
    ("retry: 2", "seconds: 0", "8:65: workflow.steps.b.seconds: expected a number, above 0, found 0"),
    ("retry: 2", "seconds: .inf", "8:65: workflow.steps.b.seconds: expected a number, above 0, found inf"),
    ("retry: 2", "at_once: .inf", "8:65: workflow.steps.b.at_once: expected a whole number"),
    ("retry: 2", "on_error: f", "8:66: workflow.steps.b.on_error: unknown step 'f'; there is: $end, a, b, c, d, e"),
    ("retry: 2", "on_error: b", "8:66: workflow.steps.b.on_error: step b leads to itself by on_error"),
    ("retry: 2", "failure: all_or_nothing", "8:65: workflow.steps.b.failure: 'all_or_nothing' without 'each'"),
    ("[b, c]}", "[b, f]}", "7:61: workflow.steps.a.then[1]: unknown step 'f'"),
    ("[b, c]}", "[b, b, c]}", "7:61: workflow.steps.a.then[1]: the step 'b' stands here twice"),
    ("[b, c]}", "[b, c, $end]}", "7:64: workflow.steps.a.then[2]: $end among several steps; beside others"),
    ("[b, c]}", "[]}", "7:57: workflow.steps.a.then: expected a list of steps of at least 1, found 0"),
    ("[b, c]}", "[b, 5]}", "7:61: workflow.steps.a.then[1]: expected a step's name, found a number 5; quote it"),
    ("[b, c], merge", "[b, f], merge", "10:32: workflow.steps.d.after[1]: unknown step 'f'"),
    ("[b, c], merge", "[b, b], merge", "10:32: workflow.steps.d.after[1]: the step 'b' stands here twice"),
    ("[b, c], merge", "[b, c, e], merge", "11:8: workflow.steps.e: no end can be reached from step e"),
    ("choices: [yes, no], then: d", "then: $end",
     "10:32: workflow.steps.d.after[1]: step c does not lead to d; its then says where it leads; add d there"),
    ("merge: list", "merge: lst", "10:43: workflow.steps.d.merge: 'lst' is not a merge rule; did you mean 'list'?"),
    ("[b, c], merge", "b, merge", "10:31: workflow.steps.d.merge: 'merge' without several steps in 'after'"),
    ("merge: list", "merge: sum", "10:43: workflow.steps.d.merge: "),
    ("into: talk", "into: c", "10:55: workflow.steps.d.into: the list 'c' has the name of something else"),
    ("into: talk", "into: my-talk", "10:55: workflow.steps.d.into: 'my-talk' is not a list's name"),
    ("into: talk", "into: error, on_error: e",
     "10:55: workflow.steps.d.into: 'error' is what went wrong where a step has 'on_error'"),
    (", e]}", ", f]}", "10:109: workflow.steps.d.routes[1]: unknown step 'f'"),
    (", e]}", ", {to: [e, f]}]}", "10:118: workflow.steps.d.routes[1].to[1]: unknown step 'f'"),
    (", at_most: 1", "", "7:57: workflow.steps.a.then: the loop a → b → d → a has no limit"),
    ("when: len(d) > 1", "when: b.x == 1", "10:84: workflow.steps.d.routes[0].when: b has no 'x'"),
    (", e]}", ", $end]}", "11:8: workflow.steps.e: step e cannot be reached; lead to it, or take it away"),
    ("{call: record", "{call: recrod",
     "11:15: workflow.steps.e.call: 'recrod' is not a registered function; did you mean 'record'"),
    ("e.x}", "error.x}", "12:13: output.x: unknown name 'error' in 'error.x'"),
    ("qa: qa", "qa: {call: qa}", "3:21: agents.qa.call: 'qa' is not a registered function"),
    ("qa: qa", "qa: {call: draft, role: qa}", "3:28: agents.qa.role: 'call' and 'role' in one agent"),
    ("qa: qa", "qa: {call: draft, passages: 3}", "3:28: agents.qa.passages: 'passages' and 'call' in one agent"),
    ("qa: qa", "qa: {does: reads}", "3:10: agents.qa: the agent has no role; an agent is played by a role or by a"),
    ("agents: {qa: qa}", "agents: {}", "3:9: agents: no agent is named; at least 1 is needed"),
    ("agents: {qa: qa}\n", "limits: {agents: {qaa: {tokens: 5}}}\n",
     "3:19: limits.agents.qaa: unknown agent 'qaa'; name an agent of the team"),
    ("agents: {qa: qa}\n", "", "7:16: workflow.steps.b.agent: unknown agent 'qa'; the team has no agents"),
    ("agents: {qa: qa}\n", "agents: {qa: qa}\nlimits: {tokens: 0, depth: 1.5}\n",
     "4:18: limits.tokens: expected a whole number, at least 1, found 0"),
    ("output:", "tests: [What?]\noutput:", "12:9: tests[0]: a text for an input of 2 fields; a text is a request"),
    ("output:", "tests: [{input: {amount: 1}, answers: {b: yes}}]\noutput:",
     "12:40: tests[0].answers.b: no step 'b' asks; there is: c"),
    ("output:", "tests: [{answers: {c: yes}}]\noutput:", "12:9: tests[0]: the key 'input' is missing; a test needs it"),
    ("input: {request: 'input.texts[0]'}", "input: {request: input.amount}",
     "8:37: workflow.steps.b.input.request: agent qa takes str as 'request', and input.amount is "),
    ("input: {value: input.amount}", "input: {vlaue: input.amount}",
     "7:36: workflow.steps.a.input.vlaue: function same takes no 'vlaue'; did you mean 'value'?"),
]


@pytest.mark.parametrize(("old", "new", "expected"), WRONG, ids=[new[:40] or old for old, new, _ in WRONG])
def test_mistakes_in_a_workflow(old: str, new: str, expected: str) -> None:
    assert old in STEPS
    assert mistakes(STEPS) == []
    found = mistakes(STEPS.replace(old, new, 1))
    assert any(one.startswith(expected) for one in found), found


def test_a_wrong_thing_is_reported_wherever_it_stands() -> None:
    text = STEPS.replace("    c: {ask: Yes?, choices: [yes, no], then: d}\n", "").replace("{x: e.x}", "{x: c, y: c.z}")
    assert [line.split(";")[0] for line in mistakes(text)] == [
        "7:61: workflow.steps.a.then[1]: unknown step 'c'",
        "9:32: workflow.steps.d.after[1]: unknown step 'c'",
        "11:13: output.x: unknown name 'c' in 'c'",
        "11:19: output.y: unknown name 'c' in 'c.z'",
    ]


def test_mistakes_of_every_kind_are_reported_at_once() -> None:
    text = (
        STEPS.replace("qa: qa", "qa: qa, coder: codr")                              # a role that there is not
        .replace("'input.texts[0]'", "input.amount")                                # a type that does not fit
        .replace("choices: [yes, no]", "choises: [yes, no]")                        # a key that there is not
        .replace("e: {call: record, input: {x: d}}", "e: {call: fill, input: {x: talk}}")   # what is not given
        .replace("amount: number}", "amount: nmber}")                               # a type that there is not
    )
    assert [re.sub(r"[;,] .*", "", line) for line in mistakes(text)] == [
        "3:25: agents.coder: unknown role 'codr'",
        "4:38: input.amount: unknown type 'nmber'",
        "9:20: workflow.steps.c.choises: unknown key 'choises'",
        "11:28: workflow.steps.e.input: function fill needs 'template'",
        "12:13: output.x: e has no 'x': it is a text",
    ]
    text = text.replace("nmber", "number")
    assert "8:37: workflow.steps.b.input.request: agent qa takes str as 'request'" in [
        re.sub(r"[;,] .*", "", line) for line in mistakes(text)]


@pytest.mark.parametrize(("old", "new"), [
    ("then: [b, c]", "then: [b, cc]"), ("after: [b, c]", "after: [b, cc]"), ("    c: {", "    cc: {"),
    ("then: d}", "than: d}"), ("{to: a, when", "{too: a, when"), ("ask: Yes?", "ask: [Yes?]"),
    ("{ask: Yes?", "{akk: Yes?"),
    ("output:", "outputs:"), ("    b: {agent: qa", "    b: {agent: qaa"), ("steps:\n", "start: f\n  steps:\n"),
    ("when: len(d) > 1", "when: len(d) >"), ("at_most: 1", "at_most: 0"), ("call: record", "call: recard"),
    ("merge: list", "merge: lists"), ("into: talk", "into: d"), ("agents: {qa: qa}", "agents: [qa]"),
    ("input: {texts: {list: text}, amount: number}", "input: {texts: {list: txt}, amount: number}"),
    ("    d: {call", "    d:\n    d2: {call"), ("then: d}", "then: d, on_error: errr}"),
])
def test_a_mistake_brings_no_others(old: str, new: str) -> None:
    """What follows from a mistake is not reported beside it."""
    found = mistakes(STEPS.replace(old, new, 1))
    others = re.compile("be reached|cannot have run|no end can|the loop|takes|it is|gives .* and step|reached by")
    assert found and [line for line in found if others.search(line)] == []


def test_a_way_that_is_misnamed_may_have_been_meant() -> None:
    """That ``b`` comes after ``a`` is what the mistake hides, so that ``c`` may well read ``a``."""
    steps = "a: {sleep: 1}, b: {after: aa, sleep: 1}, c: {after: b, call: same, input: {value: a}}"
    assert [line.split(";")[0] for line in mistakes(f"workflow: {{steps: {{{steps}}}}}\n")] == [
        "3:46: workflow.steps.b.after: unknown step 'aa'"]


def test_roads_are_checked_where_all_ways_are_known() -> None:
    text = STEPS.replace("when: len(d) > 1", "when: len(d) >").replace("output:", "    lost: {sleep: 1}\noutput:")
    assert [re.sub(r"[;'].*", "", line) for line in mistakes(text)] == [
        "10:84: workflow.steps.d.routes[0].when: cannot read the expression ",
        "12:11: workflow.steps.lost: step lost cannot be reached",
    ]


@pytest.mark.parametrize(("graph", "written"), [
    ("start", "workflow.start"), ("output.x", "output.x"), ("limits.agents.my-qa", "limits.agents.my-qa"),
    ("steps.a", "workflow.steps.a"), ("steps.a.routes", "workflow.steps.a.then"),
    ("steps.a.routes[0].to", "workflow.steps.a.then"), ("steps.b.routes[0]", "workflow.steps.b"),
    ("steps.d.routes[0].at_most", "workflow.steps.d.routes[0].at_most"),
    ("steps.d.routes[1].to", "workflow.steps.d.routes[1]"), ("steps.d.join", "workflow.steps.d.after"),
    ("steps.d.merge", "workflow.steps.d.merge"), ("steps.c.ask", "workflow.steps.c.ask"),
    ("steps.s.ask", "workflow.steps.s.ask_from"), ("steps.t.workflow", "workflow.steps.t.team"),
    ("steps.b.input.request", "workflow.steps.b.input.request"), ("steps.none.join", "workflow.steps.none.join"),
])
def test_where_a_problem_of_the_graph_stands_in_the_file(graph: str, written: str) -> None:
    more = "    s: {ask_from: a}\n    t: {team: x.yaml}\noutput:"
    value = parse_document(HEAD + STEPS.replace("output:", more)).value
    assert key_path(written_path(graph_path(graph), value)) == written
    del value["workflow"]
    assert key_path(written_path(graph_path(graph), value)) == (graph if graph[0] in "ol" else "agents")


SHAPES = re.compile(
    "expected|unknown key|unknown type|in one step; a step|the step has no agent|is missing|is not a merge|"
    "in one agent; an|has no role|is not a list's name|stands here twice$"
)


def test_the_schema_refuses_what_the_check_refuses_of_shapes() -> None:
    told = 0
    assert VALIDATOR.is_valid(parse_document(HEAD + STEPS).value)
    for old, new, expected in WRONG:
        shape = SHAPES.search(expected)
        if shape and ".inf" not in new:
            value = parse_document(HEAD + STEPS.replace(old, new, 1)).value
            assert not VALIDATOR.is_valid(value), expected
            told += 1
    assert told > 20


ODD: list[Any] = [
    None, True, 0, -1, 1.5, float("inf"), "", "a", "$end", "input", "a.b", "len(", "x" * 3000, [], ["a"], [["a"]],
    [None], {}, {"value": 1}, {"a": 1}, {"to": 5}, {"a": {"b": "c"}},
]  # fmt: skip
KEYS = [*STEP.keys, *TEAM.keys, "to", "when", "at_most", "value", "steps", "start", "x"]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(part, (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def changed(value: Any, chance: random.Random) -> Any:
    """The value with one to three parts replaced, removed, added or put in other places."""
    value = copy.deepcopy(value)
    for _ in range(chance.randint(1, 3)):
        *way, key = chance.choice([path for path in paths(value) if path])
        holder, kind = at(value, tuple(way)), chance.randrange(4)
        if kind == 0:
            del holder[key]
        elif kind == 1 and isinstance(holder, dict):
            holder[chance.choice(KEYS)] = copy.deepcopy(chance.choice(ODD))
        else:
            other = at(value, chance.choice(list(paths(value)))) if kind == 2 else chance.choice(ODD)
            holder[key] = copy.deepcopy(other)
    return value


@pytest.mark.parametrize("seed", range(8))
def test_changed_documents_have_mistakes_or_are_right(seed: int) -> None:
    """Nothing is raised, and what the check takes the schema takes."""
    chance = random.Random(seed)
    for _ in range(12):
        value = changed(parse_document(HEAD + chance.choice([EVERY, STEPS])).value, chance)
        text = json.dumps(value).replace("Infinity", ".inf")
        found = check_text(text)
        assert all(one.line == 1 and one.column >= 1 and one.what for one in found)
        assert found or VALIDATOR.is_valid(parse_document(text).value), text


# Teams as steps.

def test_mistakes_of_a_team_are_reported_in_its_own_file(write: Callable[..., Path], tmp_path: Path) -> None:
    write("input: {text: text}\nworkflow: {steps: {s: {call: sam, input: {value: input.txt}}}}\n", "inner/team.yaml")
    file = write("""\
        workflow:
          steps:
            a: {team: inner/team.yaml, input: {txt: input.request}, then: b}
            b: {team: inner/team.yaml, input: {text: input.reqest}}
        """)
    assert [re.sub(r"[;,] .*", "", str(one)).replace(f"{tmp_path}/", "") for one in check(file)] == [
        "team.yaml:6:46: workflow.steps.b.input.text: input has no 'reqest'",
        "inner/team.yaml:4:30: workflow.steps.s.call: 'sam' is not a registered function",
        "inner/team.yaml:4:50: workflow.steps.s.input.value: input has no 'txt'",
    ]


def test_types_are_checked_into_and_out_of_a_team(write: Callable[..., Path]) -> None:
    write("input: {count: integer}\nworkflow: {steps: {s: {call: double, input: {value: input.count}}}}\n"
          "output: {twice: s}\n", "inner.yaml")
    file = write("""\
        workflow:
          steps:
            a: {team: inner.yaml, input: {cuont: input.request}, then: b}
            b: {team: inner.yaml, input: {count: {value: [1]}}, then: c}
            c: {call: same, input: {value: b.twise}}
        """)
    found = [str(one).partition("workflow.steps.")[2] for one in check(file)]
    assert [re.sub(r"[;,] .*", "", one) for one in found] == [
        "a.input: workflow desk needs 'count'",
        "a.input.cuont: workflow desk takes no 'cuont'",
        "b.input.count: workflow desk takes int as 'count'",
        "c.input.value: b has no 'twise': it is {twice: int}",
    ], found


def test_a_team_is_no_part_of_itself(write: Callable[..., Path], tmp_path: Path) -> None:
    one = write("workflow: {steps: {s: {team: two.yaml}}}\n", "one.yaml")
    write("workflow: {steps: {s: {team: one.yaml}}}\n", "two.yaml")
    (found,) = check(one)
    assert str(found) == (
        f"{tmp_path / 'two.yaml'}:3:30: workflow.steps.s.team: the team is a part of itself: "
        "one.yaml → two.yaml → one.yaml; its runs would never end; let a third team have what both need"
    )
    with pytest.raises(InvalidFile, match="a part of itself"):
        Team.load(one)


@pytest.mark.parametrize(("path", "expected"), [
    ("innner.yaml", "the team file 'innner.yaml' does not exist; did you mean 'inner.yaml'?"),
    ("../inner.yaml", "the path '../inner.yaml' leads out of the folder"),
    ("role.yaml", "'role.yaml' is the file of a role, not of a team"),
])
def test_a_team_that_is_not_there(write: Callable[..., Path], tmp_path: Path, path: str, expected: str) -> None:
    write("agents: {a: qa}\n", "inner.yaml")
    (tmp_path / "role.yaml").write_text((ROOT / "examples" / "triage" / "role.yaml").read_text())
    file = write(f"workflow: {{steps: {{s: {{team: {path}, input: {{request: input.request}}}}}}}}\n")
    (found,) = check(file)
    assert (found.line, found.column) == (3, 30) and expected in str(found)


def test_many_teams_within_teams_are_checked_in_time(write: Callable[..., Path]) -> None:
    """Each names the next one twice, so that there are 2^12 ways down."""
    for number in range(12):
        step = f"{{team: t{number + 1}.yaml, input: {{request: input.request}}}}"
        write(f"workflow: {{steps: {{a: {step}, b: {step}}}}}\n".replace("}, b:", ", then: b}, b:"), f"t{number}.yaml")
    write("workflow: {steps: {s: {call: same, input: {value: input.request}}}}\n", "t12.yaml")
    assert check(write("agents: {q: qa}\n").with_name("t0.yaml")) == []
