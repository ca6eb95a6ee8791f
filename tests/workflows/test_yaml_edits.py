"""YAML texts: written from values, and changed in one place without touching the others."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from understudy.workflows.yaml_document import parse_document
from understudy.workflows.yaml_edits import edited
from understudy.workflows.yaml_text import WIDTH, text_of

TEXT = """\
# a file of ours
team: 'desk'      # its name
agents:
  qa: {role: "qa", passages: 3}  # reads
  # the one with figures
  coder:
    role: coder   # a shipped one
    tools:
    - sql: data.csv   # read only

    - {sql: more.csv}
text: |
  two
  lines

words: [a, 'b',   c]
last: {a: 1,  b: {c: 2}}   # the end
"""


def value() -> dict[str, Any]:
    return copy.deepcopy(parse_document(TEXT).value)


def put(*path: Any) -> Callable[[dict[str, Any]], None]:
    """A change: the last of ``path`` is put where the others lead."""

    def change(document: dict[str, Any]) -> None:
        here: Any = document
        for part in path[:-2]:
            here = here[part]
        here[path[-2]] = path[-1]

    return change


def take(*path: Any) -> Callable[[dict[str, Any]], None]:
    """A change: the last of ``path`` goes."""

    def change(document: dict[str, Any]) -> None:
        here: Any = document
        for part in path[:-1]:
            here = here[part]
        del here[path[-1]]

    return change


CHANGES = {
    "a text": (put("team", "shop"), "team: 'desk'      # its name", "team: shop      # its name"),
    "in brackets": (put("agents", "qa", "passages", 5), "passages: 3}  # reads", "passages: 5}  # reads"),
    "a key in brackets": (put("agents", "qa", "does", "x, y"), "passages: 3}", 'passages: 3, does: "x, y"}'),
    "a key in a block": (put("agents", "coder", "does", "counts"), "    - {sql: more.csv}\n",
                         "    - {sql: more.csv}\n    does: counts\n"),
    "an item": (put("agents", "coder", "tools", 0, "sql", "new.csv"), "sql: data.csv   #", "sql: new.csv   #"),
    "an entry gone": (take("agents", "qa"), '  qa: {role: "qa", passages: 3}  # reads\n', ""),
    "an entry gone from brackets": (take("last", "b"), "1,  b: {c: 2}}", "1}"),
    "the first gone from brackets": (take("last", "a"), "{a: 1,  b: {c: 2}}", "{b: {c: 2}}"),
    "an item gone": (take("agents", "coder", "tools", 1), "    - {sql: more.csv}\n", ""),
    "an item gone from brackets": (take("words", 1), "a, 'b',   c", "a, c"),
    "an item more": (lambda one: one["agents"]["coder"]["tools"].append({"sql": "c.csv"}), "    - {sql: more.csv}\n",
                     "    - {sql: more.csv}\n    - {sql: c.csv}\n"),
    "an item before the others": (lambda one: one["agents"]["coder"]["tools"].insert(0, {"sql": "c.csv"}),
                                  "    - sql: data.csv", "    - {sql: c.csv}\n    - sql: data.csv"),
    "an item more in brackets": (lambda one: one["words"].insert(1, "x"), "[a, 'b'", "[a, x, 'b'"),
    "a block for a line": (put("agents", "coder", "role", {"a": "b" * 70, "c": "d" * 70}),
                           "    role: coder   # a shipped one",
                           f"    role:\n      a: {'b' * 70}\n      c: {'d' * 70}   # a shipped one"),
    "a line for a block": (put("agents", "coder", "qa"),
                           "  coder:\n    role: coder   # a shipped one\n    tools:\n    - sql: data.csv   # read only"
                           "\n\n    - {sql: more.csv}\n", "  coder: qa\n"),
    "a literal text": (put("text", "one"), "|\n  two\n  lines\n", "one\n"),
    "a key after a literal text": (put("more", 1), "   # the end\n", "   # the end\nmore: 1\n"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "old", "new"), CHANGES.values(), ids=CHANGES)
def test_only_what_changed_is_changed(change: Callable[[dict[str, Any]], None], old: str, new: str) -> None:
    wanted = value()
    change(wanted)
    assert TEXT.count(old) == 1
    assert edited(TEXT, wanted) == TEXT.replace(old, new)
    assert parse_document(edited(TEXT, wanted)).value == wanted


def test_what_is_the_same_is_left() -> None:
    assert edited(TEXT, value()) == TEXT


def test_a_key_is_put_where_the_order_says() -> None:
    document = value()
    wanted = {"team": document.pop("team"), "does": "reads", **document}
    assert edited(TEXT, wanted) == TEXT.replace("# its name\n", "# its name\ndoes: reads\n")


def test_a_line_that_would_be_too_long_becomes_a_block() -> None:
    wanted = value()
    wanted["agents"]["qa"]["does"] = "x" * 100
    made = edited(TEXT, wanted)
    assert f"  qa:\n    role: qa\n    passages: 3\n    does: {'x' * 100}  # reads\n" in made
    assert max(map(len, made.splitlines())) <= WIDTH


UNUSUAL = {
    "an alias": ("a: &x {b: 1}\nc: *x  # same\nd: 2 # d\n", put("d", 3), "a: &x {b: 1}\nc: *x  # same\nd: 3 # d\n"),
    "what an alias stands for": ("a: &x {b: 1}\nc: *x\n", put("c", "b", 2), "a: &x {b: 1}\nc: {b: 2}\n"),
    "what a merge brought": ("a: &x {b: 1}\nc: {<<: *x, d: 1}  # c\n", put("c", "b", 2),
                             "a: &x {b: 1}\nc: {<<: *x, d: 1, b: 2}  # c\n"),
    "a comment after the key": ("a:  # why\n  b: 1\nc: 1\n", put("a", {"d": 1}), "a:  # why\n  {d: 1}\nc: 1\n"),
    "nothing after the key": ("a:\nb: 1\n", put("a", 2), "a: 2\nb: 1\n"),
    "the first key behind a dash": ("a:\n- b: 1\n  c: 2\n", take("a", 0, "b"), "a:\n- {c: 2}\n"),
    "no end of line": ("a: 1\nb: 2", put("c", 3), "a: 1\nb: 2\nc: 3"),
    "in brackets over lines": ("a: {b: 1,  # one\n    c: 2}\nd: 1\n", put("a", "c", 3),
                               "a: {b: 1,  # one\n    c: 3}\nd: 1\n"),
    "a list in a list": ("a:\n- - 1\n  - 2\n- 3\n", put("a", 0, 1, 4), "a:\n- - 1\n  - 4\n- 3\n"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "change", "wanted"), UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_layouts(text: str, change: Callable[[Any], None], wanted: str) -> None:
    document = copy.deepcopy(parse_document(text).value)
    change(document)
    assert edited(text, document) == wanted
    assert parse_document(wanted).value == document


def test_what_cannot_be_changed_in_place_is_written_anew() -> None:
    text = "a: &x {b: 1, e: 1}  # a\nc: {<<: *x, d: 1}  # c\nf: 1  # f\n"
    wanted = {"a": {"b": 1, "e": 1}, "c": {"e": 1, "d": 1}, "f": 1}
    assert edited(text, wanted) == "a: &x {b: 1, e: 1}  # a\nc: {e: 1, d: 1}  # c\nf: 1  # f\n"
    assert edited("[1]\n", {"a": 1}) == "a: 1\n"


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12) | st.sampled_from(["yes", "null", "1", "a: b", "a:", "a #b", "- a", "~", "<<", "${A}", "...",
                                              "2020-01-01", "'", '"', "\\", "\u2028", "\x85", "é", "\U000e0001"])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
DOCUMENTS = st.dictionaries(st.text(max_size=6), VALUES, min_size=1, max_size=5)


def readable(document: Any) -> bool:
    """Whether YAML can hold the values: texts in it may have no half of a surrogate pair."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def test_texts_that_have_to_be_quoted() -> None:
    texts = [
        "a: b", "a:", "a #b", "- a", "-", "~", "=", "<<", "yes", "1", "0x1", "null", "true", "", " a", "a ", "...",
        "[a", "a, b", "#a", "&a", "*a", "!a", "|", ">", "'", '"', "'\"", "%a", "@a", "`a", "a\nb", "\u2028", "\x85",
        "\x7f", "a\\b", "\U000e0001", "2020-01-01", "1e3", ".inf", "?", "? a", ": a", "{a", "a}",
    ]
    for document in ({"a": texts}, {text: text for text in texts}, {"a": {"b": {"c" * 120: texts}}}):
        found = parse_document(text_of(document))
        assert (found.value, found.problems) == (document, ())


@settings(deadline=None)
@given(DOCUMENTS.filter(readable))
def test_any_value_can_be_written(document: dict[str, Any]) -> None:
    found = parse_document(text_of(document))
    assert (found.value, found.problems) == (document, ())


def laid_out(document: dict[str, Any], in_brackets: bool, offset: int) -> str:
    """The values as ruamel.yaml lays them out, with a comment at the end of each line that can have one."""
    yaml = YAML()
    yaml.default_flow_style = in_brackets
    yaml.width = 4096
    yaml.indent(mapping=2 + offset, sequence=2 + offset, offset=offset)
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


@settings(deadline=None)
@given(DOCUMENTS.filter(readable), DOCUMENTS.filter(readable), st.booleans(), st.integers(0, 2), st.data())
def test_any_value_can_be_changed_into_any_other(
    document: dict[str, Any], other: dict[str, Any], in_brackets: bool, offset: int, data: st.DataObject
) -> None:
    text = laid_out(document, in_brackets, offset)
    if parse_document(text).value != document:  # ruamel.yaml's own writer has its limits
        text = text_of(document)
    wanted = {**document, **other} if data.draw(st.booleans()) else changed(document, data)
    made = parse_document(edited(text, wanted))
    assert (made.value, made.problems) == (wanted, ())


def changed(document: Any, data: st.DataObject) -> Any:
    """The values with one of them, somewhere inside, changed, taken away or added."""
    if isinstance(document, dict) and document:
        name = data.draw(st.sampled_from(sorted(document)))
        return {**document, name: changed(document[name], data)}
    if isinstance(document, list) and document:
        number = data.draw(st.integers(0, len(document) - 1))
        kind = data.draw(st.sampled_from(["in it", "gone", "more"]))
        if kind == "gone":
            return document[:number] + document[number + 1 :]
        if kind == "more":
            return [*document[:number], data.draw(SCALARS.filter(readable)), *document[number:]]
        return [*document[:number], changed(document[number], data), *document[number + 1 :]]
    return data.draw(VALUES.filter(readable))


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), st.dictionaries(st.sampled_from("uvwxyz"), st.integers(), min_size=1),
                       min_size=2), st.data())
def test_every_comment_outside_is_kept(document: dict[str, Any], data: st.DataObject) -> None:
    text = text_of(document).replace("\n", "  # said\n")
    name = data.draw(st.sampled_from(sorted(document)))
    field = data.draw(st.sampled_from(sorted(document[name])))
    wanted = {**document, name: {**document[name], field: "new"}}
    made = edited(text, wanted)
    assert parse_document(made).value == wanted
    assert made.count("# said") == text.count("# said")
    changed_lines = [new for old, new in zip(text.splitlines(), made.splitlines(), strict=True) if old != new]
    assert len(changed_lines) == 1 and f"{field}: new" in changed_lines[0]
