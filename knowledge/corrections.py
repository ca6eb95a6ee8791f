"""Corrections: facts and entities changed in place, with what supports them, within a caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from .changes import Changes, is_value
from .facts import by_number
from .results import Fact
from .text import key_of
from .times import moment


def numbers(connection: sqlite3.Connection, fact: Fact, subjects: Sequence[int], things: Sequence[int]) -> list[int]:
    """The numbers of a fact: of its times or, when it names none, of all times.

    Args:
        connection: the store.
        fact: its relation, object and times.
        subjects: the entities that its subject can mean.
        things: those that its object can mean.
    """
    times = (moment(fact.valid_from), moment(fact.valid_until))
    rows = connection.execute(
        """
        SELECT id FROM facts WHERE subject IN (SELECT value FROM json_each(?1)) AND relation = ?2
        AND (entity IN (SELECT value FROM json_each(?3)) OR entity IS NULL AND object = ?4)
        AND (?5 = '' AND ?6 = '' OR valid_from = ?5 AND valid_until = ?6) ORDER BY id""",
        (json.dumps(list(subjects)), fact.relation, json.dumps(list(things)), fact.object, *times),
    )
    return [int(row[0]) for row in rows]


def replace_fact(connection: sqlite3.Connection, changes: Changes, found: Sequence[int], by: Fact) -> bool:
    """Moves the support of facts to another one, and takes them away; whether there was any."""
    for number in found:
        for document, passage, source in _support(connection, number):
            changes.facts(document, [replace(by, source=source)], passage)
    kept = by_keys(connection, by)
    gone = [number for number in found if number not in kept]
    connection.executemany("DELETE FROM facts WHERE id = ?", [(number,) for number in gone])
    return bool(found)


def by_keys(connection: sqlite3.Connection, fact: Fact) -> set[int]:
    """The number of exactly this fact, as the tables have it after it was added."""
    value = is_value(fact)
    rows = connection.execute(
        "SELECT f.id FROM facts f JOIN entities e ON e.id = f.subject WHERE e.key = ? AND f.relation = ? "
        "AND f.object = ? AND f.valid_from = ? AND f.valid_until = ? AND (f.entity IS NULL) = ?",
        (
            *(key_of(fact.subject), fact.relation, fact.object if value else key_of(fact.object)),
            *(moment(fact.valid_from), moment(fact.valid_until), value),
        ),
    )
    return {int(row[0]) for row in rows}


def move_entity(connection: sqlite3.Connection, changes: Changes, entity: int, to: str) -> None:
    """Moves the facts and mentions of an entity to the one called ``to``, made where there is none."""
    goal = changes.entity(to, spelled=True)
    if goal == entity:
        return
    sql = "SELECT id, subject, entity FROM facts WHERE subject = ?1 OR entity = ?1 ORDER BY id"
    for number, subject, thing in connection.execute(sql, (entity,)).fetchall():
        fact = by_number(connection, number)
        moved = replace(
            fact, subject=to if subject == entity else fact.subject, object=to if thing == entity else fact.object
        )
        for document, passage, source in _support(connection, number):
            changes.facts(document, [replace(moved, source=source)], passage)
    connection.execute(
        "INSERT INTO mentions SELECT passage, ?, certain, titled FROM mentions WHERE entity = ? "
        "ON CONFLICT DO UPDATE SET certain = max(certain, excluded.certain), titled = max(titled, excluded.titled)",
        (goal, entity),
    )
    connection.execute("DELETE FROM entities WHERE id = ?", (entity,))
    changes.forget()


def _support(connection: sqlite3.Connection, fact: int) -> list[tuple[int, int | None, str]]:
    sql = "SELECT document, passage, source FROM support WHERE fact = ? ORDER BY rowid"
    return connection.execute(sql, (fact,)).fetchall()
