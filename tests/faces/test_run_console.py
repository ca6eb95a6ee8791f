"""A run at the console: its questions asked and checked, what happens shown as it comes, and how it goes on later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from understudy import Journal, asking
from understudy.agents.emitting import Token
from understudy.cli import app
from understudy.watching import Lines
from understudy.workflows import calls
from understudy.workflows.effects import emit
from understudy.workflows.events import StepEmitted

runner = CliRunner()
HEAD = "schema: understudy/team/v1\nteam: desk\n"
ASKING = HEAD + """\
input: {}
workflow:
  steps:
    draft: {call: draft, then: sign}
    sign: {ask: May it go out?, choices: [yes, no], then: form}
    form: {ask: Say more, gives: {good: boolean, many: integer, why: text}, then: free}
    free: {ask: What else?}
output: {signed: sign, form: form, free: free}
"""
TALKING = HEAD + """\
agents: {poet: {call: poem}}
workflow:
  steps:
    poem: {agent: poet, then: both}
    both: {each: "['a', 'b']", call: shout, input: {text: item}}
"""


def draft() -> str:
    return "a notice"


def poem(request: str) -> str:
    for part in ("roses", " are", " red", {"line": 2}, "violets\n"):
        emit(part)
    return request


def shout(text: str) -> str:
    if text == "b":
        raise ValueError("too loud")
    return text.upper()


@pytest.fixture(autouse=True)
def functions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(calls, "_registered", {one.__name__: one for one in (draft, poem, shout)})
    monkeypatch.chdir(tmp_path)
    Path("asking.yaml").write_text(ASKING, encoding="utf-8")
    Path("talking.yaml").write_text(TALKING, encoding="utf-8")
    yield


def run(*words: str, lines: str = "") -> Result:
    return runner.invoke(app, [*words, "--journal", "runs.db"], input=lines)


def test_a_request_of_several_fields_is_json() -> None:
    text = "input: {city: text, days: integer}\nworkflow: {steps: {a: {call: same, input: {value: input.days}}}}\n"
    Path("trip.yaml").write_text(f"{HEAD}{text}output: {{days: a}}\n", encoding="utf-8")
    done = run("run", "trip.yaml", '{"city": "Lima", "days": 3}', "--json")
    assert (done.exit_code, json.loads(done.stdout)["output"]) == (0, {"days": 3}), done.output
    done = run("run", "trip.yaml", "three days in Lima")
    assert done.exit_code == 2 and done.stderr == (
        "error: trip.yaml: the request is a text, and the team takes 2 fields; "
        '--input FILE.json, a file with {"city": …, "days": …}, or that as TEXT\n'
    )
    assert "TEXT:1:" in run("run", "trip.yaml", '{"city": Lima}').stderr
    assert run("run", "talking.yaml", '{"not": "fields"}').exit_code == 1, "of one field it is the text itself"


def test_all_is_asked_and_the_run_completes() -> None:
    done = run("run", "asking.yaml", "--ask", "--json", lines="yes\nno\n3\nbecause\n[1, 2]\n")
    assert done.exit_code == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["status"] == "completed"
    assert shown["output"] == {"signed": "yes", "form": {"good": False, "many": 3, "why": "because"}, "free": [1, 2]}
    assert "sign asks  May it go out?" in done.stderr
    assert "  a notice\n" in done.stderr and "one of: yes, no" in done.stderr
    assert "good (a boolean): many (a whole number): why (a text): " in done.stderr


def test_what_is_no_answer_is_asked_again() -> None:
    done = run("run", "asking.yaml", "--ask", "--json", lines="maybe\n\nNO\nyes\nmany\nbecause\nyes\n4\nbecause\nx\n")
    assert json.loads(done.stdout)["output"] == {
        "signed": "no", "form": {"good": True, "many": 4, "why": "because"}, "free": "x",
    }  # fmt: skip
    assert "'maybe' is not among what may be answered; type one of: yes, no" in done.stderr
    assert "many: Input should be a valid integer" in done.stderr


def test_the_end_of_the_input_leaves_the_run_waiting() -> None:
    done = run("run", "asking.yaml", "--ask", "--run-id", "one", lines="yes\n")
    assert done.exit_code == 0
    assert "run one waiting" in done.stdout
    assert "answer with: understudy resume asking.yaml one --journal runs.db --answer form=…" in done.stderr
    rest = run("resume", "asking.yaml", "one", "--ask", "--json", lines="yes\n1\nx\ny\n")
    assert json.loads(rest.stdout)["output"]["form"] == {"good": True, "many": 1, "why": "x"}


def test_ctrl_c_leaves_the_run_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(question: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(asking, "answer_to", interrupted)
    done = run("run", "asking.yaml", "--ask", "--run-id", "one")
    assert done.exit_code == 130
    assert "answer with: understudy resume asking.yaml one --journal runs.db --answer sign=…" in done.stderr
    with Journal("runs.db") as book:
        assert book.runs()[0].status == "waiting"


def test_without_ask_nothing_is_asked() -> None:
    done = run("run", "asking.yaml", "--run-id", "one", lines="yes\n")
    assert "sign asks  May it go out?  (yes, no)" in done.stdout
    assert "answer with:" in done.stderr and "answer: " not in done.stderr


def test_a_limit_is_asked_for_as_a_choice() -> None:
    text = ASKING.replace("then: sign}", "then: again}\n    again: {call: draft, then: sign}")
    Path("asking.yaml").write_text(text + "limits: {messages: 1, on_exceed: ask}\n", encoding="utf-8")
    done = run("run", "asking.yaml", "--ask", lines="yes\nyes\n")
    assert "$limits asks  the run used up its 1 messages: may it use as much again?" in done.stderr
    assert "sign asks" in done.stderr and "form asks" in done.stderr


def test_parts_are_shown_on_stdout_and_steps_on_stderr() -> None:
    done = run("run", "talking.yaml", "tea", "--stream")
    assert done.exit_code == 1
    assert done.stdout.startswith('roses are red\n{"line": 2}\nviolets\n')
    lines = done.stderr.splitlines()
    assert lines[0] == "poem · poet …"
    assert lines[1].startswith("poem done, ")
    assert {"both 1 …", "both 2 …"} <= set(lines)
    assert any(line.startswith("both 2 failed, ") and line.endswith("ValueError: too loud") for line in lines)


def test_events_are_lines_of_json_and_the_result_is_the_last() -> None:
    done = run("run", "talking.yaml", "tea", "--stream", "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["kind"] for event in events][:3] == ["RunAccepted", "StepStarted", "StepEmitted"]
    assert [event["part"] for event in events if event["kind"] == "StepEmitted"][3] == {"line": 2}
    assert events[-1]["kind"] == "Result" and events[-1]["status"] == "failed"
    finished = next(event for event in events if event["kind"] == "StepFinished" and event["step"] == "poem")
    assert finished["output"]["answer"] == "tea" and finished["visit"] == 1


def test_what_a_step_that_is_a_run_does_is_shown_below_it() -> None:
    text = HEAD + """\
agents: {poet: {call: poem}, other: {call: poem}}
workflow: {steps: {group: {pattern: {vote: {agents: [poet, other]}}}}}
"""
    Path("talking.yaml").write_text(text, encoding="utf-8")
    done = run("run", "talking.yaml", "tea", "--stream")
    assert "group/poet …" in done.stderr.splitlines()
    shown = run("run", "talking.yaml", "tea", "--stream", "--json").stdout.splitlines()
    inner = next(event for event in map(json.loads, shown) if event["kind"] == "ChildEvent")
    assert inner["step"] == "group" and inner["event"]["kind"] == "RunAccepted"


def test_a_fork_is_streamed_and_asked_too() -> None:
    run("run", "asking.yaml", "--run-id", "one", lines="")
    done = run("fork", "asking.yaml", "one", "--step", "draft", "--run-id", "two", "--ask", "--stream",
               lines="no\nyes\n1\nx\ny\n")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert "run two completed" in done.stdout


def test_a_team_that_takes_nothing_takes_nothing() -> None:
    refused = run("run", "asking.yaml", "tea")
    assert refused.exit_code == 2
    assert refused.stderr == "error: desk: it takes nothing; leave the request out, or give {}\n"
    assert run("run", "talking.yaml").stderr.startswith("error: there is no request; give it as TEXT")


@pytest.mark.parametrize("words", [("check",), ("diagram",), ("test",), ("run",)])
def test_commands_that_read_a_team_take_folders_that_are_allowed(words: tuple[str, ...]) -> None:
    for folder in ("own", "shared"):
        Path(folder).mkdir()
    Path("shared/inner.yaml").write_text(HEAD + "input: {}\nworkflow: {steps: {draft: {call: draft}}}\n")
    Path("own/team.yaml").write_text(
        HEAD + "input: {}\nworkflow: {steps: {inner: {team: ../shared/inner.yaml, input: {}}}}\ntests: [{input: {}}]\n"
    )
    refused = runner.invoke(app, [*words, "own/team.yaml"])
    assert refused.exit_code == 2
    assert "allows it" in refused.stdout + refused.stderr
    done = runner.invoke(app, [*words, "own/team.yaml", "--allow", "shared"])
    assert done.exit_code == 0, done.stdout + done.stderr


def test_how_a_run_goes_on_has_the_folders_that_were_allowed() -> None:
    Path("other").mkdir()
    done = run("run", "asking.yaml", "--run-id", "one", "--allow", "other")
    assert "understudy resume asking.yaml one --journal runs.db --allow other --answer sign=…" in done.stderr


def test_tokens_stand_in_the_line_of_their_field_and_their_item(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()

    def tell(part: str, index: int | None = None) -> None:
        lines.tell(StepEmitted(0.0, "sort", 1, index, part))

    for index in (0, 1):
        tell(Token("bil", "queue"), index)
        tell(Token("ling", "queue"), index)
    tell("plain ")
    tell("text")
    tell(Token("bug", "queue"), 1)
    tell(Token("yes", "urgent"), 1)
    lines.end()
    assert capsys.readouterr().out == "queue: billing\nqueue: billing\nplain text\nqueue: bug\nurgent: yes\n"
