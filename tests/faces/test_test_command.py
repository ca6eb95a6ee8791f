"""``understudy test``: the tests of a team file, without a model: what its steps are is functions and persons."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from understudy.cli import app
from understudy.core.errors import UnderstudyError
from understudy.expectations import check_expected, differences
from understudy.team_tests import Outcome, TeamTest, needs_model, read_tests, run_test
from understudy.workflows import calls
from understudy.workflows.team import Team

runner = CliRunner()

FUNCTIONS = '''\
import understudy

@understudy.register
def shout(text: str) -> str:
    """Loud."""
    if text == "quiet":
        raise ValueError("no shouting here")
    return text.upper()
'''

TEAM = """\
schema: understudy/team/v1
team: shouting
input: {text: text}
workflow:
  steps:
    shout: {call: shout, input: {text: input.text}}
    approve:
      ask: Say it?
      choices: [yes, no]
      after: shout
      routes: [{to: say, when: approve == 'yes'}, {to: approve, when: approve == 'no', at_most: 3}, {to: left}]
    say: {call: same, input: {value: shout}}
    left: {call: same, input: {value: {value: nothing}}}
tests:
  - name: loud
    input: {text: hi}
    answers: {approve: yes}
    expect: {value: {contains: HI}}
  - {input: {text: "Peru?"}, answers: {approve: yes}, expect: {value: {lacks: lima, equals: "PERU?"}}}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(calls, "_registered", {})
    (tmp_path / "functions.py").write_text(FUNCTIONS, encoding="utf-8")
    (tmp_path / "team.yaml").write_text(TEAM, encoding="utf-8")
    return tmp_path / "team.yaml"


Tested = Callable[..., Any]


@pytest.fixture
def tested(file: Path) -> Tested:
    """Runs the command; ``test`` replaces the tests of the file."""

    def run(*options: str, test: str | None = None, team: str = TEAM) -> Any:
        text = team if test is None else team[: team.index("tests:")] + f"tests:\n  - {test}\n"
        file.write_text(text, encoding="utf-8")
        return runner.invoke(app, ["test", "team.yaml", "--functions", "functions.py", *options],
                             env={"COLUMNS": "200"})

    return run


def test_all_pass(tested: Tested) -> None:
    done = tested()
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert [line.rsplit("  ", 1)[0] for line in lines] == ["passed  loud", "passed  Peru?", "2 of 2 tests passed"]


def test_with_json_it_is_one_object(tested: Tested) -> None:
    done = tested("--json")
    told = json.loads(done.stdout)
    assert (told["team"], told["file"], told["passed"], told["failed"]) == ("shouting", "team.yaml", 2, 0)
    first = told["tests"][0]
    assert first.pop("seconds") >= 0
    assert first == {
        "number": 1, "name": "loud", "where": "team.yaml:15", "passed": True, "differences": [], "status": "completed",
        "output": {"value": "HI"}, "error": None, "path": ["shout", "approve", "say"],
    }  # fmt: skip


def test_only_some(tested: Tested) -> None:
    assert [one["number"] for one in json.loads(tested("--json", "-k", "pER").stdout)["tests"]] == [2]
    done = tested("-k", "none of these")
    assert done.exit_code == 2
    assert "no test has 'none of these' in its name or request; there is: loud, Peru?" in done.stderr


FAILURES = {
    "a text": ("{input: {text: hi}, answers: {approve: yes}, expect: {value: ho}}",
               ["value: expected to contain 'ho', got 'HI'"]),
    "several": ("{input: {text: hi}, answers: {approve: yes}, expect: {value: {lacks: [h], any_of: [a, b]}}}",
                ["value: expected not to contain 'h' and to contain one of 'a', 'b', got 'HI'"]),
    "a field that is not there": ("{input: {text: hi}, answers: {approve: yes}, expect: {valu: ho}}",
                                  ["valu: there is no such field, only value"]),
    "a question that nobody answers": ("{input: {text: hi}}", [
        "the run waits for an answer: approve asks 'Say it?'; give it under answers"]),
    "an answer that is none": ("{input: {text: hi}, answers: {approve: [5]}}", [
        "answers.approve: [5] is no answer to: Say it?; choose one of: yes, no"]),
    "a run that fails": ("{input: {text: quiet}, expect: {value: x}}", [
        "the run failed: step shout: ValueError: no shouting here"]),
    "a run that does not fail": ("{input: {text: hi}, answers: {approve: yes}, expect: {status: failed, error: no}}", [
        "the run completed; expected: failed", "error: expected to contain 'no', got ''"]),
    "another way": ("{input: {text: hi}, answers: {approve: yes}, expect: {path: [shout, say]}}", [
        "path: expected shout → say, went shout → approve → say"]),
    "through and not through": (
        "{input: {text: hi}, answers: {approve: yes}, expect: {path: {contains: [shout, left], lacks: say}}}",
        ["path: expected to go through left, went shout → approve → say",
         "path: expected to go not through say, went shout → approve → say"]),
}  # fmt: skip


@pytest.mark.parametrize(("test", "lines"), FAILURES.values(), ids=FAILURES)
def test_differences_are_told(tested: Tested, test: str, lines: list[str]) -> None:
    done = tested(test=test)
    assert done.exit_code == 1, done.output
    told = done.stdout.splitlines()
    assert told[0].startswith("failed  ") and told[1].strip() == "team.yaml:15"
    assert [line.strip() for line in told[2:-1]] == lines
    assert told[-1].startswith("0 of 1 test passed")


@pytest.mark.parametrize("answers", ["{approve: yess}", "[{approve: yess}]", "{approve: YES}"])
def test_an_answer_that_is_not_among_the_choices_is_found_before_the_run(tested: Tested, answers: str) -> None:
    done = tested(test=f"{{input: {{text: hi}}, answers: {answers}}}")
    assert done.exit_code == 2
    assert "is not among the choices; " in done.stderr and "'yes'" in done.stderr


PASSES = {
    "a run that waits": "{input: {text: hi}, expect: {status: waiting, path: [shout, approve]}}",
    "a run that fails": "{input: {text: quiet}, expect: {status: failed, error: no shouting, path: [shout]}}",
    "a request alone": "{input: {text: hi}, answers: {approve: yes}}",
    "the short form of a request": "{input: hi, answers: {approve: yes}}",
    "one answer each time":
        "{input: hi, answers: {approve: no}, expect: {value: nothing, path: {lacks: say, contains: left}}}",
}


@pytest.mark.parametrize("test", PASSES.values(), ids=PASSES)
def test_what_may_be_expected(tested: Tested, test: str) -> None:
    done = tested(test=test)
    assert done.exit_code == 0, done.output


def test_answers_in_their_turn(file: Path, tested: Tested) -> None:
    tested()
    team = Team.load(file)
    outcome = run_test(team, TeamTest(1, "", "hi", [{"approve": "no"}, {"approve": "no"}, {"approve": "yes"}]))
    assert outcome.passed and outcome.path == ("shout", "approve", "approve", "approve", "say")
    outcome = run_test(team, TeamTest(1, "", "hi", [{"approve": "no"}]))
    assert outcome.path == ("shout", "approve", "approve") and "waits for an answer" in outcome.differences[0]


def test_teams_within_and_limits_ask_too(file: Path, tested: Tested) -> None:
    tested()
    (file.parent / "inner.yaml").write_text(TEAM, encoding="utf-8")
    file.write_text("""\
schema: understudy/team/v1
team: outer
input: {text: text}
workflow:
  steps:
    inner: {team: inner.yaml, input: {text: input.text}}
    end: {call: same, after: inner, input: {value: inner.value}}
output: {said: end}
limits: {messages: 1, on_exceed: ask}
tests:
  - {input: a, answers: {inner/approve: yes, $limits: true}, expect: {said: A, status: completed, path: [inner, end]}}
  - {input: a, answers: {inner/approve: yes}, expect: {status: waiting, path: [inner]}}
  - {input: a, expect: {status: waiting, path: [inner]}}
""", encoding="utf-8")
    done = runner.invoke(app, ["test", "team.yaml"], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output


REFUSED = {
    "no tests": (TEAM[: TEAM.index("tests:")], "team.yaml: the team has no tests; add tests: [{input:"),
    "nothing expected": (TEAM.replace("{contains: HI}", '""'),
                         "team.yaml:15: what is expected of 'value' is met by any output"),
    "met by all": (TEAM.replace("{contains: HI}", "{contains: []}"), "'value' is met by any output"),
    "mixed": (TEAM.replace("{contains: HI}", "{contains: HI, loud: yes}"),
              "team.yaml:15: value: matchers and fields are mixed; write one of contains"),
    "no list": (TEAM.replace("{contains: HI}", "{any_of: HI}"), "value: any_of takes a list"),
    "a status": (TEAM.replace("{value: {contains: HI}}", "{status: done}"), "there is no status 'done'"),
    "no way": (TEAM.replace("{value: {contains: HI}}", "{path: []}"), "path: this is no way through the steps"),
    "a way that is not there": (TEAM.replace("{value: {contains: HI}}", "{path: {lacks: [say, sya]}}"),
                                "path.lacks[1]: unknown step 'sya'; did you mean 'say'?"),
    "a step that does not ask": (TEAM.replace("answers: {approve: yes}", "answers: {shout: yes}", 1),
                                 "no step 'shout' asks"),
    "a wrong request": (TEAM.replace("input: {text: hi}", "input: {text: 5}"), "team.yaml:15: text: Input should be"),
    "an unknown field": (TEAM.replace("input: {text: hi}", "input: {txt: hi}"), "the team's input has no 'txt'"),
    "a mistake elsewhere": (TEAM.replace("call: same", "call: sam"), "'sam' is not a registered function"),
    "no file": (None, "nowhere.yaml"),
}


@pytest.mark.parametrize(("team", "message"), REFUSED.values(), ids=REFUSED)
def test_a_bad_file_is_2_and_nothing_is_run(
    file: Path, tested: Tested, team: str | None, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.team_tests.run_test", lambda *_: pytest.fail("a test was run"))
    if team is None:
        done = runner.invoke(app, ["test", "nowhere.yaml"])
    else:
        done = tested(team=team)
    assert done.exit_code == 2, done.output
    assert message in done.stderr
    assert "Traceback" not in done.output


def test_a_role_that_is_not_learned_is_2(file: Path) -> None:
    (file.parent / "tone.yaml").write_text(
        "schema: understudy/role/v1\nrole: tone\ndoes: x\ntakes: {text: text}\ngives: {a: [b, c]}\n"
        "demonstrations: [{takes: {text: a}, gives: {a: b}}, {takes: {text: d}, gives: {a: c}}]\n")
    file.write_text("schema: understudy/team/v1\nteam: x\nagents: {tone: ./tone.yaml}\ntests: [a]\n")
    done = runner.invoke(app, ["test", "team.yaml"])
    assert done.exit_code == 2
    assert "agent tone: the role 'tone' has not been learned; learn it with: understudy learn" in done.stderr


def test_ctrl_c_is_130(tested: Tested, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("understudy.team_tests.run_test", interrupted)
    done = tested()
    assert done.exit_code == 130 and done.stderr.strip() == "stopped"


def test_sleeping_takes_no_time(file: Path, tested: Tested) -> None:
    team = TEAM.replace("      after: shout\n", "      after: rest\n").replace(
        "    approve:\n", "    rest: {sleep: 86400, after: shout}\n    approve:\n")
    done = tested("--json", team=team)
    assert done.exit_code == 0, done.output
    first = json.loads(done.stdout)["tests"][0]
    assert first["path"] == ["shout", "rest", "approve", "say"] and first["seconds"] < 60


def test_functions_that_are_agents_sleep_in_the_same_time(file: Path, tested: Tested) -> None:
    functions = file.parent / "functions.py"
    functions.write_text(FUNCTIONS + """
import asyncio

@understudy.register
async def slow(text: str) -> str:
    await asyncio.sleep(86400)
    return text
""", encoding="utf-8")
    team = TEAM.replace("team: shouting\n", "team: shouting\nagents: {slow: {call: slow}}\n").replace(
        "      after: shout\n", "      after: rest\n").replace(
        "    approve:\n", "    rest: {sleep: 5, after: slow}\n"
        "    slow: {agent: slow, input: {text: shout}, after: shout}\n    approve:\n")
    done = tested("--json", team=team)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["tests"][0]["path"] == ["shout", "slow", "rest", "approve", "say"]


def test_a_model_is_loaded_where_an_agent_is_asked_alone(file: Path, tested: Tested) -> None:
    """The team above has an agent, which no step asks: nothing is loaded for it."""
    text = TEAM.replace("team: shouting\n", "team: shouting\nagents: {reader: qa, loud: {call: shout}}\n")
    done = tested(team=text)
    assert done.exit_code == 0, done.output
    assert not needs_model(Team.load(file))
    say = "say: {call: same, input: {value: shout}}"
    file.write_text(text.replace(say, "say: {agent: loud, input: {text: shout}}"))
    assert not needs_model(Team.load(file))
    file.write_text(text.replace(say, "say: {agent: reader, input: {request: shout}}"))
    assert needs_model(Team.load(file))


def test_an_output_may_have_fields_of_those_names() -> None:
    run: Mapping[str, Any] = {"status": "completed", "output": {"status": "open", "path": "a/b"}, "error": None}
    assert list(differences({"status": "open", "path": "a/b"}, run, ["x"], ["status", "path"])) == []
    assert list(differences({"status": "shut"}, run, ["x"], ["status"])) == [
        "status: expected to contain 'shut', got 'open'"]
    check_expected({"status": "open"}, ["status"], "here")
    with pytest.raises(UnderstudyError, match="here: there is no status 'open'; one of: completed, failed"):
        check_expected({"status": "open"}, [], "here")


def test_the_tests_of_a_file_are_read_with_their_places(file: Path, tested: Tested) -> None:
    tested()
    first, second = read_tests(file)
    assert (first.name, first.where, second.name, second.where) == ("loud", f"{file}:15", "Peru?", f"{file}:19")
    assert first.answers == {"approve": "yes"} and second.input == {"text": "Peru?"}
    assert Outcome(first, (), {}, (), 0.0).passed and not Outcome(first, ("x",), {}, (), 0.0).passed
