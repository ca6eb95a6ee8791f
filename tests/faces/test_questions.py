"""Lines of a team's evaluation file, and how values are compared with what is given."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from understudy.core.errors import UnderstudyError
from understudy.questions import Question, alike, folded, question, read_questions, right_finding, right_rows

WHERE = "q.jsonl:3"


def test_a_line_is_read_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    lines = [
        {"id": "x", "role": "qa", "request": "a", "values": ["b", 1], "also": [["c"]], "reference": ["SELECT 1"]},
        {"request": {"text": "a"}, "expect": {"answer": "b"}, "plans": [["qa", "coder"], ["coder"]]},
    ]
    file.write_text("\n\n".join(map(json.dumps, lines)), encoding="utf-8")
    first, second = read_questions(file)
    assert first == Question("x", "qa", "a", ("b", 1), (("c",),), ("SELECT 1",), where=f"{file}:1")
    assert (second.id, second.role, second.where) == ("3", "team", f"{file}:3")
    assert second.request == {"text": "a"} and second.needs_two and not first.needs_two
    assert not replace(first, plans=(("qa", "qa"), ("qa", "coder"))).needs_two, "one role twice, in the first plan"
    assert second.wanted() == {"expect": {"answer": "b"}, "plans": (("qa", "coder"), ("coder",))}


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ({"values": ["a"]}, "no 'request', only values"),
        ({"request": "  ", "values": ["a"]}, "'request' is no text"),
        ({"request": "a", "vlaues": ["a"]}, "no field 'vlaues'"),
        ({"request": "a"}, "nothing says what would be right"),
        ({"request": "a", "values": []}, "nothing says what would be right"),
        ({"request": "a", "unanswerable": False}, "nothing says what would be right"),
        ({"request": "a", "values": "b"}, "'values' is no list of texts and numbers"),
        ({"request": "a", "values": [True]}, "'values' is no list of texts and numbers"),
        ({"request": "a", "plans": [[]]}, "'plans' is no list of lists of agents"),
        ({"request": "a", "plans": ["qa"]}, "'plans' is no list of lists of agents"),
        ({"request": "a", "also": ["qa"], "values": ["b"]}, "'also' is no list of lists of values"),
        ({"request": "a", "unanswerable": "yes"}, "'unanswerable' is no true or false"),
        ({"request": "a", "role": 3, "values": ["b"]}, "'role' is no name of an agent"),
        ({"request": "a", "values": ["b"], "unanswerable": True}, "has an answer and is 'unanswerable'"),
        ({"request": "a", "values": ["b"], "expect": "c"}, "'expect' and 'values' are mixed"),
        ({"request": "a", "values": [" "]}, "'values' is no list of texts and numbers"),
        ({"request": "a", "values": ["b"], "also": [[]]}, "'also' is no list of lists of values"),
        ({"request": "a", "also": [["b"]]}, "'also' stands without 'values'"),
        ({"request": "a", "values": [], "also": [["b"]]}, "'also' stands without 'values'"),
        ({"request": "a", "expect": " "}, "'expect' is met by any answer"),
        ({"request": "a", "expect": {}}, "'expect' is met by any answer"),
        ({"request": "a", "expect": {"answer": ""}}, "'expect' is met by any answer"),
        ({"request": "a", "expect": {"answer": {"contains": []}}}, "'expect' is met by any answer"),
        ({"request": "a", "expect": {"contains": ["", " "]}}, "'expect' is met by any answer"),
        ({"request": "a", "expect": {"answer": {"any_of": ["Lima", ""]}}}, "'expect' is met by any answer"),
        ({"request": "a", "expect": {"answer": {"lacks": []}}}, "'expect' is met by any answer"),
    ],
)
def test_a_bad_line_is_told_with_its_place(line: dict[str, Any], what: str) -> None:
    with pytest.raises(UnderstudyError, match=what) as told:
        question(line, WHERE)
    assert told.value.where == WHERE and told.value.mend


@pytest.mark.parametrize("expect", [
    "Lima", 5, False, {"answer": {"equals": ""}}, {"values": []}, {"queue": "bug", "note": ""}, {"a": {"lacks": ""}},
    {"a": {"contains": ["b"]}}, {"a": {"contains": 5}}, {"a": {"contains": [5]}},
    {"a": {"lacks": ["b"]}}, {"a": {"any_of": ["b"]}}, [], None,
])  # fmt: skip
def test_what_asks_for_something_may_be_expected(expect: Any) -> None:
    told = {} if expect is not None else {"values": ["a"]}
    assert question({"request": "a", "expect": expect, **told}, WHERE).expect == expect


def test_an_empty_list_is_none_that_is_right() -> None:
    assert Question("q", "qa", "?", values=("a",), also=((), ("b",))).accepted == (("a",), ("b",))
    assert Question("q", "qa", "?").accepted == ()


def test_who_expects_abstaining_asks_what_cannot_be_answered() -> None:
    assert question({"request": "a", "expect": {"abstained": True}}, WHERE).unanswerable
    assert not question({"request": "a", "expect": {"abstained": False}}, WHERE).unanswerable


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text("\n", encoding="utf-8")
    with pytest.raises(UnderstudyError, match="no lines; write one a line"):
        read_questions(tmp_path / "q.jsonl")


@pytest.mark.parametrize(
    ("value", "other", "same"),
    [
        ("The Bahamas", "bahamas", True), ("Côte d'Ivoire.", "cote d'ivoire", True), ("1,234,567", 1234567, True),
        ("162861.00", 162861, True), (95598454.79, 95598454.787, True), ("95.60", 95, False), ("Chad", "Mali", False),
        ("54", 54, True), ("12, 13", "1213", False), (1000000, 1000001, False), ("1,000,000", "1000001", False),
        ("2024", 2025, False), (1000000.4, 1000000, True), (5.0, "5", True), ("1000000.4", "1,000,000", True),
    ],
)  # fmt: skip
def test_values_are_compared_as_people_would(value: str | float, other: str | float, same: bool) -> None:
    assert alike(value, other) is same
    assert alike(other, value) is same


@pytest.mark.parametrize(
    ("found", "wanted", "same"),
    [
        (467.08, 467, True), ("467.08", "467", True), (3.7049, 3.7, True), (3.76, 3.7, False), (467.6, 467, False),
        (467, 467.08, False), (468, 467, False), (0.3, 0, False), (12.34, 12.0, False), (1e-7, 0.0000001, True),
        (2.4, 2, False), ("5.49", "5", False), (0.26, 0.3, False), (93.7, 94, True), (1.31, 1.3, True), (0.0, 0, True),
        (2.04, 2.0, True), (10.4, 10, False),
    ],
)  # fmt: skip
def test_a_finer_figure_than_the_wanted_one_is_it(found: str | float, wanted: str | float, same: bool) -> None:
    assert alike(found, wanted) is same


def test_numbers_beyond_all_measure_are_compared_too() -> None:
    assert alike("9" * 5000, "9" * 5000) and not alike("9" * 5000, 9)
    assert not alike(10**400, 1.5) and not alike(10**400, 10**400 + 1)


def test_folding_keeps_words_apart() -> None:
    assert folded("Guinea-Bissau") != folded("Guinea")


LANGUAGES = Question("q", "qa", "?", values=("English", "French"), also=(("both",),))


@pytest.mark.parametrize(
    ("answer", "values", "right"),
    [
        ("English and French", (), True), ("x", ("French", "English"), True), ("Both", (), True),
        ("English", ("English",), False), ("English, French, Dutch", (), False), ("", (), False),
    ],
)  # fmt: skip
def test_a_finding_is_right_by_its_values_or_its_words(answer: str, values: tuple[str, ...], right: bool) -> None:
    assert right_finding(LANGUAGES, answer, values, abstained=False) is right
    assert not right_finding(LANGUAGES, answer, values, abstained=True)


def test_what_no_source_says_is_right_only_when_not_answered() -> None:
    hopeless = Question("q", "qa", "?", unanswerable=True)
    assert right_finding(hopeless, "not in my sources", (), abstained=True)
    assert not right_finding(hopeless, "Lula", ("Lula",), abstained=False)


def test_rows_are_right_by_one_whole_column() -> None:
    question = Question("q", "coder", "?", values=("Chad", "Mali"))
    assert right_rows(question, [("Mali",), ("Chad",)])
    assert right_rows(question, [("Mali", 5), ("Chad", 7)])
    assert not right_rows(question, [("Mali",)])
    assert not right_rows(question, [("Mali",), ("Chad",), ("Niger",)])
    assert not right_rows(question, [("Mali", 5, 6), ("Chad", 7, 8)]), "a result with everything in it is no answer"
    assert not right_rows(question, [])
    assert not right_rows(replace(question, values=(12,)), [(None,)])


def test_rows_are_right_where_all_that_they_hold_is_wanted() -> None:
    question = Question("q", "coder", "?", values=("Chad", 5, "Mali", 7))
    assert right_rows(question, [("Mali", 7), ("Chad", 5)])
    assert right_rows(replace(question, values=("Lima", "Sol", "left")), [("Lima", "Sol", "left")])
    assert not right_rows(question, [("Mali", 7)])
    assert not right_rows(question, [("Mali", 7), ("Chad", 6)])
    assert right_rows(question, [(7, "Mali"), (5, "Chad")])
    assert not right_rows(question, [("Mali", 5), ("Chad", 7)]), "each has the other's figure"
    assert not right_rows(question, [("Mali", 7), ("Chad", None)])
    assert not right_rows(replace(question, values=(2, 3)), [(1.6, 2.9)])
