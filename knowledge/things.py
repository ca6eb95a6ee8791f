"""Things: what a row of a table says about the thing that it names, as a passage and as facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .pieces import Piece
from .readings import fact, shown
from .results import Fact

_NAMING = ("name", "title", "label", "id")
LONGEST_NAME = 8
"""Words; a longer cell is a text and names no entity."""

_UNIT = r"(?:thousand|million|billion|trillion|%|°?[^\W\d_]{1,3}[²³]?(?:/[^\W\d_]{1,3}[²³]?)?)"
_VALUE = re.compile(
    rf"(?:true|false|yes|no"
    rf"|[-+]?[$€£¥]?\d[\d.,' \u00a0\u202f]*\s?{_UNIT}?"  # numbers and quantities: 1,285,216 km²
    r"|\d{4}-\d{2}(?:-\d{2})?(?:[T ][\d:.]+(?:Z|[+-][\d:]+)?)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{1,2}:\d{2}(?::\d{2})?"
    r"|(?:https?|ftp|mailto|urn):\S+|www\.\S+)",
    re.IGNORECASE,
)


def named(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """The column that names the rows' things: name, title, label or id where every row has it, else the first."""
    lower = {column.lower(): column for column in reversed(columns)}
    found = [lower[name] for name in _NAMING if name in lower]
    kept = list(rows)
    return next((column for column in found if all(row.get(column) not in (None, "") for row in kept)), columns[0])


def thing(
    row: Mapping[str, Any], column: str, subject: str, source: str, metadata: Mapping[str, Any]
) -> tuple[Piece, list[Fact]]:
    """The passage "column: value." and the facts of one row; the passage is empty where only the name is told."""
    told: list[str] = []
    facts: list[Fact | None] = []
    for key, cell in row.items():
        values = _values(cell)
        if key == column or not values:
            continue
        if len(values) > 1:
            metadata = {**metadata, key: values}
        said = "; ".join(values)
        told.append(f"{key}: {said}" if said.endswith((".", "!", "?")) else f"{key}: {said}.")
        typed = isinstance(cell, bool | int | float)
        facts += [fact(subject, key.lower(), value, source, typed or is_value(value)) for value in values]
    text = " ".join(told)
    return Piece(subject, text, source, 0, len(text), metadata=metadata), [one for one in facts if one]


def is_value(cell: str) -> bool:
    """Whether a cell is a number, quantity, date, link, truth value or a longer text, and no name.

    >>> is_value("33 million"), is_value("2020-05-01"), is_value("Lima"), is_value("7 Eleven")
    (True, True, False, False)
    """
    return bool(_VALUE.fullmatch(cell)) or len(cell.split()) > LONGEST_NAME


def _values(cell: Any) -> list[str]:
    """What a cell tells: several values stand in a list, or between semicolons; nested objects are metadata only."""
    if isinstance(cell, list):
        if any(isinstance(one, list | dict) for one in cell):
            return []
        return [text for one in cell if (text := shown(one).strip())]
    if isinstance(cell, dict):
        return []
    text = shown(cell).strip()
    parts = [part.strip() for part in text.split(";") if part.strip()]
    # A semicolon in prose or in an address parts nothing.
    if is_value(text) and (text.startswith(("http", "www")) or any(len(p.split()) > LONGEST_NAME for p in parts)):
        return [text]
    return parts
