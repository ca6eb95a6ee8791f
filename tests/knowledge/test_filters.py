import json
import operator
import sqlite3
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.core.errors import UnderstudyError
from understudy.knowledge.filters import filtered, parsed

SCALAR = st.sampled_from([0, 1, 2, 1.5, "1", "en", "es", "", True, False])
METADATA = st.dictionaries(st.sampled_from("ab"), SCALAR | st.none() | st.lists(SCALAR, max_size=3) | st.just({"c": 1}))
CONDITION = st.one_of(
    SCALAR,
    st.lists(SCALAR, max_size=3),
    st.dictionaries(st.sampled_from(["gt", "gte", "lt", "lte", "eq", "ne"]), SCALAR, min_size=1),
    st.dictionaries(st.sampled_from(["eq", "ne"]), st.lists(SCALAR, max_size=3), min_size=1),
)


def passing(where: Mapping[str, Any], *rows: Mapping[str, Any], namespace: str | None = None) -> list[int]:
    """The places of the rows that a filter lets through; every second one lies in the namespace "odd"."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE documents (id, namespace, name)")
    connection.execute("CREATE TABLE passages (id, document, title TEXT, source TEXT, metadata)")
    connection.executemany("INSERT INTO documents VALUES (?, ?, ?)", [(0, "even", "e.csv"), (1, "odd", "o.csv")])
    for place, row in enumerate(rows):
        values = (place, place % 2, f"Row {place}", f"r.csv#{place}", json.dumps(row))
        connection.execute("INSERT INTO passages VALUES (?, ?, ?, ?, ?)", values)
    only = filtered(where, namespace)
    found = [number for (number,) in connection.execute(only.ids, only.values)]
    connection.close()
    return found


def lets_through(metadata: Mapping[str, Any], key: str, wanted: Any) -> bool:
    """The oracle: one condition, told in Python."""
    there = metadata.get(key)
    values = there if isinstance(there, list) else [] if there is None or isinstance(there, dict) else [there]
    for name, value in (wanted if isinstance(wanted, dict) else {"eq": wanted}).items():
        options = value if isinstance(value, list) else [value]
        compare = getattr(operator, {"gte": "ge", "lte": "le", "ne": "eq"}.get(name, name))
        comparable = [(v, o) for v in values for o in options if isinstance(v, str) == isinstance(o, str)]
        if any(compare(v, o) for v, o in comparable) == (name == "ne"):
            return False
    return True


@given(st.lists(METADATA, max_size=4), st.dictionaries(st.sampled_from("ab"), CONDITION, max_size=2))
def test_conditions_mean_what_they_say(rows: list[dict[str, Any]], where: dict[str, Any]) -> None:
    expected = [i for i, row in enumerate(rows) if all(lets_through(row, k, wanted) for k, wanted in where.items())]
    assert passing(where, *rows) == expected


def test_a_text_is_no_number_and_a_missing_key_is_not_equal() -> None:
    rows = ({"year": 2009}, {"year": "2009"}, {}, {"year": [1999, 2009]})
    assert passing({"year": 2009}, *rows) == [0, 3] and passing({"year": {"ne": 2009}}, *rows) == [1, 2]
    assert passing({"year": {"gte": 2000, "lt": 2010}}, *rows) == [0, 3]


def test_columns_and_namespaces() -> None:
    assert passing({"document": "o.csv"}, {}, {}, {}) == [1] and passing({"title": ["Row 0", "Row 2"]}, {}, {}, {}) == [
        0,
        2,
    ]
    assert passing({"source": {"ne": "r.csv#1"}}, {}, {}, {}) == [0, 2] and passing(
        {}, {}, {}, {}, namespace="odd"
    ) == [1]
    assert passing({"a": 1}, {"a": 1}, {"a": 1}, {"a": 2}, namespace="even") == [0]
    assert filtered().sql == "" and filtered({}).sql == ""


def test_keys_and_values_are_never_sql() -> None:
    odd = "x' OR '1'='1"
    assert passing({odd: odd}, {odd: odd}, {"x": 1}) == [0] and passing({"$.a": 1}, {"a": 1}) == []


@pytest.mark.parametrize("value", [2**63 - 1, float("nan"), float("inf"), "\x00", ""])
def test_strange_values_are_equal_to_nothing(value: float | str) -> None:
    assert passing({"a": value}, {"a": 1}) == []


@pytest.mark.parametrize(
    "where, told",
    [
        ({"year": {"near": 2000}}, r"^where\.year: there is no operator 'near'; use eq, ne"),
        ({"year": {"gt": [1, 2]}}, r"^where\.year: gt takes one value"),
        ({"year": None}, r"^where\.year: cannot compare with None"),
        ({"year": [{"a": 1}]}, r"^where\.year: cannot compare with"),
    ],
)
def test_what_is_no_condition_is_told(where: dict[str, Any], told: str) -> None:
    with pytest.raises(UnderstudyError, match=told):
        filtered(where)


def test_conditions_of_a_command_line() -> None:
    assert parsed(["year>=2000", "year < 2010"]) == {"year": {"gte": 2000, "lt": 2010}}
    assert parsed(["lang=en", "lang=es", "note != a=b"]) == {"lang": {"eq": ["en", "es"]}, "note": {"ne": ["a=b"]}}
    values = ["1.5", "-2", "0", "true", '"true"', "'7'", "", "São Tomé", "nan", "inf", "1_000", "٣", "007"]
    expected = [1.5, -2, 0, True, "true", "7", "", "São Tomé", "nan", "inf", "1_000", "٣", "007"]
    assert parsed([f"k={value}" for value in values]) == {"k": {"eq": expected}}
    for text in ("year", "=2000", ""):
        with pytest.raises(UnderstudyError, match="not a condition.*write KEY=VALUE"):
            parsed([text])
