"""Runs of a team whose role was learned, on a decoder with random weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.faces.learned import TEAM, call, json_of

pytestmark = pytest.mark.usefixtures("there")


def test_run_gives_steps_usage_and_the_same_as_asking(desk: Path) -> None:
    run = json_of("run", "team.yaml", "I was charged twice", "--run-id", "first", "--journal", "runs.db")
    assert run.keys() >= {"run", "status", "output", "steps", "usage"}
    assert (run["run"], run["status"]) == ("first", "completed")
    (step,) = run["steps"]
    assert step.keys() >= {"name", "agent", "input", "output", "seconds", "attempts", "sources"}
    assert (step["name"], step["agent"], step["attempts"]) == ("sort", "sorter", 1)
    assert step["input"] == {"text": "I was charged twice"}
    alone = json_of("ask", "triage", "I was charged twice")
    assert alone["output"] == run["output"]
    sure = pytest.approx(alone["confidence"], abs=1e-3)
    assert step["output"] == {**alone["output"], "abstained": alone["abstained"], "confidence": sure}
    assert run["usage"]["calls"] == 1 and run["usage"]["tokens"] > 0 and run["usage"]["seconds"] > 0


def test_a_run_is_streamed_token_by_token(desk: Path) -> None:
    run = ("run", "team.yaml", "I was charged twice", "--journal", "streamed.db", "--stream")
    told = call(*run).stdout.splitlines()
    answer = json_of("ask", "triage", "I was charged twice")["output"]
    assert told[:2] == [f"queue: {answer['queue']}", f"urgent: {'yes' if answer['urgent'] else 'no'}"]
    events = [json.loads(line) for line in call(*run, "--json").stdout.splitlines()]
    parts = [event["part"] for event in events if event["kind"] == "StepEmitted"]
    assert parts[0] == {"field": "queue", "text": answer["queue"]} and [part["field"] for part in parts][-1] == "urgent"


def test_run_from_a_file(desk: Path) -> None:
    (desk / "request.json").write_text('{"text": "Refund me"}', encoding="utf-8")
    (desk / "request.txt").write_text("Refund me\n", encoding="utf-8")
    outputs = [json_of("run", "team.yaml", "--input", name)["output"] for name in ("request.json", "request.txt")]
    assert outputs[0] == outputs[1]
    (desk / "wrong.json").write_text('{"request": "Refund me"}', encoding="utf-8")
    assert call("run", "team.yaml", "--input", "wrong.json").exit_code == 2


def test_a_run_is_kept_listed_shown_and_not_run_twice(desk: Path) -> None:
    run = json_of("run", "team.yaml", "Refund me", "--run-id", "kept", "--journal", "kept.db")
    (listed,) = json_of("runs", "list", "--journal", "kept.db")["runs"]
    assert (listed["run"], listed["status"], listed["workflow"]) == ("kept", "completed", "sorter")
    shown = json_of("runs", "show", "kept", "--journal", "kept.db")
    assert (shown["status"], shown["output"]) == ("completed", run["output"])
    assert [(step["name"], step["output"]) for step in shown["steps"]] == [("sort", run["steps"][0]["output"])]
    resumed = json_of("resume", "team.yaml", "kept", "--journal", "kept.db")
    assert resumed["output"] == run["output"]
    assert json_of("runs", "list", "--journal", "kept.db")["runs"] == [listed]
    taken = call("run", "team.yaml", "Refund me", "--run-id", "kept", "--journal", "kept.db")
    assert taken.exit_code == 2 and "kept" in taken.stderr
    for words in (["runs", "list"], ["runs", "show", "kept"]):
        done = call(*words, "--journal", "kept.db")
        assert done.exit_code == 0 and "kept" in done.stdout and "completed" in done.stdout


UNSURE = TEAM.replace("then: $end}}\n", """routes: [{{to: person, when: {when}}}, $end]}}
    person: {{ask: Which queue?, then: $end}}
""").replace(", urgent: sort.urgent", "")
"""A person sorts what the sorter is not sure of."""


@pytest.mark.parametrize(("threshold", "least"), [(1.1, 0), (0.0, 1.1)])
def test_a_team_routes_what_its_learned_role_is_not_sure_of(
    desk: Path, tmp_path: Path, tiny_backbone: Path, threshold: float, least: float
) -> None:
    shutil.copytree(desk / "heads" / "triage", tmp_path / "heads" / "triage")
    manifest = tmp_path / "heads" / "triage" / "head.json"
    learned = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(learned | {"threshold": threshold}), encoding="utf-8")
    team = tmp_path / "careful.yaml"
    when = f"sort.abstained or sort.confidence < {least}"
    team.write_text(UNSURE.format(backbone=tiny_backbone, when=when), encoding="utf-8")
    assert call("check", team).exit_code == 0
    run = json_of("run", team, "Refund me", "--journal", tmp_path / "runs.db")
    assert run["status"] == "waiting" and run["questions"][0]["question"] == "Which queue?"
    assert run["steps"][0]["output"]["abstained"] is (threshold > 1)
    team.write_text(UNSURE.format(backbone=tiny_backbone, when="sort.confidence < 0"), encoding="utf-8")
    done = call("run", team, "Refund me", "--journal", tmp_path / "runs.db")
    assert done.exit_code == 0, done.output
    assert ("abstained on the way: sort" in done.stdout) is (threshold > 1)


def test_the_default_journal_is_in_the_working_folder(desk: Path) -> None:
    json_of("run", "team.yaml", "Refund me", "--run-id", "default")
    assert (desk / ".understudy" / "journal.db").is_file()
    assert "default" in [run["run"] for run in json_of("runs", "list")["runs"]]


def test_a_team_without_its_head_says_how_to_get_it(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(desk / "triage", tmp_path / "triage")
    text = (desk / "team.yaml").read_text(encoding="utf-8").replace("role: triage", "role: ./triage/role.yaml")
    (tmp_path / "team.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    done = call("run", "team.yaml", "text")
    assert done.exit_code == 2
    assert "understudy learn" in done.stderr and "role.yaml" in done.stderr
    assert not (tmp_path / ".understudy").exists()


def test_ctrl_c_in_a_run_is_130(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("understudy.workflows.team.Team.run_sync", interrupted)
    done = call("run", "team.yaml", "text", "--run-id", "cut")
    assert done.exit_code == 130
    assert "Traceback" not in done.output
    assert "understudy resume team.yaml cut" in done.stderr
