"""The questions to develop with, put to one role."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import developing
from understudy.questions import read_questions

LINES = (
    {"id": "a", "role": "coder", "request": "How many countries are there in Africa?", "values": [54]},
    {"id": "b", "role": "coder", "request": "How many countries are there in Africa?", "values": [3]},
    {"id": "c", "role": "coder", "request": "How many countries are there in Africa?", "unanswerable": True},
    {"id": "d", "role": "team", "request": "How many people live in Chad?", "values": [1], "plans": [["coder"]]},
    {"id": "e", "role": "team", "request": "Who was king of Chad?", "unanswerable": True, "plans": [["recommender"]]},
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "asked.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES), encoding="utf-8")
    return path


def told(role: str, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The row of the file, and what is printed of wrong answers."""
    monkeypatch.setattr(sys, "argv", ["developing", role, "--files", str(file), "--wrong"])
    developing.main()
    lines = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if "asked.jsonl" in line and "│" in line)
    return [*(cell.strip() for cell in lines[at].split("│")[2:7]), "\n".join(lines[at + 2 :])]


def test_a_role_s_answers_are_counted_and_the_wrong_ones_shown(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right, of, answered, wrong, false, shown = told("coder", file, monkeypatch, capsys)
    assert (right, of, answered, wrong, false) == ("1", "3", "2", "1", "1 of 1")
    assert shown.count("COUNT") == 2 and "wanted {'values': (3,)}" in shown


def test_the_planner_is_asked_what_the_whole_desk_is(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [one.id for one in developing.asked_of("planner", read_questions(file))] == ["d", "e"]
    right, of, _, _, _, shown = told("planner", file, monkeypatch, capsys)
    assert (right, of) == ("1", "2") and "wanted (('recommender',),)" in shown
