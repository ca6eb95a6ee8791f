"""Triples: rows with ``subject``, ``relation`` and ``object`` as facts.

They may have a ``source``, ``valid_from`` and ``valid_until`` (ISO 8601), and ``literal`` (true where the object is a
value and no entity); other columns are not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..core.errors import UnderstudyError
from .readings import fact, shown
from .results import Fact
from .times import moment

COLUMNS = ("subject", "relation", "object")
MORE = ("source", "valid_from", "valid_until", "literal")


def facts_of(rows: Iterable[Mapping[str, Any]], name: str, where: str) -> list[Fact]:
    """The fact of each row; its source is the one it names, else the row: ``triples.csv#12``.

    Raises:
        UnderstudyError: with the row, when it lacks a part or has a malformed date.
    """
    facts = []
    for number, row in enumerate(rows, 1):
        told = {column: row.get(column) for column in (*COLUMNS, *MORE)}
        for column, value in told.items():
            if isinstance(value, dict | list):
                raise UnderstudyError(f"the {column} is not one value", where=f"{where}#{number}")
        flag = shown(told["literal"]).lower()
        if flag not in ("", "true", "false"):
            raise UnderstudyError(f"literal is {flag!r}", where=f"{where}#{number}", mend="write true or false")
        literal = flag == "true" or isinstance(told["object"], bool | int | float)
        subject, relation, value = (shown(told[column]) for column in COLUMNS)
        made = fact(subject, relation, value, shown(told["source"]) or f"{name}#{number}", literal)
        if made is None:
            raise UnderstudyError("a fact lacks its subject, relation or object", where=f"{where}#{number}")
        facts.append(dated(made, told, f"{where}#{number}"))
    return facts


def dated(given: Fact, told: Mapping[str, Any], where: str) -> Fact:
    """The fact with the validity that ``told`` has for it. Raises UnderstudyError for a malformed date."""
    start, end = (moment(shown(told.get(key)).strip(), where=where) for key in ("valid_from", "valid_until"))
    if start and end and end <= start:
        raise UnderstudyError(f"valid until {end}, but from {start}", where=where, mend="exchange the two")
    return replace(given, valid_from=start, valid_until=end)
