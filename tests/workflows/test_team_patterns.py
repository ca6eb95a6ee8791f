"""Patterns in a team file: the group that the same words make in Python, as a workflow and as a step."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from understudy import Finding, Task, Team, Workflow
from understudy.workflows import calls, patterns
from understudy.workflows.formats import json_schema
from understudy.workflows.graph import Graph
from understudy.workflows.pattern_graph import PatternGraph
from understudy.workflows.schema import check_text
from understudy.workflows.yaml_document import parse_document

HEAD = "schema: understudy/team/v1\nteam: desk\n"
VALIDATOR = jsonschema.Draft202012Validator(json_schema("team"))


def one(request: str, answers: Sequence[str] = ()) -> str:
    """Says the request."""
    return f"one {request} {len(answers)}"


def two(request: str, answers: Sequence[str] = ()) -> str:
    return f"two {request} {len(answers)}"


def three(request: str) -> str:
    return f"two {request} 0"


def left(request: str) -> str:
    return f"left {request}"


def right(request: str, talk: Sequence[Any] = ()) -> str:
    return f"right {request} {len(talk)}"


def longest(answers: Sequence[str]) -> str:
    return max(answers, key=len)


def closing(talk: Sequence[Sequence[str]]) -> str:
    return talk[-1][-1]


def choose(talk: Sequence[Any], cast: Sequence[Any]) -> str:
    return str(cast[len(talk) % 2].name)


def plan(request: str, talk: Sequence[Any]) -> dict[str, Any]:
    return {"steps": [{"agent": "left", "request": f"{request} {len(talk)}"}]}


def review(answers: Sequence[str]) -> dict[str, Any]:
    return {"good": answers[0].startswith("left tea 1"), "approved": False}


def fewest(votes: Any) -> Any:
    return min(votes.values(), key=list(votes.values()).count)


FUNCTIONS = (one, two, three, left, right, closing, longest, choose, plan, review, fewest)


@pytest.fixture(autouse=True)
def functions(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(calls, "_registered", {function.__name__: function for function in FUNCTIONS})
    yield


@pytest.fixture
def team(tmp_path: Path) -> Callable[..., Team]:
    def made(text: str, name: str = "team.yaml") -> Team:
        (tmp_path / name).write_text(HEAD + CAST + textwrap.dedent(text), encoding="utf-8")
        return Team.load(tmp_path / name)

    return made


CAST = "agents: {one: {call: one}, two: {call: two}, three: {call: three}, judge: {call: longest}}\n"
CALLS = "[{call: left}, {call: right}]"
GROUPS: dict[str, tuple[str, Callable[[], Workflow]]] = {
    "round_robin": (f"{{agents: {CALLS}, rounds: 2, until: len(talk) == 3}}",
                    lambda: patterns.round_robin([left, right], rounds=2, until=_ref("len(talk) == 3"))),
    "selector": (f"{{agents: {CALLS}, choose: {{call: choose}}, turns: 3}}",
                 lambda: patterns.selector([left, right], choose, turns=3)),
    "handoff": (f"{{agents: {CALLS}, start: right, at_most: 2, field: next}}",
                lambda: patterns.handoff([left, right], start="right", at_most=2, field="next")),
    "debate": (f"{{agents: {CALLS}, judge: {{call: closing}}, rounds: 2}}",
               lambda: patterns.debate([left, right], closing, 2)),
    "vote": (f"{{agents: {CALLS}, rule: concat, failure: collect}}",
             lambda: patterns.vote([left, right], "concat", failure="collect")),
    "planner_worker_reviewer": (
        "{planner: {call: plan}, workers: [{call: left}], reviewer: {call: review}, at_most: 2, until: review.good}",
        lambda: patterns.planner_worker_reviewer(plan, [left], review, 2, until=_ref("review.good"))),
}  # fmt: skip


def _ref(text: str) -> Any:
    from understudy.workflows.expressions import Expression

    return Expression.parse(text)


def same(graph: Graph) -> dict[str, Any]:
    return {key: value for key, value in graph.document.items() if key != "name"}


@pytest.mark.parametrize("kind", GROUPS)
def test_a_workflow_is_the_group_that_python_makes(kind: str, team: Callable[..., Team]) -> None:
    written, made = GROUPS[kind]
    assert same(team(f"workflow: {{pattern: {{{kind}: {written}}}}}\n").graph) == same(made().graph())


@pytest.mark.parametrize("kind", GROUPS)
def test_a_step_is_a_run_of_the_group(kind: str, team: Callable[..., Team]) -> None:
    written, _ = GROUPS[kind]
    made = team(f"workflow: {{steps: {{group: {{pattern: {{{kind}: {written}}}}}}}}}\noutput: {{all: group}}\n")
    result = made.run_sync("tea")
    assert result.status == "completed", result.error
    assert [step.name for step in result.steps] == ["group"]
    assert result.output["all"] == GIVEN[kind]


GIVEN = {
    "round_robin": {"last": "left tea", "talk": ("left tea", "right tea 1", "left tea")},
    "selector": {"last": "left tea", "talk": ("left tea", "right tea 1", "left tea")},
    "handoff": {"last": "right tea 0", "talk": ("right tea 0",)},
    "debate": {"verdict": "right tea 1", "talk": (["left tea", "right tea 0"], ["left tea", "right tea 1"])},
    "vote": {"vote": "left tearight tea 0", "votes": {"left": "left tea", "right": "right tea 0"}},
    "planner_worker_reviewer": {
        "work": [Finding(answer="left tea 1", values=("left tea 1",))],
        "review": {"good": True, "approved": False},
    },
}  # fmt: skip


def test_the_six_are_those_of_python() -> None:
    from understudy.workflows.pattern_shapes import PATTERN

    assert sorted(PATTERN.keys) == sorted(GROUPS) == sorted(patterns.__all__)


def test_agents_of_the_team_take_part_under_their_names(team: Callable[..., Team]) -> None:
    made = team("workflow: {pattern: {debate: {agents: [one, two], judge: judge, rounds: 2}}}\n")
    result = made.run_sync("tea")
    assert result.status == "completed", result.error
    assert {step.agent for step in result.steps if step.agent} == {"one", "two", "judge"}
    assert result.output["verdict"].answer == "one tea 0"
    assert [len(said) for said in result.output["talk"]] == [2, 2]


def test_an_agent_of_a_step_is_that_of_the_team(team: Callable[..., Team]) -> None:
    made = team("workflow: {steps: {ask: {pattern: {vote: {agents: [one, two, three]}}}}}\n"
                "output: {vote: ask.vote}\n")  # fmt: skip

    class Stand:
        name, takes = "one", Task

        async def handle(self, message: Task) -> Finding:
            return Finding(answer="two tea 0")

    assert made.run_sync("tea", agents={"one": Stand()}).output == {"vote": "two tea 0"}


def test_what_a_pattern_gives_has_its_name_in_the_output(team: Callable[..., Team]) -> None:
    made = team("""\
        workflow: {pattern: {round_robin: {agents: [one, two], rounds: 1}}}
        output: {text: last.answer, first: 'talk[0].answer', many: len(talk)}
        """)
    assert made.run_sync("tea").output == {"text": "two tea 1", "first": "one tea 0", "many": 2}


def test_without_an_output_a_team_gives_what_the_pattern_gives(team: Callable[..., Team]) -> None:
    made = team("workflow: {pattern: {round_robin: {agents: [one, two], rounds: 1}}}\n")
    assert list(made.run_sync("tea").output) == ["last", "talk"]


def test_a_step_gives_all_that_its_pattern_gives_to_later_steps(team: Callable[..., Team]) -> None:
    made = team("""\
        workflow:
          steps:
            talk: {pattern: {round_robin: {agents: [one, two], rounds: 1, takes: {request: text, tone: text}}},
                   input: {request: input.request, tone: {value: kind}}, then: sum}
            sum: {call: same, input: {value: talk.last.answer}}
        """)
    assert made.run_sync("tea").value == "two tea 1"


def test_a_pattern_is_done_for_each_item(team: Callable[..., Team]) -> None:
    made = team("""\
        input: {of: {list: text}}
        workflow: {steps: {all: {each: input.of, pattern: {vote: {agents: [two, three]}}, input: {request: item}}}}
        output: {votes: all.vote}
        """)
    assert made.run_sync({"of": ["tea", "milk"]}).output == {"votes": ["two tea 0", "two milk 0"]}


def test_a_function_may_be_the_rule(team: Callable[..., Team]) -> None:
    made = team("workflow: {pattern: {vote: {agents: [one, two, three], by: answer, rule: {call: fewest}}}}\n")
    assert made.run_sync("tea").output["vote"] == "one tea 0"


def test_the_limits_of_a_step_end_its_run(team: Callable[..., Team]) -> None:
    made = team("workflow: {steps: {ask: {pattern: {vote: {agents: [one, two], limits: {messages: 2}}}}}}\n")
    result = made.run_sync("tea")
    assert result.status == "failed" and "messages" in (result.error or "")


@pytest.mark.parametrize("text", [
    "workflow: # the group\n  pattern: {vote: {agents: [one, two], rule: majority, by: answer}} # here\n",
    "workflow:\n  steps: # one\n    ask: {pattern: {vote: {agents: [one, two]}}}\noutput: {vote: ask.vote}\n",
])
def test_a_team_is_saved_with_its_patterns(text: str, team: Callable[..., Team], tmp_path: Path) -> None:
    made = team(text)
    made.save(tmp_path / "team.yaml")
    assert (tmp_path / "team.yaml").read_text(encoding="utf-8") == HEAD + CAST + text
    other = made.save(tmp_path / "other" / "team.yaml") if (tmp_path / "other").mkdir() is None else None
    assert other is not None
    again = Team.load(other)
    assert same(again.graph) == same(made.graph)
    assert isinstance(again.graph, PatternGraph) is isinstance(made.graph, PatternGraph)


def test_a_pattern_gives_way_to_a_workflow(team: Callable[..., Team], tmp_path: Path) -> None:
    made = team("workflow: {pattern: {vote: {agents: [one, two]}}}\noutput: {vote: vote}\n")
    flow = Workflow("desk")
    flow.step("one")
    made.workflow = flow
    made.save(tmp_path / "team.yaml")
    assert list(Team.load(tmp_path / "team.yaml").graph.steps) == ["one"]


def test_the_steps_of_a_pattern_may_be_expected_by_a_test() -> None:
    text = HEAD + CAST + "workflow: {pattern: {vote: {agents: [one, two]}}}\n"
    text += "tests: [{input: tea, expect: {path: PATH}}]\n"
    assert check_text(text.replace("PATH", "{contains: votes}")) == []
    (problem,) = check_text(text.replace("PATH", "{contains: vots}"))
    assert problem.what == "unknown step 'vots'"


WRONG = {
    "vote: {agents: [one, tow]}": "vote.agents[1]: unknown agent 'tow'; did you mean 'two'?",
    "vote: {agents: [one, {call: tow}]}": "vote.agents[1].call: 'tow' is not a registered function; "
        "did you mean 'two'? or register it: understudy.register, or --functions FILE.py",
    "vote: {agents: [one, two], rule: majorty}": "vote.rule: 'majorty' is not a rule; did you mean 'majority'?",
    "vote: {agents: [one, two], by: majority}": "vote.by: 'majority' is a rule, and 'by' names a field of the answers; "
        "write rule: majority",
    "vot: {agents: [one, two]}": "vot: unknown key 'vot'; a pattern has no such key; did you mean 'vote'?",
    "vote: {agents: [one, {role: qa}]}": "vote.agents[1]: expected an agent's name or {call: FUNCTION}, found a "
        "mapping; describe it under the team's agents, and write its name here",
    "vote: {agents: [one, two], by: anser}": "vote: one gives Finding, which has no 'anser' to be counted; "
        "did you mean 'answer'?",
    "vote: {agents: [one, two], rule: sum}": "vote: 'sum' takes numbers, and one gives Finding; "
        "choose another rule, or count by a field",
    "planner_worker_reviewer: {planner: one, workers: [two], reviewer: judge, at_most: 1}": "planner_worker_reviewer: "
        "the planner gives Finding, which has no 'steps'; a planner gives a Plan, or a message with such steps",
    "vote: {agents: [one, one]}": "vote.agents[1]: the agent 'one' stands here twice; name it once",
    "vote: {agents: [one]}": "vote: it needs 2 members and has 1; give it more agents",
    "debate: {agents: [one, two], juge: judge, rounds: 1}": "debate: the key 'judge' is missing; a debate needs it: "
        "who has the last word|debate.juge: unknown key 'juge'; a debate has no such key; did you mean 'judge'?",
    "debate: {agents: [one, two], judge: jugde, rounds: 0}": "debate.judge: unknown agent 'jugde'; "
        "did you mean 'judge'?|debate.rounds: expected a whole number, at least 1, found 0",
    "handoff: {agents: [one, two], start: tow}": "handoff.start: 'tow' is not of the cast: one, two; "
        "did you mean 'two'?",
    "round_robin: {agents: [one, two], rounds: 1, until: len(tlk) > 2}": "round_robin.until: unknown name 'tlk' in "
        "'len(tlk) > 2'; did you mean 'talk'?",
    "vote: {agents: [one, two], limits: {messages: 3}}": "vote.limits: 'limits' in a pattern that is the whole "
        "workflow; the team's 'limits' says it; write it under the team's limits",
}  # fmt: skip


@pytest.mark.parametrize("pattern", WRONG)
def test_what_is_wrong_is_told_with_its_place(pattern: str) -> None:
    found = check_text(HEAD + CAST + f"workflow: {{pattern: {{{pattern}}}}}\noutput: {{x: input.request}}\n", "t")
    told = [str(problem).split(": ", 1)[1].removeprefix("workflow.pattern.") for problem in found]
    assert told == WRONG[pattern].split("|")
    assert all(problem.line == 4 and problem.column > 20 for problem in found)


@pytest.mark.parametrize(("vote", "asked", "told"), [
    ("agents: [one, two]", "vote", None),
    ("agents: [one, two]", "vote.answer", "output.x: vote has no 'answer': it is a text"),
    ("agents: [{call: left}, {call: right}]", "vote.answer", "output.x: vote has no 'answer': it is a text"),
    ("agents: [one, two], rule: best", "vote.answer", None),
    ("agents: [one, two], rule: best", "vote.anser", "output.x: vote has no 'anser': it is Finding; did you mean "),
    ("agents: [one, two], by: confidence", "vote.answer", "output.x: vote has no 'answer': it is a number"),
    ("agents: [one, two], rule: {call: fewest}", "vote.answer", None),
])
def test_what_a_vote_gives_is_known_before_the_run(vote: str, asked: str, told: str | None) -> None:
    found = check_text(f"{HEAD}{CAST}workflow: {{pattern: {{vote: {{{vote}}}}}}}\noutput: {{x: {asked}}}\n", "t")
    assert [str(one).split(": ", 1)[1].startswith(told) for one in found] == [True] if told else not found, found


def test_the_names_of_a_pattern_are_told_once() -> None:
    vote = "{vote: {agents: [one, two]}}"
    (found,) = check_text(f"{HEAD}{CAST}workflow: {{pattern: {vote}}}\noutput: {{x: verdict.answer}}\n", "t")
    assert "there is: input, one, question, team, two, vote, votes" in found.suggestion


def test_what_belongs_into_the_workflow_is_sent_there() -> None:
    for words in ("pattern: {vote: {agents: [one, two]}}", "steps: {a: {agent: one}}"):
        found = check_text(f"{HEAD}{CAST}{words}\n", "t")
        assert any(one.suggestion == "write it under workflow" for one in found), found
    found = check_text(f"{HEAD}{CAST}workflow: {{steps: {{a: {{agent: one}}}}}}\nseconds: 3\noutputs: {{x: a}}\n", "t")
    assert [one.suggestion for one in found] == ["write it under limits", "did you mean 'output'?"]


def test_what_an_agent_needs_must_be_in_the_request() -> None:
    text = HEAD + CAST + "input: {city: text}\nworkflow: {pattern: {vote: {agents: [one, three]}}}\n"
    (problem,) = check_text(text)
    assert problem.path == "workflow.pattern.vote"
    assert problem.what == "one takes a call.one.takes, and nobody gives its 'request'"
    assert problem.suggestion == "there is: city"


@pytest.mark.parametrize(("workflow", "what"), [
    ("{}", "the workflow has no steps"),
    ("{pattern: {}}", "no pattern is named"),
    ("{pattern: {vote: {agents: [one, two]}, debate: {agents: [one, two], judge: judge, rounds: 1}}}",
     "'vote' and 'debate' in one pattern"),
    ("{pattern: {vote: {agents: [one, two]}}, steps: {a: {agent: one}}}", "'pattern' and 'steps' in one workflow"),
    ("{pattern: {vote: {agents: [one, two]}}, start: one}", "'start' and 'pattern' in one workflow"),
    ("{steps: {a: {agent: one, pattern: {vote: {agents: [one, two]}}}}}", "'agent' and 'pattern' in one step"),
    ("{pattern: vote}", "expected a pattern (a mapping), found a text"),
])  # fmt: skip
def test_a_pattern_stands_alone(workflow: str, what: str) -> None:
    assert what in [problem.what for problem in check_text(HEAD + CAST + f"workflow: {workflow}\n")]


@pytest.mark.parametrize("kind", GROUPS)
def test_the_schema_of_editors_says_the_same(kind: str) -> None:
    written, _ = GROUPS[kind]
    for workflow in (f"{{pattern: {{{kind}: {written}}}}}", f"{{steps: {{one: {{pattern: {{{kind}: {written}}}}}}}}}"):
        assert VALIDATOR.is_valid(parse_document(f"{HEAD}workflow: {workflow}\n").value)
    assert not VALIDATOR.is_valid(parse_document(f"{HEAD}workflow: {{pattern: {{{kind}: {{turn: 1}}}}}}\n").value)


def test_the_files_of_the_documentation_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, checkout: Path) -> None:
    def write(request: str, answers: list[str] = []) -> str:  # noqa: B006
        return f"draft {len(answers)}"

    def criticise(request: str, answers: list[str]) -> str:
        return "good" if len(answers) > 2 else "no"

    def judge(request: str) -> str:
        return "good"

    monkeypatch.setattr(calls, "_registered", {"write": write, "criticise": criticise, "judge": judge, "edit": judge})
    outputs = []
    for block in re.findall(r"```yaml\n(.*?)```", (checkout / "docs" / "patterns.md").read_text("utf-8"), re.DOTALL):
        (tmp_path / "team.yaml").write_text(block, encoding="utf-8")
        outputs.append(Team.load(tmp_path / "team.yaml").run_sync("tea").output)
    assert [output.get("last", output.get("verdict")) for output in outputs] == ["good", "good"]
