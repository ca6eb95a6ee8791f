"""Learning and asking, on a decoder with random weights: all of the commands but the skill."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faces.learned import TEAM, call, json_of

pytestmark = pytest.mark.usefixtures("there")


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


def test_a_truncated_head_is_named(desk: Path, tmp_path: Path) -> None:
    broken = tmp_path / "heads" / "triage"
    shutil.copytree(desk / "heads" / "triage", broken)
    tensors = broken / "adapter_model.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:100])
    done = call("ask", broken, "text")
    assert done.exit_code == 2
    assert str(broken) in done.stderr and "broken" in done.stderr


def test_cold_from_the_shell(command: Callable[..., subprocess.CompletedProcess[str]], desk: Path) -> None:
    done = command("ask", "triage", "I was charged twice", "--json", cwd=desk)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["output"]["queue"] in ("billing", "bug", "howto")
