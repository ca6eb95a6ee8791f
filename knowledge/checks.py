"""Checks: whether tables, indexes and caches say the same."""

from __future__ import annotations

import sqlite3

import numpy as np
from numpy.typing import NDArray

from . import lexical, spotting, tables
from .caches import Caches
from .mentions import build_graph
from .text import key_of

_ROUNDING = 0.02
_ORPHANS = {
    "facts have no support": "SELECT count(*) FROM facts WHERE id NOT IN (SELECT fact FROM support)",
    "entities are named by nothing": (
        "SELECT count(*) FROM entities WHERE id NOT IN (SELECT entity FROM mentions) "
        "AND id NOT IN (SELECT subject FROM facts) AND id NOT IN (SELECT entity FROM facts WHERE entity IS NOT NULL)"
    ),
    "passages have no vector": "SELECT count(*) FROM passages WHERE id NOT IN (SELECT passage FROM vectors)",
}


def problems(connection: sqlite3.Connection, caches: Caches, dimension: int) -> list[str]:
    """What is out of step, one sentence each; an empty list when all agrees.

    The tables are held against their own rules, the lexical index against the passages, and the caches, brought up to
    this version as a search would bring them, against new ones.
    """
    found = [] if lexical.agrees(connection) else ["the lexical index does not say what the passages say"]
    with tables.reading(connection):
        checked = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
        # From SQLite 3.44 on it looks at the lexical index too, which has been told of.
        damage = [line for line in checked if line != "ok" and "FTS5" not in line]
        if damage:  # what else is asked of it may be no answer
            return found + [f"the file is damaged: {line}" for line in damage]
        broken = connection.execute("PRAGMA foreign_key_check").fetchone()
        if broken:
            found.append("a row names another that is gone")
        for problem, sql in _ORPHANS.items():
            if count := connection.execute(sql).fetchone()[0]:
                found.append(f"{count} {problem}")
        sql = "SELECT object FROM facts WHERE relation = ? AND id NOT IN (SELECT fact FROM names)"
        if count := sum(bool(key_of(name)) for (name,) in connection.execute(sql, (tables.ALIAS,))):
            found.append(f"{count} aliases are in no list of names")
        wide = "SELECT count(*) FROM vectors WHERE length(data) != ?"
        if count := connection.execute(wide, (4 * dimension,)).fetchone()[0]:
            found.append(f"{count} vectors are not {dimension} numbers wide")
        if names := spotting.out_of_step(connection):
            found.append(f"{names} passages hold other names than are noted of them")
        # Of rows that do not fit together no index can be made that the caches could be held against.
        return found if broken or count else found + _of_caches(connection, caches, dimension)


def _apart(kept: NDArray[np.float32], fresh: NDArray[np.float32], exact: bool) -> bool:
    # Two quantised indexes may have learned other ranges.
    return not np.array_equal(kept, fresh) if exact else bool(np.abs(kept - fresh).max(initial=0.0) > _ROUNDING)


def _of_caches(connection: sqlite3.Connection, caches: Caches, dimension: int) -> list[str]:
    found = []
    kept, fresh = caches.vectors(), Caches(connection, dimension).vectors()
    ids = np.sort(fresh.ids())
    if not np.isfinite(fresh.vectors(ids)).all():
        found.append("a vector has a number that is none")
    elif not np.array_equal(np.sort(kept.ids()), ids):
        found.append("the vector index has other passages than the tables")
    elif kept.exact != fresh.exact or _apart(kept.vectors(ids), fresh.vectors(ids), kept.exact):
        found.append("the vector index has other vectors than the tables")
    if not caches.graph().equals(build_graph(connection)):
        found.append("the graph has other edges than the tables")
    return found
