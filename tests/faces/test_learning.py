"""The commands that need a backbone, on a decoder with random weights: all of them but the skill."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from understudy.cli import app
from understudy.cli_learn import lesson_view
from understudy.core.adaptation import Report
from understudy.lesson import Lesson

runner = CliRunner()

TEAM = """\
schema: understudy/team/v1
team: sorter
does: Sorts messages.
backbone: {backbone}
agents:
  sorter: {{role: triage}}
input: {{text: text}}
workflow:
  start: sort
  steps:
    sort: {{agent: sorter, input: {{text: input.text}}, then: $end}}
output: {{queue: sort.queue, urgent: sort.urgent}}
"""


def call(*arguments: str | Path) -> Result:
    return runner.invoke(app, [str(argument) for argument in arguments])


def json_of(*arguments: str | Path, code: int = 0) -> Any:
    """The one JSON object on stdout, and nothing else there."""
    done = call(*arguments, "--json")
    assert done.exit_code == code, (done.output, done.exception)
    assert done.stdout.count("\n") == 1
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, checkout: Path, tiny_backbone: Path) -> Path:
    """A folder with the triage role, learned, and a team of it."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(checkout / "examples" / "triage", folder / "triage")
    (folder / "team.yaml").write_text(TEAM.format(backbone=tiny_backbone), encoding="utf-8")
    done = call(
        "learn", folder / "triage" / "role.yaml", "--out", folder / "heads", "--backbone", tiny_backbone, "--json"
    )
    assert done.exit_code == 0, (done.output, done.exception)
    (folder / "lesson.json").write_text(done.stdout, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def there(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The commands run in the folder."""
    monkeypatch.chdir(desk)
    monkeypatch.delenv("UNDERSTUDY_JOURNAL", raising=False)
    return desk


def test_learn_writes_a_head_and_says_what_to_expect(desk: Path) -> None:
    lesson = json.loads((desk / "lesson.json").read_text(encoding="utf-8"))
    head = desk / "heads" / "triage"
    assert {file.name for file in head.iterdir()} >= {"adapter_model.safetensors", "adapter_config.json", "head.json"}
    assert lesson["bytes"] == sum(file.stat().st_size for file in head.iterdir())
    assert lesson["demonstrations"] == lesson["leave_one_out"]["total"] >= 8
    assert lesson["leave_one_out"]["interval"][0] <= lesson["leave_one_out"]["share"]
    assert lesson["seconds"] > 0


def test_learn_tells_a_person(desk: Path, tmp_path: Path, tiny_backbone: Path) -> None:
    done = call("learn", "triage/role.yaml", "--out", tmp_path, "--backbone", tiny_backbone)
    assert done.exit_code == 0, (done.output, done.exception)
    said = "".join(done.stdout.split())
    for words in ("triage is learned", "leave-one-out", "interval", "seconds", "MB in", "understudy ask"):
        assert "".join(words.split()) in said
    assert f"understudyask{tmp_path / 'triage'}" in said, "a head that is not in heads/ is named by its folder"
    assert (tmp_path / "triage" / "head.json").is_file()


def lesson(tmp_path: Path, answered: float, accuracy: float, notes: list[tuple[str, str]]) -> Lesson:
    """What is told of a role that copies a note, whatever it was learned by."""
    report = Report(accuracy, 0.0, 1.0, len(notes), 4, 4, (), 1.0, 0.5, answered, (), {})
    shown = [{"takes": {"text": text}, "gives": {"note": note}} for text, note in notes]
    return Lesson("r", tmp_path, report, 0, {"gives": {"note": "text"}, "takes": {"text": "text"},
                                             "demonstrations": shown})  # fmt: skip


def test_a_slip_of_the_pen_in_a_copied_text_is_told(tmp_path: Path) -> None:
    right = [(f"call {name} today", name) for name in ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn")]
    assert lesson(tmp_path, 1.0, 1.0, right).uncopied == []
    slip = lesson(tmp_path, 1.0, 1.0, [*right, ("call Gus today", "Guus"), ("nobody called", "")])
    assert slip.uncopied == [(7, "note", "Guus")], "nothing is no slip"
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(lesson_view(slip))
    assert "demonstration 7: its note 'Guus' does not stand in its message" in console.file.getvalue()  # type: ignore[attr-defined]
    written = [(text, f"{note}!") for text, note in right]
    assert lesson(tmp_path, 1.0, 1.0, written).uncopied == [], "what is written throughout is no slip"
    assert lesson(tmp_path, 1.0, 1.0, [*right[:3], *written[3:]]).uncopied == [], "nor half of them"


@pytest.mark.parametrize(
    ("answered", "accuracy", "told"),
    [(1.0, 0.75, None), (0.25, 0.75, "abstain often"), (0.25, 0.25, "answered wrong: expect abstentions")],
)
def test_what_to_expect_is_told(tmp_path: Path, answered: float, accuracy: float, told: str | None) -> None:
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(lesson_view(lesson(tmp_path, answered, accuracy, [("a b", "a")] * 4)))
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"{round(4 * answered)} of these 4, and abstain from the others" in said
    assert ("mind" in said) is bool(told) and (told or "") in said


def test_all_heads_are_learned_again_from_what_they_keep(desk: Path, tmp_path: Path, tiny_backbone: Path) -> None:
    shutil.copytree(desk / "heads" / "triage", tmp_path / "triage")
    (tmp_path / "triage" / "adapter_model.safetensors").write_bytes(b"of another backbone")
    done = json_of("learn", "--all", "--out", tmp_path, "--backbone", tiny_backbone)
    assert [one["role"] for one in done["roles"]] == ["triage"]
    assert json_of("ask", tmp_path / "triage", "hello")["output"] == json_of("ask", "triage", "hello")["output"]
    empty = call("learn", "--all", "--out", tmp_path / "nowhere")
    assert empty.exit_code == 2 and "there are no learned heads here; understudy learn ROLE.yaml" in empty.stderr
    for words in ((), ("triage/role.yaml", "--all")):
        both = call("learn", *words)
        assert both.exit_code == 2 and "one ROLE.yaml or FILE.csv, or --all" in both.stderr


def test_a_head_can_be_activated_and_of_all_layers(desk: Path, tmp_path: Path, tiny_backbone: Path) -> None:
    words = ("--out", tmp_path, "--backbone", tiny_backbone, "--layers", "all", "--activation", "marker")
    json_of("learn", "triage/role.yaml", *words)
    config = json.loads((tmp_path / "triage" / "adapter_config.json").read_text(encoding="utf-8"))
    whole = json.loads((desk / "heads" / "triage" / "adapter_config.json").read_text(encoding="utf-8"))
    assert config["alora_invocation_tokens"] and "alora_invocation_tokens" not in whole
    assert set(config["target_modules"]) > set(whole["target_modules"])
    assert json_of("ask", tmp_path / "triage", "hello")["output"]["queue"] in ("billing", "bug", "howto")
    json_of("learn", "--all", "--out", tmp_path, "--backbone", tiny_backbone)
    again = json.loads((tmp_path / "triage" / "adapter_config.json").read_text(encoding="utf-8"))
    assert again == config, "a head that is learned again stays of its kind"


MAIL = """\
text;queue;urgent
I was charged twice;billing;yes
The app crashes;bug;no
An invoice please;billing;no
It froze again;bug;yes
"""


def test_a_csv_file_becomes_a_role_that_is_asked_by_name(
    desk: Path, tmp_path: Path, tiny_backbone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mail.csv").write_text(MAIL, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    lesson = json_of("learn", "mail.csv", "--backbone", tiny_backbone, "--write", "role.yaml")
    assert (lesson["role"], lesson["folder"], lesson["demonstrations"]) == ("mail", str(Path("heads") / "mail"), 4)
    assert lesson["gives"] == {"queue": ["billing", "bug"], "urgent": "boolean"}
    assert "comparison" not in lesson
    answer = json_of("ask", "mail", "I was charged twice")["output"]
    assert answer.keys() == {"queue", "urgent"} and isinstance(answer["urgent"], bool)
    team = TEAM.format(backbone=tiny_backbone).replace("role: triage", "role: mail")
    (tmp_path / "team.yaml").write_text(team, encoding="utf-8")
    assert json_of("run", "team.yaml", "I was charged twice")["output"] == answer
    again = json_of("learn", "role.yaml", "--backbone", tiny_backbone)
    assert (again["gives"], again["leave_one_out"]) == (lesson["gives"], lesson["leave_one_out"])


def test_a_person_sees_the_types_that_a_csv_file_was_read_with(
    desk: Path, tmp_path: Path, tiny_backbone: Path
) -> None:
    (tmp_path / "mail.csv").write_text(MAIL, encoding="utf-8")
    done = call("learn", tmp_path / "mail.csv", "--out", tmp_path, "--backbone", tiny_backbone, "--gives", "queue")
    assert done.exit_code == 0, (done.output, done.exception)
    told = " ".join(done.stdout.split())
    assert "takes text: text; urgent: yes | no" in told and "gives queue: billing | bug" in told


def test_what_is_wrong_with_a_csv_file_is_said_before_anything_is_loaded(desk: Path, tmp_path: Path) -> None:
    (tmp_path / "mail.csv").write_text(MAIL.replace(";no", "", 1), encoding="utf-8")
    done = call("learn", tmp_path / "mail.csv", "--out", tmp_path / "heads", "--backbone", "nothing")
    assert done.exit_code == 2 and "mail.csv:3:1: 2 cells in a row of 3" in done.stderr
    (tmp_path / "mail.csv").write_text(MAIL, encoding="utf-8")
    (tmp_path / "unseen.csv").write_text("text,queue\nHelp,bugg\n", encoding="utf-8")
    words = ("--out", tmp_path / "heads", "--backbone", "nothing", "--compare", "--on", tmp_path / "unseen.csv")
    done = call("learn", tmp_path / "mail.csv", *words)
    assert done.exit_code == 2 and "unseen.csv:2:1" in done.stderr and "did you mean 'bug'" in done.stderr


@pytest.mark.parametrize("on", ["", "unseen.csv", "unseen.jsonl"])
def test_a_role_is_compared_on_its_own_or_on_unseen_messages(
    desk: Path, tmp_path: Path, tiny_backbone: Path, on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mail.csv").write_text(MAIL, encoding="utf-8")
    (tmp_path / "unseen.csv").write_text("text,queue,urgent\nCharged again,billing,no\n", encoding="utf-8")
    line = {"takes": {"text": "Charged again"}, "gives": {"queue": "billing", "urgent": False}}
    (tmp_path / "unseen.jsonl").write_text(json.dumps(line), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    words = ["learn", "mail.csv", "--backbone", tiny_backbone, "--compare", *(["--on", on] if on else [])]
    found = json_of(*words)["comparison"]
    assert list(found["who"]) == ["learned start", "plain start", "TF-IDF + logistic regression"]
    assert (found["messages"], found["folds"]) == ((1, 0) if on else (4, 3))
    for figures in found["who"].values():
        assert figures["whole"]["total"] == figures["fields"]["urgent"]["total"] == found["messages"]
    done = call(*words)
    assert done.exit_code == 0, (done.output, done.exception)
    told = " ".join(done.stdout.split())
    assert "mail is learned" in told and "plain start" in told and "95 % intervals" in told
    assert ("cross-validation" in told) is not bool(on)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("triage/role.yaml", "--gives", "queue"), "--gives is for a .csv"),
        (("triage/role.yaml", "--on", "messages.csv"), "--compare"),
        (("--all", "--compare"), "--compare is of one role"),
        (("--all", "--write", "role.yaml"), "--write is of one role"),
        (("triage/role.yaml", "--compare", "--on", "gone.csv"), "gone.csv"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words: tuple[str, ...], told: str) -> None:
    done = call("learn", *words, "--backbone", "nothing")
    assert done.exit_code == 2 and told in done.stderr


def test_a_comparison_without_scikit_learn_is_refused_before_anything_is_learned(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    done = call("learn", "triage/role.yaml", "--out", tmp_path / "heads", "--compare", "--backbone", "nothing")
    assert done.exit_code == 2 and "pip install 'understudy[train]'" in done.stderr
    assert not (tmp_path / "heads").exists()


def test_two_heads_of_one_role_are_not_learned_again(desk: Path, tmp_path: Path, tiny_backbone: Path) -> None:
    for name in ("triage", "copy"):
        shutil.copytree(desk / "heads" / "triage", tmp_path / name)
    done = call("learn", "--all", "--out", tmp_path, "--backbone", tiny_backbone)
    assert done.exit_code == 2
    assert "copy and triage are both heads of the role 'triage'" in " ".join(done.stderr.split())


def test_a_role_with_a_mistake_is_refused_before_anything_is_loaded(desk: Path, tmp_path: Path) -> None:
    text = (desk / "triage" / "role.yaml").read_text(encoding="utf-8")
    bad = tmp_path / "role.yaml"
    bad.write_text(text.replace("queue: billing, urgent: true", "queue: biling, urgent: true", 1), encoding="utf-8")
    done = call("learn", bad, "--out", tmp_path / "heads")
    assert done.exit_code == 2
    assert f"{bad}:" in done.stderr and "did you mean 'billing'" in done.stderr
    assert not (tmp_path / "heads").exists()


def test_a_demonstration_that_is_too_long_is_named_with_its_file(
    desk: Path, tmp_path: Path, tiny_backbone: Path
) -> None:
    text = (desk / "triage" / "role.yaml").read_text(encoding="utf-8")
    first = text.split("takes: {text: ", 2)[2].split("}")[0]
    long = tmp_path / "role.yaml"
    long.write_text(text.replace(first, '"' + "very long " * 600 + '"', 1), encoding="utf-8")
    done = call("learn", long, "--out", tmp_path / "heads", "--backbone", tiny_backbone)
    assert done.exit_code == 2
    told = " ".join(done.stderr.split())
    assert "role.yaml, demonstration 1: the prompt has" in told and "shorter" in told
    assert not (tmp_path / "heads").exists()


def test_a_backbone_that_is_not_there(tmp_path: Path) -> None:
    done = call("learn", "triage/role.yaml", "--out", tmp_path / "heads", "--backbone", tmp_path / "nothing")
    assert done.exit_code == 2
    assert "nothing" in done.stderr and "cannot be loaded" in done.stderr
    assert not (tmp_path / "heads").exists()


def test_ask_gives_an_answer_of_the_roles_type(desk: Path) -> None:
    for asked in ("I was charged twice", '{"text": "I was charged twice"}'):
        answer = json_of("ask", "triage", asked)
        assert answer.keys() == {"output", "confidence", "abstained", "seconds"}
        assert answer["output"]["queue"] in ("billing", "bug", "howto")
        assert isinstance(answer["output"]["urgent"], bool)
        assert 0 <= answer["confidence"] <= 1 and answer["seconds"] > 0


def test_ask_by_name_folder_and_file_is_the_same() -> None:
    answers = [json_of("ask", role, "hello")["output"] for role in ("triage", "heads/triage", "triage/role.yaml")]
    assert answers[0] == answers[1] == answers[2]


def test_ask_a_file_gives_the_same_answers_line_by_line(desk: Path) -> None:
    texts = ["I was charged twice", "The app crashes when I print", "How do I add a user?"]
    lines = [{"text": texts[0]}, {"takes": {"text": texts[1]}}, {"text": texts[2]}]
    (desk / "messages.jsonl").write_text("\n\n".join(map(json.dumps, lines)), encoding="utf-8")
    done = call("ask", "triage", "messages.jsonl")
    assert done.exit_code == 0, (done.output, done.exception)
    together = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["output"] for one in together] == [json_of("ask", "triage", text)["output"] for text in texts]
    assert [one["takes"] for one in together] == [{"text": text} for text in texts], "with what it answers"


def test_ask_a_person_reads_fields() -> None:
    done = call("ask", "triage", "I was charged twice")
    assert done.exit_code == 0
    assert "queue" in done.stdout and "sure" in done.stdout


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ('{"txt": "a"}', "text"), ('{"text": 3}', "text"), ('{"text": "a", "more": 1}', "more"), ("{", "not JSON"),
        (" ", "empty"),
    ],
)
def test_a_message_that_does_not_fit_is_refused(asked: str, told: str) -> None:
    done = call("ask", "triage", asked)
    assert done.exit_code == 2
    assert told in done.stderr


def test_a_bad_line_of_a_file_is_named(desk: Path) -> None:
    (desk / "bad.jsonl").write_text('{"text": "a"}\n{"txt": "b"}\n', encoding="utf-8")
    done = call("ask", "triage", "bad.jsonl")
    assert done.exit_code == 2
    assert "bad.jsonl:2" in done.stderr
    assert done.stdout == ""


def test_an_unknown_role_gets_a_suggestion() -> None:
    done = call("ask", "triaje", "text")
    assert done.exit_code == 2
    assert "did you mean 'triage'" in done.stderr


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


UNSURE = """\
schema: understudy/team/v1
team: careful
does: Sorts messages, and has a person sort what its sorter is not sure of.
backbone: {backbone}
agents:
  sorter: {{role: triage}}
input: {{text: text}}
workflow:
  start: sort
  steps:
    sort:
      agent: sorter
      routes:
        - {{to: person, when: sort.abstained or sort.confidence < {least}}}
        - {{to: $end}}
    person: {{ask: Which queue?, then: $end}}
output: {{queue: sort.queue}}
"""


@pytest.mark.parametrize(("threshold", "least"), [(1.1, 0), (0.0, 1.1)])
def test_a_team_routes_what_its_learned_role_is_not_sure_of(
    desk: Path, tmp_path: Path, tiny_backbone: Path, threshold: float, least: float
) -> None:
    shutil.copytree(desk / "heads" / "triage", tmp_path / "heads" / "triage")
    manifest = tmp_path / "heads" / "triage" / "head.json"
    learned = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(learned | {"threshold": threshold}), encoding="utf-8")
    team = tmp_path / "careful.yaml"
    team.write_text(UNSURE.format(backbone=tiny_backbone, least=least), encoding="utf-8")
    assert call("check", team).exit_code == 0
    run = json_of("run", team, "Refund me", "--journal", tmp_path / "runs.db")
    assert run["status"] == "waiting" and run["questions"][0]["question"] == "Which queue?"
    assert run["steps"][0]["output"]["abstained"] is (threshold > 1)
    team.write_text(UNSURE.format(backbone=tiny_backbone, least=0).replace("sort.abstained or ", ""), encoding="utf-8")
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


def test_a_truncated_head_is_named(desk: Path, tmp_path: Path) -> None:
    broken = tmp_path / "heads" / "triage"
    shutil.copytree(desk / "heads" / "triage", broken)
    tensors = broken / "adapter_model.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:100])
    done = call("ask", broken, "text")
    assert done.exit_code == 2
    assert str(broken) in done.stderr and "broken" in done.stderr


def test_ctrl_c_in_a_run_is_130(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("understudy.workflows.team.Team.run_sync", interrupted)
    done = call("run", "team.yaml", "text", "--run-id", "cut")
    assert done.exit_code == 130
    assert "Traceback" not in done.output
    assert "understudy resume team.yaml cut" in done.stderr


def test_cold_from_the_shell(command: Callable[..., subprocess.CompletedProcess[str]], desk: Path) -> None:
    done = command("ask", "triage", "I was charged twice", "--json", cwd=desk)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["output"]["queue"] in ("billing", "bug", "howto")


def test_a_choice_that_no_demonstration_shows_is_told(tmp_path: Path) -> None:
    shown = [{"takes": {"text": "a"}, "gives": {"queue": queue}} for queue in ("bug", "bug", "billing", "bug")]
    document = {"does": "Sorts.", "gives": {"queue": ["bug", "billing", "howto"]}, "takes": {"text": "text"},
                "demonstrations": shown}  # fmt: skip
    report = Report(1.0, 0.0, 1.0, 4, 4, 4, (), 1.0, 0.5, 1.0, (), {})
    told = Lesson("r", tmp_path, report, 0, document)
    assert told.unshown == [("queue", "howto")] and told.as_json()["unshown"] == [{"field": "queue", "choice": "howto"}]
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(lesson_view(told))
    assert "no demonstration shows queue 'howto'" in console.file.getvalue()  # type: ignore[attr-defined]
