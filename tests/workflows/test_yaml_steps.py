"""What a team file says of steps: every key, its short and long forms, and what comes of it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.yaml_teams import EVERY, HEAD, ROOT, VALIDATOR, Draft
from understudy.agents.messages import Finding, Task
from understudy.agents.retry import Retry
from understudy.workflows import calls
from understudy.workflows.expressions import Expression
from understudy.workflows.formats import AGENT, TEAM, TEST
from understudy.workflows.graph import END, Graph, Route
from understudy.workflows.limits import Budget, Limits
from understudy.workflows.resources import Resources
from understudy.workflows.schema import check, check_text
from understudy.workflows.step_shapes import LIMITS, STEP
from understudy.workflows.team import Team
from understudy.workflows.team_graph import graph_of
from understudy.workflows.yaml_document import parse_document

pytestmark = pytest.mark.usefixtures("yaml_functions")


# What is written, and the step that it is.


def graph(text: str) -> Graph:
    document = parse_document(HEAD + textwrap.dedent(text))
    assert not document.problems
    VALIDATOR.validate(document.value)
    return graph_of(document.value)


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
    assert {key for step in written.values() for key in step} == set(STEP.keys) - {"team", "pattern"}


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
