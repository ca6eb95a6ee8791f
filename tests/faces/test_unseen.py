"""Messages with their right answers, read for a role: from its columns or from JSON, each mistake with its line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from understudy.agents.role import Demonstration, Role, role_from_document
from understudy.core.errors import UnderstudyError
from understudy.lesson import read_role
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
    headed = read(tmp_path, role, "Takes.text,GIVES.order number\nHelp,7\n", "UNSEEN.CSV")
    assert headed == [Demonstration({"text": "Help"}, {"order_number": 7})]


def test_cells_are_read_as_those_of_the_role_were(tmp_path: Path, role: Role) -> None:
    assert read(tmp_path, role, 'text,order number\nHelp,"1,234"\n')[0].gives == {"order_number": 1234}
    assert read(tmp_path, role, "sep=|\ntext|order number\nHelp|7\n")[0].gives == {"order_number": 7}


def test_a_table_like_that_of_a_role_is_read_alike(tmp_path: Path) -> None:
    """Whatever its headers say: which is taken, which given, and which stands there twice."""
    rows = "".join(f"a {one},b {one},{number}\n" for number, one in enumerate("xyzwstuv"))
    for header, name in (("TAKES.text,text,takes.n", "one.csv"), ("text,text,n", "Two.CSV"), ("takes. a,b,n", "b.csv")):
        (tmp_path / name).write_text(f"{header}\n{rows}", encoding="utf-8")
        made = read_role(tmp_path / name)
        seen = [Demonstration(dict(one.takes), dict(one.gives)) for one in made.demonstrations]
        assert read_unseen(tmp_path / name, replace(made, demonstrations=())) == seen, header


def test_what_the_role_is_learned_from_is_refused(tmp_path: Path, role: Role) -> None:
    (tmp_path / "mail.csv").write_text(
        "text,count\nOne chair,1\nTwo chairs,2\nThree beds,3\nFour beds,4\n", encoding="utf-8"
    )
    made = read_role(tmp_path / "mail.csv")
    with pytest.raises(UnderstudyError, match="4 mistakes in .*mail.csv") as error:
        read_unseen(tmp_path / "mail.csv", made)
    assert "mail.csv:3:1: takes: the role is learned from this message, demonstration 2; leave" in str(error.value)
    lines = [{"takes": {"text": text}, "gives": {"count": 9}} for text in ("Five", "three  beds", "Three  beds ")]
    with pytest.raises(UnderstudyError, match="1 mistake") as error:
        read(tmp_path, made, "\n".join(map(json.dumps, lines)), "unseen.jsonl")
    assert "unseen.jsonl:3:1: takes: the role is learned from this message, demonstration 3" in str(error.value)
    numbered = role_from_document(DOCUMENT | {"takes": {"size": "number"}}, tmp_path)
    shown = replace(numbered, demonstrations=(Demonstration({"size": "7"}, {"queue": "bug"}),))
    with pytest.raises(UnderstudyError, match=":2:1: takes: the role is learned from this message"):
        read(tmp_path, shown, "size,queue\n7.0,bug\n")


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
        ("u.csv", "text,queue\n", "u.csv:1: the file has no messages; give each message"),
        ("u.jsonl", "", 'u.jsonl:1: the file has no messages; write {"takes": {…}, "gives": {…}}, one a line'),
        ("u.csv", "sep=;\ntext;kueue\nHelp;bug\n", "u.csv:2:1: kueue: unknown column 'kueue'"),
        ("u.csv", "text,queue,gives.queue\nHelp,bug,bug\n", "u.csv:1:1: queue: two columns are called 'queue'"),
        ("u.jsonl", "\n{}\n", "u.jsonl:2:1: takes: the demonstration's takes is missing"),
        ("u.jsonl", '{"takes": {"text": "a"}, "gives": {"kue": "bug"}}', "unknown field 'kue'"),
        ("u.txt", "", "a .csv or .jsonl file"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, role: Role, name: str, text: str, told: str) -> None:
    with pytest.raises(UnderstudyError) as error:
        read(tmp_path, role, text, name)
    assert told in str(error.value)
