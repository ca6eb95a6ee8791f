"""Facts as they lie in the tables: what is told of an entity, and the steps along them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from .paths import Step
from .results import Fact
from .times import VALID

_SELECT = """
SELECT s.name, f.relation, coalesce(o.name, f.object),
    (SELECT u.source FROM support u JOIN documents d ON d.id = u.document
     WHERE u.fact = f.id AND (?1 IS NULL OR d.namespace = ?1) ORDER BY u.rowid LIMIT 1),
    f.valid_from, f.valid_until, f.entity IS NULL
FROM facts f JOIN entities s ON s.id = f.subject LEFT JOIN entities o ON o.id = f.entity
"""
_IN_NAMESPACE = """EXISTS (
    SELECT 1 FROM support u JOIN documents d ON d.id = u.document WHERE u.fact = f.id AND d.namespace = ?)"""


def about(connection: sqlite3.Connection, entity: int, as_of: str | None, namespace: str | None) -> list[Fact]:
    """The facts with the entity at either end: as subject first, then as object."""
    condition, values = restricted(as_of, namespace)
    sql = f"{_SELECT} WHERE (f.subject = ? OR f.entity = ?) AND {condition} ORDER BY f.subject != ?, f.id"
    return [_fact(row) for row in connection.execute(sql, (namespace, entity, entity, *values, entity))]


def everything(connection: sqlite3.Connection, as_of: str | None, namespace: str | None) -> list[Fact]:
    """All facts, in the order in which they came."""
    condition, values = restricted(as_of, namespace)
    sql = f"{_SELECT} WHERE {condition} ORDER BY f.id"
    return [_fact(row) for row in connection.execute(sql, (namespace, *values))]


def by_number(connection: sqlite3.Connection, number: int, namespace: str | None = None) -> Fact:
    """One fact, with its source in a namespace. Raises TypeError when there is none of that number."""
    return _fact(connection.execute(f"{_SELECT} WHERE f.id = ?", (namespace, number)).fetchone())


def relation_between(
    connection: sqlite3.Connection, one: int, other: int, as_of: str | None, namespace: str | None
) -> tuple[str, bool]:
    """The relation of a fact between two entities, and whether it points from the first to the second.

    One that does so is preferred; ("", True) when there is none.
    """
    condition, values = restricted(as_of, namespace)
    row = connection.execute(
        "SELECT f.relation, f.subject = ?1 FROM facts f "
        f"WHERE (f.subject = ?1 AND f.entity = ?2 OR f.subject = ?2 AND f.entity = ?1) AND {condition} "
        "ORDER BY f.subject != ?1, f.id LIMIT 1",
        (one, other, *values),
    ).fetchone()
    return ("", True) if row is None else (str(row[0]), bool(row[1]))


def symmetric(connection: sqlite3.Connection, relation: str) -> bool:
    """Whether every fact of the relation between entities is told from both ends."""
    return (
        connection.execute(
            "SELECT 1 FROM facts f WHERE f.relation = ? AND f.entity IS NOT NULL AND NOT EXISTS (SELECT 1 FROM facts g "
            "WHERE g.subject = f.entity AND g.relation = f.relation AND g.entity = f.subject) LIMIT 1",
            (relation,),
        ).fetchone()
        is None
    )


def restricted(as_of: str | None, namespace: str | None) -> tuple[str, tuple[str, ...]]:
    """The condition on facts ``f`` that held at a time and are supported in a namespace, and its values."""
    conditions, values = ["true"], []
    if as_of is not None:
        conditions.append(f"({VALID})")
        values += [as_of, as_of]
    if namespace is not None:
        conditions.append(_IN_NAMESPACE)
        values.append(namespace)
    return " AND ".join(conditions), tuple(values)


class Steps:
    """The facts of some entities as steps of :func:`.paths.simple_paths`."""

    def __init__(self, connection: sqlite3.Connection, as_of: str | None, namespace: str | None) -> None:
        self._connection = connection
        self._condition, self._values = restricted(as_of, namespace)

    def __call__(self, entities: frozenset[int]) -> Mapping[int, list[Step]]:
        """Entity → (neighbour, fact), in the order of the facts."""
        asked = json.dumps(sorted(entities))
        found: dict[int, list[Step]] = {entity: [] for entity in entities}
        rows = self._connection.execute(
            f"""
            SELECT f.subject, f.entity, f.id FROM json_each(?) k JOIN facts f ON f.subject = k.value
            WHERE f.entity IS NOT NULL AND {self._condition}
            UNION ALL
            SELECT f.entity, f.subject, f.id FROM json_each(?) k JOIN facts f ON f.entity = k.value
            WHERE {self._condition}
            ORDER BY 3""",
            (asked, *self._values, asked, *self._values),
        )
        for entity, neighbour, fact in rows:
            found[entity].append((neighbour, fact))
        return found


def _fact(row: Any) -> Fact:
    subject, relation, thing, source, since, until, literal = row
    return Fact(subject, relation, thing, source, since, until, bool(literal))
