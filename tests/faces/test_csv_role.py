"""A bare CSV file becomes a role: its columns, the types of its cells, and what is wrong with it, with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from understudy.agents.role import role_from_document
from understudy.core.errors import UnderstudyError
from understudy.csv_role import kind_of, role_document, role_name, write_role
from understudy.csv_table import read_table
from understudy.lesson import read_role

MAIL = """\
text,queue,urgent
"Charged twice, help",billing,yes
The app crashes,bug,No
Invoice please,billing,no
It froze again,bug,TRUE
"""


def written(folder: Path, text: str, name: str = "mail.csv") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8", newline="")
    return file


def document(folder: Path, text: str, *gives: str) -> dict[str, Any]:
    return role_document(written(folder, text), gives)


def test_the_first_column_comes_in_and_the_rest_is_given(tmp_path: Path) -> None:
    found = document(tmp_path, MAIL)
    assert found == {
        "schema": "understudy/role/v1",
        "role": "mail",
        "does": "gives queue and urgent for a text",
        "takes": {"text": "text"},
        "gives": {"queue": ["billing", "bug"], "urgent": "boolean"},
        "demonstrations": [
            {"takes": {"text": "Charged twice, help"}, "gives": {"queue": "billing", "urgent": True}},
            {"takes": {"text": "The app crashes"}, "gives": {"queue": "bug", "urgent": False}},
            {"takes": {"text": "Invoice please"}, "gives": {"queue": "billing", "urgent": False}},
            {"takes": {"text": "It froze again"}, "gives": {"queue": "bug", "urgent": True}},
        ],
    }
    assert len(role_from_document(found, tmp_path).examples()) == 4


def test_columns_may_say_or_be_told_what_they_are(tmp_path: Path) -> None:
    told = document(tmp_path, MAIL, "queue")
    assert (list(told["takes"]), list(told["gives"])) == (["text", "urgent"], ["queue"])
    assert document(tmp_path, MAIL, "urgent")["takes"] == {"text": "text", "queue": "text"}
    assert told["does"] == "gives queue for a text and an urgent"
    headed = document(tmp_path, MAIL.replace("text,queue,urgent", "Takes.text,gives.queue,takes.urgent"))
    assert (list(headed["takes"]), list(headed["gives"])) == (["text", "urgent"], ["queue"])
    half = document(tmp_path, MAIL.replace("text,queue,urgent", "text,gives.text,urgent"))
    assert (list(half["takes"]), list(half["gives"])) == (["text", "urgent"], ["text"])
    other = document(tmp_path, MAIL.replace("text,queue,urgent", "takes.text,queue,takes.urgent"))
    assert (list(other["takes"]), list(other["gives"])) == (["text", "urgent"], ["queue"])


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ("yes No TRUE false", "boolean"),
        ("1 -20 +3 0", "integer"),
        ("1 2.5 -.5 3", "number"),
        ("1.1 1.10 1.2 1.3", "text"),
        ("1.10 1.2 1.10 1.2", ["1.10", "1.2"]),
        ("0.05 100 1.01 3", "number"),
        ("123456789012 -999999999999 1 2", "integer"),
        ("1234567890123 1 2 3", "text"),
        ("1234567890123 1.5 2 3", "text"),
        ("1,234 950 12,000 -1,234,567", "integer"),
        ("1,234.5 950 .5 2", "number"),
        ("123,456,789,012 1 2 3", "integer"),
        ("1,234,567,890,123 1 2 3", "text"),
        ("1,234 1,5 2 3", "text"),
        ("1,234 0,125 2 3", "text"),
        ("1,234 12,34 2 3", "text"),
        ("1,234.50 2 3 4", "text"),
        ("007 008 007 008", ["007", "008"]),
        ("1,5 2,5 3,5 4,5", "text"),
        ("a b a b a b", ["a", "b"]),
        ("b a b a", ["b", "a"]),
        ("a a a b", ["a", "b"]),
        ("a b c a b c", ["a", "b", "c"]),
        ("a a b c d d", "text"),
        ("a b c d", "text"),
        ("a a b b c c d", "text"),
        ("a a a a a a b c", "text"),
        ("nan inf nan inf", ["nan", "inf"]),
    ],
)
def test_types_are_read_off_the_cells(cells: str, kind: Any) -> None:
    assert kind_of(cells.split(), choices=True) == kind


def test_choices_are_few_and_short_and_given_only() -> None:
    assert kind_of([str(at % 13) + "x" for at in range(52)], choices=True) == "text"
    assert len(kind_of([str(at % 12) + "x" for at in range(52)], choices=True)) == 12
    assert kind_of(["a" * 41, "b"] * 4, choices=True) == "text"
    assert kind_of(["a" * 40, "b"] * 4, choices=True) != "text"
    assert kind_of(["a", "b"] * 4, choices=False) == "text", "what comes in may be something else tomorrow"
    assert kind_of(["yes", "no"] * 4, choices=False) == "boolean"


def test_names_are_made_usable(tmp_path: Path) -> None:
    assert [role_name(Path(name)) for name in ("a b.csv", "2024.csv", "тест.csv", "x-1.csv")] == [
        "a_b", "role_2024", "role", "x-1",
    ]  # fmt: skip
    found = document(tmp_path, MAIL.replace("text,queue,urgent", '"Customer\'s text", 1st queue ,urgent?'))
    assert (list(found["takes"]), list(found["gives"])) == (["Customer_s_text"], ["field_1st_queue", "urgent"])
    with pytest.raises(UnderstudyError, match="'qa' is a role that ships"):
        role_name(Path("qa.csv"))


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_a_mark_and_empty_rows_are_fine(tmp_path: Path, delimiter: str) -> None:
    plain = document(tmp_path, MAIL.replace(", help", " help"))
    other = "\ufeff" + MAIL.replace(", help", " help").replace(",", delimiter).replace("\n", "\r\n")
    other += f"\r\n{delimiter}{delimiter}\r\n"
    assert document(tmp_path, other) == plain
    assert read_table(tmp_path / "mail.csv").header == ("text", "queue", "urgent")


def test_thousands_are_parted_by_commas_and_not_between_semicolons(tmp_path: Path) -> None:
    text = 'text,count,price\na,"1,234","1,000.5"\nb,950,2\nc,"-12,000",3\nd,7,4\n'
    found = document(tmp_path, text)
    assert found["gives"] == {"count": "integer", "price": "number"}
    given = [tuple(one["gives"].values()) for one in found["demonstrations"]]
    assert given == [(1234, 1000.5), (950, 2), (-12000, 3), (7, 4)]
    found = document(tmp_path, "text;litre\na;1,799\nb;2,049\nc;1,812\nd;1,655\n")
    assert found["gives"] == {"litre": "text"}, "a price of a litre of fuel, where a comma is the decimal mark"


@pytest.mark.parametrize(("said", "delimiter"), [("sep=;", ";"), ("SEP=|", "|"), ('"sep=,"', ","), ("sep=\t", "\t")])
def test_the_line_by_which_spreadsheets_say_the_delimiter_is_no_row(
    tmp_path: Path, said: str, delimiter: str
) -> None:
    plain = MAIL.replace(", help", " help").replace(",", delimiter)
    expected = document(tmp_path, MAIL.replace(", help", " help"))
    for end in ("\n", "\r\n"):
        assert document(tmp_path, "\ufeff" + f"{said}\n{plain}".replace("\n", end)) == expected
    table = read_table(tmp_path / "mail.csv")
    assert (table.line, table.rows[0][0]) == (2, 3), "lines are those of the file"
    with pytest.raises(UnderstudyError, match="mail.csv:2: two columns are called 'queue'"):
        document(tmp_path, f"{said}\n{plain.replace('urgent', 'queue')}")
    with pytest.raises(UnderstudyError, match="mail.csv:4:1: 2 cells in a row of 3; put a cell that has"):
        document(tmp_path, f"{said}\n{plain.replace(f'{delimiter}No', '')}")


def test_rows_know_their_first_line(tmp_path: Path) -> None:
    file = written(tmp_path, '\na,b\n"x\ny",1\n\nz,2\n')
    assert [line for line, _ in read_table(file).rows] == [3, 6]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "mail.csv:1: the file is empty"),
        (MAIL.replace("Invoice please,", "Invoice, please,"), "mail.csv:4:1: 4 cells in a row of 3; put a cell"),
        (MAIL.replace("bug,No", "bug"), "mail.csv:3:1: 2 cells in a row of 3"),
        (MAIL.replace("bug,No", ",No"), "mail.csv:3:1: queue: the cell is empty; fill it in"),
        (MAIL.replace('"Charged', '"Charged"'), "mail.csv:2:1: CSV:"),
        (MAIL + '"never closed,bug,no\n', "mail.csv:6:1: CSV: unexpected end of data"),
        ("\n".join(MAIL.splitlines()[:4]), "mail.csv:1: 3 rows, but a role needs at least 4"),
        ("text\na\nb\nc\nd\n", "mail.csv:1: no column says what is given"),
        (MAIL.replace("urgent\n", "queue\n"), "mail.csv:1: two columns are called 'queue'"),
        (MAIL.replace("urgent\n", "\n"), "mail.csv:1: column 3 has no header"),
        (MAIL.replace("urgent\n", "??\n"), "mail.csv:1: the header '??' has no letters"),
        (MAIL.replace("urgent\n", "json\n"), "mail.csv:1: a field cannot be called 'json'"),
        (MAIL.replace("text,queue", "takes.text,gives.queue"), "mail.csv:1: is 'urgent' taken or given?; head it"),
        (MAIL.replace("bug", "billing"), "mail.csv:1: all rows give the same queue, 'billing'; add rows with other"),
        (MAIL.replace("No", "yes").replace("no\n", "Yes\n"), "mail.csv:1: all rows give the same urgent, 'yes'; add"),
        ("text,count\na,1\nb,+1\nc,1\nd,1\n", "mail.csv:1: all rows give the same count, '1'; add rows with other"),
        ("text,size\na,1.5\nb,1.5\nc,1.5\nd,1.5\n", "mail.csv:1: all rows give the same size, '1.5'; add rows"),
        (MAIL.replace("bug,TRUE", "Bug,TRUE"), "mail.csv:5:1: queue: 'Bug' and 'bug' ("),
        (MAIL.replace("bug", "BILLING"), "mail.csv:2) differ in case alone; write them alike"),
        (MAIL + "The app crashes,billing,no\n", "mail.csv:6:1: contradicts line 3"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UnderstudyError) as error:
        document(tmp_path, text)
    assert told in str(error.value)


def test_case_matters_nowhere_but_in_choices(tmp_path: Path) -> None:
    names = "text,name\nI am Mark,Mark\nsee the mark,mark\nhi Ann,Ann\nBea here,Bea\nCy here,Cy\n"
    assert document(tmp_path, names)["gives"] == {"name": "text"}
    assert document(tmp_path, names + "Dan,Dan\nEve,Eve\n", "text")["takes"] == {"name": "text"}
    shouted = "text,queue\n" + "".join(f"{at},{'BUG' if at == 3 else 'Bug' if at == 5 else 'bug'}\n" for at in range(8))
    with pytest.raises(UnderstudyError, match="2 mistakes") as error:
        document(tmp_path, shouted)
    assert "mail.csv:5:1: queue: 'BUG' and 'bug'" in str(error.value)
    assert "mail.csv:7:1: queue: 'Bug' and 'bug'" in str(error.value)


def test_every_mistake_of_a_kind_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="2 mistakes") as error:
        document(tmp_path, MAIL.replace("bug,No", "bug").replace("bug,TRUE", "bug"))
    assert "mail.csv:3:" in str(error.value) and "mail.csv:5:" in str(error.value)


def test_what_is_given_must_be_a_column_and_something_come_in(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="mail.csv:1: there is no column 'kueue'; did you mean 'queue'"):
        document(tmp_path, MAIL, "kueue")
    with pytest.raises(UnderstudyError, match="no column says what comes in"):
        document(tmp_path, MAIL, "text", "queue", "urgent")


def test_other_encodings_and_missing_files_are_told(tmp_path: Path) -> None:
    file = tmp_path / "mail.csv"
    file.write_bytes(MAIL.replace("crashes", "stürzt").encode("latin-1"))
    with pytest.raises(UnderstudyError, match=r"mail.csv:3: not UTF-8 text \(byte .*; save it as UTF-8"):
        role_document(file)
    with pytest.raises(UnderstudyError, match="gone.csv: no such file"):
        role_document(tmp_path / "gone.csv")


def test_a_role_that_is_written_is_the_same_role(tmp_path: Path) -> None:
    hard = MAIL.replace("It froze again", '"no: ""#1"", yes\nsecond line – é"').replace("billing", "no")
    found = document(tmp_path, hard)
    write_role(found, tmp_path / "roles" / "role.yaml")
    again = read_role(tmp_path / "roles" / "role.yaml")
    assert again.document() == found
    with pytest.raises(UnderstudyError, match="there already"):
        write_role(found, tmp_path / "roles" / "role.yaml")


def test_the_travel_desks_triage(checkout: Path) -> None:
    found = role_document(checkout / "examples" / "travel_desk" / "triage.csv")
    assert found["gives"] == {"queue": ["booking", "refund", "documents", "complaint"], "urgent": "boolean"}
    assert len(found["demonstrations"]) == 12
