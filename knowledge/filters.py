"""Filters: which passages a search may find, as a condition in SQL over documents ``d`` and passages ``p``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import UnderstudyError

_COLUMNS = {"document": "d.name", "title": "p.title", "source": "p.source"}
_OPERATORS = {"eq": "=", "ne": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_WRITTEN = {"!=": "ne", ">=": "gte", "<=": "lte", ">": "gt", "<": "lt", "=": "eq"}
# Values of one condition; SQLite takes 32766 in a statement.
_MOST = 10_000
_CONDITION = re.compile(r"\s*([^!<>=]+?)\s*(!=|>=|<=|>|<|=)\s*(.*?)\s*", re.DOTALL)
# As in the cells of a table (rows.number): "nan" is a language, 007 a code, 1_000 a name.
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?", re.ASCII)

Where = Mapping[str, Any]
"""Key → a value, a list of values of which one must do, or operators: ``{"year": {"gte": 2000, "lt": 2010}}``."""


@dataclass(frozen=True)
class Filter:
    """A condition on passages.

    Attributes:
        sql: over the tables ``passages p JOIN documents d``; "" lets all through.
        values: for its places.
    """

    sql: str = ""
    values: tuple[Any, ...] = field(default=())

    @property
    def ids(self) -> str:
        """A query for the ids of the passages that it lets through."""
        return f"SELECT p.id FROM passages p JOIN documents d ON d.id = p.document WHERE {self.sql or 'true'}"


def filtered(where: Where | None = None, namespace: str | None = None) -> Filter:
    """The filter for a namespace and conditions, all of which must hold.

    Args:
        where: on metadata (a list in the metadata does when one of its values does), or on ``document``, ``title``
            and ``source``.
        namespace: only passages of this part of the store.

    Raises:
        UnderstudyError: for an operator that there is not, and a value that is no text, number or boolean.
    """
    conditions: list[str] = []
    values: list[Any] = []
    if namespace is not None:
        conditions.append("d.namespace = ?")
        values.append(namespace)
    for key, wanted in (where or {}).items():
        operators = wanted if isinstance(wanted, Mapping) else {"eq": wanted}
        for operator, value in operators.items():
            if operator not in _OPERATORS:
                raise UnderstudyError(
                    f"there is no operator {operator!r}", where=f"where.{key}", mend=f"use {', '.join(_OPERATORS)}"
                )
            several = (
                list(value) if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str) else None
            )
            if several is not None and operator not in ("eq", "ne"):
                raise UnderstudyError(f"{operator} takes one value", where=f"where.{key}")
            options = [_checked(key, option) for option in (several if several is not None else [value])]
            sql, more = _condition(key, operator, options)
            conditions.append(sql)
            values += more
    return Filter(" AND ".join(conditions), tuple(values))


def _condition(key: str, operator: str, options: list[Any]) -> tuple[str, list[Any]]:
    # "not one of these" is the opposite of "one of these", also for passages that do not have the key.
    positive, negated = ("eq", "NOT ") if operator == "ne" else (operator, "")
    if len(options) > _MOST:
        raise UnderstudyError(f"{len(options)} values", where=f"where.{key}", mend=f"give at most {_MOST}")
    texts = [option for option in options if isinstance(option, str)]
    numbers = [option for option in options if not isinstance(option, str)]
    # Texts and numbers are never compared with each other: in SQLite every text is greater than every number.
    tests = [
        f"(typeof(v.value) {kind} 'text' AND {_among('v.value', positive, some)})"
        for kind, some in (("=", texts), ("!=", numbers))
        if some
    ]
    told = (
        "EXISTS (SELECT 1 FROM json_each(p.metadata) m, json_each(CASE m.type WHEN 'array' THEN m.value "
        "WHEN 'object' THEN '[]' ELSE json_array(m.value) END) v "
        f"WHERE m.key = ? AND ({' OR '.join(tests) or 'false'}))"
    )
    values = [key, *texts, *numbers]
    if key not in _COLUMNS:
        return f"{negated}{told}", values
    # A row may have a column of its own that is called so.
    return f"{negated}({_among(_COLUMNS[key], positive, options)} OR {told})", [*options, *values]


def _among(column: str, operator: str, options: list[Any]) -> str:
    # Not a test for each of many values: SQLite takes a thousand at most.
    return (
        f"{column} {_OPERATORS[operator]} ?" if len(options) == 1 else f"{column} IN ({', '.join('?' * len(options))})"
    )


def _checked(key: str, value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str | int | float):
        return value
    raise UnderstudyError(
        f"cannot compare with {value!r}",
        where=f"where.{key}",
        mend="give a text, a number, a boolean or a list of them",
    )


def parsed(conditions: Sequence[str]) -> dict[str, Any]:
    """Conditions as they are written on a command line (``year>=2000``, ``lang=en``) as a ``where``.

    A value that reads as a number or as ``true`` or ``false`` is one, unless it stands in quotes. ``=`` with the same
    key twice means one of both.

    Raises:
        UnderstudyError: for a text that is no condition.
    """
    where: dict[str, dict[str, Any]] = {}
    for condition in conditions:
        found = _CONDITION.fullmatch(condition)
        if found is None:
            raise UnderstudyError(f"not a condition: {condition}", mend="write KEY=VALUE, or != > >= < <=")
        key, written, value = found.groups()
        operator = _WRITTEN[written]
        operators = where.setdefault(key, {})
        if operator in ("eq", "ne"):
            operators.setdefault(operator, []).append(_value(value))
        else:
            operators[operator] = _value(value)
    return where


def _value(text: str) -> str | int | float | bool:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text
