"""The command as a person calls it: help, exit status, one JSON object, one sentence for a mistake."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

import understudy
from understudy.cli import app

Command = Callable[..., subprocess.CompletedProcess[str]]
runner = CliRunner()


def commands() -> Iterator[tuple[str, ...]]:
    """The words of every command that does something."""

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield words
        else:
            for name, below in inner.items():
                yield from walk(below, (*words, name))

    yield from walk(get_command(app), ())


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_help_has_an_example(words: tuple[str, ...]) -> None:
    done = runner.invoke(app, [*words, "--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    assert f"understudy {' '.join(words)} " in done.stdout.replace("Usage: understudy", "")


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_can_print_json(words: tuple[str, ...]) -> None:
    assert "--json" in runner.invoke(app, [*words, "--help"], env={"COLUMNS": "200"}).stdout


def test_the_commands_of_the_design_are_there() -> None:
    assert {words[0] for words in commands()} >= {
        "run", "learn", "ask", "check", "schema", "evaluate", "train", "runs", "resume",
    }  # fmt: skip


def test_version() -> None:
    assert runner.invoke(app, ["--version"]).stdout.strip() == f"understudy {understudy.__version__}"


MISTAKES = {
    "unknown command": ["rnu"],
    "no arguments": ["run"],
    "a missing team": ["run", "nowhere.yaml", "text"],
    "no request": ["run", "team.yaml"],
    "an empty request": ["run", "team.yaml", "  "],
    "two requests": ["run", "team.yaml", "text", "--input", "request.txt"],
    "a request that is no JSON": ["run", "team.yaml", "--input", "broken.json"],
    "a request that is a list": ["run", "team.yaml", "--input", "list.json"],
    "a folder as team": ["run", ".", "text"],
    "a missing role file": ["learn", "nowhere.yaml"],
    "a binary role file": ["learn", "binary.yaml"],
    "an unknown role": ["ask", "nobody", "text"],
    "a missing file of messages": ["ask", "nobody", "nowhere.jsonl"],
    "a missing file of questions": ["evaluate", "nobody", "nowhere.jsonl"],
    "an empty file of questions": ["evaluate", "nobody", "empty.jsonl"],
    "a broken line": ["evaluate", "nobody", "broken.jsonl"],
    "an unknown schema": ["schema", "flow"],
    "an unknown option": ["schema", "team", "--jsn"],
    "a missing file to check": ["check", "nowhere.yaml"],
    "a table to check": ["check", "demonstrations.csv"],
    "training without its data": ["train", "backbone", "--data", "nowhere"],
    "an unknown preset": ["train", "backbone", "--data", ".", "--preset", "huge"],
    "training over an unfinished one": ["train", "backbone", "--data", ".", "--work", "."],
    "an unknown run": ["runs", "show", "nothing"],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with some broken files."""
    (tmp_path / "broken.json").write_text('{"a": \n  oops}', encoding="utf-8")
    (tmp_path / "list.json").write_text("[1]", encoding="utf-8")
    (tmp_path / "request.txt").write_text("hello", encoding="utf-8")
    (tmp_path / "team.yaml").write_text("team: x\n", encoding="utf-8")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "empty.jsonl").write_text("\n\n", encoding="utf-8")
    (tmp_path / "broken.jsonl").write_text('{"takes": {"text": "a"}, "gives": {}}\n{"takes": \n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNDERSTUDY_JOURNAL", raising=False)
    return tmp_path


@pytest.mark.parametrize("arguments", MISTAKES.values(), ids=MISTAKES)
def test_a_users_mistake_is_a_sentence_and_2(arguments: list[str], folder: Path) -> None:
    done = runner.invoke(app, arguments)
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert done.stderr.strip() or "nowhere.yaml:1:1" in done.stdout
    assert not (folder / ".understudy").exists(), "a refused call leaves nothing behind"


JSON_MISTAKES = [name for name in MISTAKES if name not in ("unknown command", "no arguments", "an unknown option")]


@pytest.mark.parametrize("name", JSON_MISTAKES)
def test_with_json_a_mistake_is_one_object_too(name: str, folder: Path) -> None:
    done = runner.invoke(app, [*MISTAKES[name], "--json"])
    assert done.exit_code == 2
    told = json.loads(done.stdout)
    assert told["error"]["what"] if "error" in told else told["problems"][0]["what"]


def test_a_broken_line_is_named(folder: Path) -> None:
    done = runner.invoke(app, MISTAKES["a broken line"])
    assert "broken.jsonl:2: not JSON" in done.stderr
    done = runner.invoke(app, MISTAKES["a request that is no JSON"])
    assert "broken.json:2:3: not JSON" in done.stderr


def test_ctrl_c_is_130_with_a_sentence(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("understudy.workflows.schema.check", interrupted)
    done = runner.invoke(app, ["check", "team.yaml"])
    assert done.exit_code == 130
    assert done.stderr.strip() == "stopped"


def test_a_mistake_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    def wrong(*_: object, **__: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("understudy.workflows.schema.check", wrong)
    assert isinstance(runner.invoke(app, ["check", "team.yaml"]).exception, ZeroDivisionError)


def test_in_a_process_of_its_own(command: Command) -> None:
    done = command("schema", "role")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["$schema"]
    done = command("run", "nowhere.yaml", "text")
    assert done.returncode == 2
    assert "nowhere.yaml" in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == ""


def test_check_finds_mistakes_and_praises_their_absence(command: Command, checkout: Path, folder: Path) -> None:
    good = checkout / "examples" / "triage" / "role.yaml"
    done = command("check", good)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no mistakes" in done.stdout
    bad = folder / "role.yaml"
    bad.write_text(good.read_text(encoding="utf-8").replace("does:", "doess:", 1), encoding="utf-8")
    done = command("check", bad, good)
    assert done.returncode == 2
    place, rest = done.stdout.split(": ", 1)
    assert place.startswith(f"{bad}:") and place.count(":") >= 2
    assert "doess" in rest and "did you mean 'does'" in rest
    told = json.loads(command("check", bad, "--json").stdout)
    assert told["ok"] is False
    assert {"file", "line", "column", "path", "what", "why", "suggestion"} <= told["problems"][0].keys()


def test_the_app_is_what_the_console_script_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    from understudy import cli

    assert isinstance(cli.app, typer.Typer)
    monkeypatch.setattr("sys.argv", ["understudy", "--version"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 0
