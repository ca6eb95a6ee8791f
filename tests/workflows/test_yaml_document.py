"""YAML documents: plain values, places, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from understudy.workflows.yaml_document import MOST_NODES, parse_document, read_document

TEXT = """\
schema: v1
agents:
  planner: {role: planner, tools: [{sql: "a.csv"}]}
steps:
- one
-  two
"""


def test_values_and_places() -> None:
    document = parse_document(TEXT, "team.yaml")
    assert document.problems == ()
    assert document.value == {
        "schema": "v1",
        "agents": {"planner": {"role": "planner", "tools": [{"sql": "a.csv"}]}},
        "steps": ["one", "two"],
    }
    assert document.place(("agents", "planner", "role")) == (3, 19)
    assert document.place(("agents", "planner", "role"), key=True) == (3, 13)
    assert document.place(("agents", "planner", "tools", 0, "sql")) == (3, 42)
    assert document.place(("steps", 1)) == (6, 4)
    assert document.place(("steps", 1, "more")) == (6, 4)
    problem = document.problem(("agents", "planner", "tools", 0, "sql"), "missing", offset=2)
    assert str(problem) == "team.yaml:3:45: agents.planner.tools[0].sql: missing"


@pytest.mark.parametrize(("text", "value"), [
    ("5", 5), ("-5", -5), ("+5", 5), ("1_000", 1000), ("0x1F", 31), ("0o17", 15), ("1.5", 1.5), ("1e3", 1000.0),
    ("yes", "yes"), ("on", "on"), ("true", True), ("False", False), ("null", None), ("~", None), ("''", ""),
    ("2020-01-01", "2020-01-01"), ("'5'", "5"), ("!!str 5", "5"), ("|\n  a\n  b", "a\nb"), ("1:30", "1:30"),
])
def test_scalars(text: str, value: Any) -> None:
    found = parse_document(f"key: {text}").value["key"]
    assert found == value and type(found) is type(value)


def test_merge_keys_give_way_to_written_ones() -> None:
    document = parse_document("base: &b {x: 1, y: 2}\nother:\n  <<: *b\n  y: 3\n")
    assert document.value["other"] == {"x": 1, "y": 3}
    assert document.place(("other", "y")) == (4, 6)


@pytest.mark.parametrize(("text", "place", "what"), [
    ("a: [1,\nb: 2", (2, 5), "expected ',' or ']'"),
    ("a: b: c", (1, 5), "mapping values are not allowed here; quote the value"),
    ("a: b\n  c: d", (2, 4), "mapping values are not allowed here; check the indentation"),
    ("a:\n  - x: 1\n      y: 2", (3, 8), "mapping values are not allowed here; check the indentation"),
    ("a: b\n  'c': d", (2, 6), "mapping values are not allowed here; check the indentation"),
    ("a: b\n  at noon: d", (2, 10), "mapping values are not allowed here; quote the value"),
    ("a:\n\t- b", (2, 1), "indent with spaces"),
    ("a: {b: c}\n  d: e", (2, 3), "this line is deeper than the one above, which has a value already"),
    ("a:\n  - b: {c: d}\n\n    # e\n     f: g", (5, 6), "this line is deeper than the one above"),
    ("a:\n    b: c\n  d: e", (3, 3), "this line lines up with none above"),
    ("a:\n  - b: c\n   - d: e", (3, 4), "this line lines up with none above"),
    ("a:\n  - b: c\n - d: e", (3, 2), "this line lines up with none above"),
    ("a:\n  b: c\n  - d", (3, 3), "the lines above are keys, and a dash begins the item of a list"),
    ("a: 'b'\n  - c", (2, 3), "check the indentation"),
    (" a: b\nc: d", (2, 1), "this line begins further left than the first"),
    ("a: - b", (1, 4), "begin the list on the next line, or write [ … ]"),
    ("a: b\nc\nd: e", (2, 1), "write key: value, with a space after the colon"),
    ("a: b\nc:d\ne: f", (2, 1), "write key: value, with a space after the colon"),
    ("a: !e!f b", (1, 4), "take the tag away, or quote the value"),
    ("a: *nope", (1, 4), "undefined alias"),
    ("a: 1\nb: 2\na: 3", (3, 1), "duplicate key 'a'; it is already on line 1"),
    ("x:\n  a: 1\n  a: 2", (3, 3), "x.a: duplicate key 'a'"),
    ("a: &x [*x]", (1, 4), "contains itself"),
    ("a: &x\n  <<: *x", (1, 4), "contains itself"),
    ("a: !!python/object:os.system x", (1, 4), "tag 'tag:yaml.org,2002:python/object:os.system' is not allowed"),
    ("a: !env HOME", (1, 4), "tag '!env' is not allowed"),
    ("a: !env {b: c}", (1, 4), "tag '!env' is not allowed"),
    ("a: !env [b]", (1, 4), "tag '!env' is not allowed"),
    ("a: !!set {b, c}", (1, 4), "tag 'tag:yaml.org,2002:set' is not allowed"),
    ("? [a]\n: b", (1, 3), "a key that is not a text"),
    ("--- a\n--- b", (2, 1), "another document"),
    ("a: \x07", (1, 4), "a control character"),
    ("a: b\nc: \x00", (2, 1), "a null byte"),
    ("", (1, 1), "the file is empty"),
    ("# nothing", (1, 1), "the file is empty"),
    ("[" * 600, (1, 1), "nested too deeply"),
    ("[" * 70 + "]" * 70, (1, 61), "nested too deeply"),
])
def test_what_cannot_be_read(text: str, place: tuple[int, int], what: str) -> None:
    problems = parse_document(text, "f.yaml").problems
    assert len(problems) == 1
    assert what in str(problems[0])
    assert (problems[0].line, problems[0].column) == place


def test_all_duplicates_are_reported_at_once() -> None:
    assert [p.path for p in parse_document("a: 1\nb: {c: 1, c: 2}\na: 2\n").problems] == ["b.c", "a"]


def test_depth_is_bounded_whatever_the_stack_allows() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(5000)  # as compiling a model does in the same process
    try:
        assert "nested too deeply" in str(parse_document("[" * 600).problems[0])
    finally:
        sys.setrecursionlimit(limit)


def test_aliases_cannot_unfold_without_end() -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9))
    problems = parse_document("l0: &l0 [a, a]\n" + levels).problems
    assert f"more than {MOST_NODES} values" in str(problems[0])


ENVIRONMENT = {"HOST": "here", "NUMBER": "7", "EMPTY": ""}


@pytest.mark.parametrize(("text", "value"), [
    ("${HOST}", "here"),
    ("a ${HOST} b", "a here b"),
    ("${NUMBER}", 7),
    ("'${NUMBER}'", "7"),
    ("${NOPE:-9}", 9),
    ("${EMPTY:-default}", "default"),
    ("${EMPTY}", None),
    ("'${NOPE:-}'", ""),
    ("$${HOST} costs $$5", "${HOST} costs $5"),
    ("$end", "$end"),
])
def test_variables(text: str, value: Any) -> None:
    document = parse_document(f"key: {text}", environment=ENVIRONMENT)
    assert document.value["key"] == value and not document.problems


def test_unset_and_broken_variables_are_reported() -> None:
    document = parse_document('a: ${NOPE}\nb: "${BAD"\nc: "${}"', environment=ENVIRONMENT)
    assert [(p.path, p.line) for p in document.problems] == [("a", 1), ("b", 2), ("c", 3)]
    assert "set it, or write ${NOPE:-default}" in str(document.problems[0])


def test_variables_stay_where_no_environment_is_given() -> None:
    assert parse_document("a: ${HOST}").value == {"a": "${HOST}"}


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("a: é".encode("latin-1"))
    assert "not UTF-8 text (byte 3)" in str(read_document(tmp_path / "latin.yaml").problems[0])
    assert "did you mean" in str(read_document(tmp_path / "latn.yaml").problems[0])
    assert "is a folder" in str(read_document(tmp_path).problems[0])
    assert "cannot be read" in str(read_document(tmp_path / ("x" * 300)).problems[0])


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "bom.yaml").write_text("\ufeffa: 1", encoding="utf-8")
    assert read_document(tmp_path / "bom.yaml").value == {"a": 1}
