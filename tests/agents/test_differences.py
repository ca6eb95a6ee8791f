"""How much more one thing has than another, and both together: the SQL says what the words ask."""

from __future__ import annotations

import random
import sqlite3

from understudy.agents.generators.differences import together
from understudy.agents.generators.domains import GEOGRAPHY
from understudy.agents.generators.sets import add_filter, base
from understudy.agents.generators.worlds import World, make_table


def result(world: World, sql: str) -> float:
    table = world.table
    with sqlite3.connect(":memory:") as db:
        names = ", ".join(column.name for column in table.columns)
        db.execute(f"CREATE TABLE {table.name} ({names})")
        marks = ", ".join("?" for _ in table.columns)
        rows = [[row[column.name] for column in table.columns] for row in world.rows]
        db.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)
        ((value,),) = db.execute(sql).fetchall()
        return float(value)


def test_two_named_things_are_subtracted_or_added() -> None:
    rng, words = random.Random(1), {"MAX": 0, "SUM": 0}
    for _ in range(200):
        world = make_table(rng, GEOGRAPHY, 8)
        asked = together(rng, world, base(world))
        if asked is None:
            continue
        column = asked.sql.split("( ")[1].split(")")[0]
        first, second = (float(str(row[column])) for name in asked.keep for row in world.rows if row[world.key] == name)
        added = "SUM(" in asked.sql
        assert result(world, asked.sql) == (first + second if added else abs(first - second)), asked
        assert all(name.lower() in asked.text.lower() for name in asked.keep)
        words["SUM" if added else "MAX"] += 1
    assert min(words.values()) > 30


def test_a_set_is_measured_from_end_to_end() -> None:
    rng, found = random.Random(2), 0
    for _ in range(60):
        world = make_table(rng, GEOGRAPHY, 8)
        things = add_filter(rng, world, base(world))
        asked = together(rng, world, things) if things else None
        if things is None or asked is None or not things.where:
            continue
        found += 1
        assert asked.sql.startswith("SELECT MAX( ") and " - MIN( " in asked.sql and asked.sql.endswith(things.where)
    assert found > 20
