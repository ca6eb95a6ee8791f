"""Messages with their right answers, read for a role: from its columns or from JSON, each mistake with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from understudy.agents.role import Demonstration, Role, role_from_document
from understudy.core.errors import UnderstudyError
from understudy.unseen import read_unseen

DOCUMENT = {
    "role": "mail",
    "does": "sorts",
    "takes": {"text": "text"},
    "gives": {"queue": ["billing", "bug"], "order_number": "integer", "urgent": "boolean", "tags": {"list": "text"}},
}


@pytest.fixture
def role(tmp_path: Path) -> Role:
    return role_from_document(DOCUMENT, tmp_path)


def read(folder: Path, role: Role, text: str, name: str = "unseen.csv") -> list[Demonstration]:
    (folder / name).write_text(text, encoding="utf-8")
    return read_unseen(folder / name, role)


def test_a_table_and_json_lines_are_the_same(tmp_path: Path, role: Role) -> None:
    table = "takes.text;gives.queue;order_number;urgent;tags\n"
    one = read(tmp_path, role, table + 'Help!;bug;7;Yes;"a;b"\n')
    gives = {"queue": "bug", "order_number": 7, "urgent": True, "tags": ["a", "b"]}
    assert one == read(tmp_path, role, json.dumps({"takes": {"text": "Help!"}, "gives": gives}), "unseen.jsonl")
    assert one[0].gives == gives


def test_headers_are_read_as_those_of_the_role_were(tmp_path: Path, role: Role) -> None:
    assert read(tmp_path, role, "text,order number?\nHelp,7\n")[0].gives == {"order_number": 7}


def test_fields_of_the_answer_may_be_left_out(tmp_path: Path, role: Role) -> None:
    assert read(tmp_path, role, "queue,text\nbug,Help\n") == [Demonstration({"text": "Help"}, {"queue": "bug"})]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("u.csv", "text,kueue\nHelp,bug\n", "u.csv:1:1: kueue: unknown column 'kueue'"),
        ("u.csv", "queue,urgent\nbug,no\n", "u.csv:2:1: takes: the field 'text' is missing"),
        ("u.csv", "text,queue\nHelp,bug\nMore,bugg\n", "u.csv:3:1: gives.queue: 'bugg' is not among the choices"),
        ("u.csv", "text,urgent\nHelp,perhaps\n", "u.csv:2:1: gives.urgent: expected boolean"),
        ("u.csv", "text\nHelp\n", "no field of the answer is here"),
        ("u.csv", "text,queue\n", "u.csv:1: the file has no messages"),
        ("u.jsonl", "", "u.jsonl:1: the file has no messages"),
        ("u.jsonl", "\n{}\n", "u.jsonl:2:1: takes: the demonstration's takes is missing"),
        ("u.jsonl", '{"takes": {"text": "a"}, "gives": {"kue": "bug"}}', "unknown field 'kue'"),
        ("u.txt", "", "a .csv or .jsonl file"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, role: Role, name: str, text: str, told: str) -> None:
    with pytest.raises(UnderstudyError) as error:
        read(tmp_path, role, text, name)
    assert told in str(error.value)
