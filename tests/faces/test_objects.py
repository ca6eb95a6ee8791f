"""JSON objects of a file, each with its place."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from understudy.core.errors import UnderstudyError
from understudy.objects import parse_object, read_objects

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_the_place_of_a_line_is_its_own(tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_bytes(b'\n{"a": 1}\r\n\r\n{"a": 2}\n')
    assert [(place, line["a"]) for place, line in read_objects(file)] == [(f"{file}:2", 1), (f"{file}:4", 2)]


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x85"])
def test_a_line_ends_only_where_json_lets_it(tmp_path: Path, end: str) -> None:
    """Other ends of lines may stand in a text, as they do where a page was copied."""
    file, texts = tmp_path / "lines.jsonl", [f"two{end}lines", "one"]
    file.write_text("\n".join(json.dumps({"a": text}, ensure_ascii=False) for text in texts), encoding="utf-8")
    assert [line for _, line in read_objects(file)] == [{"a": text} for text in texts]


@pytest.mark.parametrize("text", ["", "nul", "[" * 100_000, '"a"', "1", "{'a': 1}"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(UnderstudyError, match="^here"):
        parse_object(text, "here")


def test_reading_questions_needs_no_command_line(python: Command, tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('{"request": "a", "values": ["b"]}', encoding="utf-8")
    code = (
        "import sys, pathlib; from understudy.questions import read_questions; "
        f"read_questions(pathlib.Path({str(file)!r})); print(sorted({{'typer', 'rich'}} & set(sys.modules)))"
    )
    done = python("-c", code)
    assert done.stdout.strip() == "[]", done.stderr
