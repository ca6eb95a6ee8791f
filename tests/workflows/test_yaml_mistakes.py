"""What is wrong with the steps of a team file, where it stands, and nothing else."""

from __future__ import annotations

import copy
import json
import random
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from tests.workflows.yaml_teams import EVERY, HEAD, VALIDATOR
from understudy.workflows.formats import TEAM
from understudy.workflows.meaning import graph_path, written_path
from understudy.workflows.problems import key_path
from understudy.workflows.schema import check_text
from understudy.workflows.step_shapes import STEP
from understudy.workflows.yaml_document import parse_document

pytestmark = pytest.mark.usefixtures("yaml_functions")


def mistakes(text: str) -> list[str]:
    found = check_text(HEAD + textwrap.dedent(text), "team.yaml")
    return [str(problem).removeprefix("team.yaml:") for problem in found]


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
     "9:22: workflow.steps.c.ask: 'ask_from' and 'ask' in one step; a step is done by one agent, function, team, "
     "group or person, or it waits; remove one of them"),
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
    ("[b, c], merge", "[b, c, e], merge",
     "7:8: workflow.steps.a: no end can be reached from step a, nor from b, c, d, e"),
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


@pytest.mark.parametrize(("old", "new", "expected"), [
    ("{qa: qa}", "!foo {qa: qa}", "3:9: agents: the tag '!foo'"),
    ("{qa: qa}", "{qa: !!python/object:os.x {a: b}}", "3:14: agents.qa: the tag 'tag:yaml.org,2002:python/object:os.x"),
    ("{qa: qa}", "{qa: !!python/name:os.system ''}", "3:14: agents.qa: the tag"),
    ("{value: input.amount}", "{value: !!binary aGVsbG8=}", "7:36: workflow.steps.a.input.value: the tag"),
    ("retry: 2", "retry: !often {twice: 2}", "8:63: workflow.steps.b.retry: the tag '!often'"),
    ("agent: qa", "agent: '${NO_SUCH_VARIABLE}'", "8:16: workflow.steps.b.agent: the environment has no variable"),
    ("agent: qa", "agent: '${5}'", "8:16: workflow.steps.b.agent: cannot read '${5}'"),
])
def test_a_value_that_cannot_be_read_is_one_mistake(old: str, new: str, expected: str) -> None:
    (found,) = mistakes(STEPS.replace(old, new, 1))
    assert found.startswith(expected)


def test_a_mapping_that_is_not_indented_is_told_as_that() -> None:
    found = mistakes("agents:\nqa: qa\n")
    assert found[0].endswith("agents: expected a mapping of agent names, found nothing (null); "
                             "indent what belongs to it, deeper than its key")
    (found, _) = mistakes("agents: {qa: qa}\nworkflow:\n  steps:\n    a:\n    agent: qa\n")
    assert "(null); indent what belongs to it, deeper than its key; keys: agent, " in found


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
