"""Mentions: the graph of a store, from the names that passages mention and the facts between entities.

=================================  =============================================================
passage → entity                   ln(1 + N / n): of N passages n name the entity; rare names tell more
entity → passage                   20 where the passage is about it (its title), else 1
entity ↔ entity                    1, where a fact holds between them
=================================  =============================================================

Passages mention the names that a rule found in them (capital letters) and those that the store knows, however they
are written (:mod:`.spotting`), the longest where one stands inside another. A name that no title or fact vouches for
stands for those that do: "Holland" for the Netherlands once an alias says so, "President Barack Obama" for Barack
Obama. An entity that only one passage names leads nowhere else and is no node.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .facts import restricted
from .graph import Graph, Ints, KnowledgeGraph
from .spotting import WRITTEN_SO

TITLE_WEIGHT = 20.0
RELATION_WEIGHT = 1.0
# A shorter name inside a longer one is too often something else.
_SHORTEST = 4
_AT_ONCE = 10_000
_WITHIN = "JOIN documents d ON d.id = p.document WHERE d.namespace = ?"
# A name of its own is meant before an alias.
_SPOTTED = f"""
WITH strong AS MATERIALIZED (
    SELECT subject FROM facts UNION SELECT entity FROM facts WHERE entity IS NOT NULL
    UNION SELECT entity FROM mentions WHERE titled)
SELECT s.passage, e.id AS entity FROM spotted s JOIN entities e ON e.key = s.key
WHERE e.id IN (SELECT * FROM strong) AND {WRITTEN_SO.format(form="e.name")}
UNION
SELECT s.passage, n.entity FROM spotted s JOIN names n ON n.key = s.key
WHERE {WRITTEN_SO.format(form="n.form")}
    AND NOT EXISTS (SELECT 1 FROM entities e WHERE e.key = s.key AND e.id IN (SELECT * FROM strong))
"""
_STRONG = """
SELECT subject FROM facts UNION SELECT entity FROM facts WHERE entity IS NOT NULL
UNION SELECT entity FROM mentions WHERE titled
"""


def build_graph(
    connection: sqlite3.Connection, as_of: str | None = None, namespace: str | None = None
) -> KnowledgeGraph:
    """Builds the graph from the tables; call it within one reading transaction.

    Args:
        connection: the store.
        as_of: only with the facts that held then.
        namespace: only with the passages of this part of the store, and the facts that it supports.
    """
    within = "" if namespace is None else _WITHIN
    values: tuple[str, ...] = () if namespace is None else (namespace,)
    passages = columns(connection, f"SELECT p.id FROM passages p {within} ORDER BY p.id", 1, values)[:, 0]
    mentions = columns(
        connection,
        f"SELECT m.passage, m.entity, m.titled FROM mentions m JOIN passages p ON p.id = m.passage {within}",
        3,
        values,
    )
    known = columns(
        connection,
        f"SELECT s.passage, s.entity FROM ({_SPOTTED}) s JOIN passages p ON p.id = s.passage {within}",
        2,
        values,
    )
    known = _apart(known, _within(connection))
    known = np.concatenate([known, np.zeros((len(known), 1), dtype=np.int64)], axis=1)
    mentions = _meant(np.concatenate([mentions, known]), standing_for(connection))
    condition, values = restricted(as_of, namespace)
    relations = columns(
        connection,
        "SELECT DISTINCT min(f.subject, f.entity), max(f.subject, f.entity) FROM facts f "
        f"WHERE f.entity IS NOT NULL AND f.subject != f.entity AND {condition}",
        2,
        values,
    )
    named, counts = np.unique(mentions[:, 1], return_counts=True)
    related = np.unique(relations)
    entities = np.union1d(named[counts > 1], related)
    alone = ~np.isin(mentions[:, 1], entities)
    only = mentions[alone][:, [1, 0]]
    mentions = mentions[~alone]
    at = np.searchsorted(passages, mentions[:, 0])
    of = len(passages) + np.searchsorted(entities, mentions[:, 1])
    rarity = np.log1p(len(passages) / counts[np.searchsorted(named, mentions[:, 1])])
    one, other = (len(passages) + np.searchsorted(entities, relations[:, side]) for side in (0, 1))
    between = np.full(len(relations), RELATION_WEIGHT)
    graph = Graph(
        len(passages) + len(entities),
        np.concatenate([at, of, one, other]),
        np.concatenate([of, at, other, one]),
        np.concatenate([rarity, np.where(mentions[:, 2] > 0, TITLE_WEIGHT, 1.0), between, between]),
    )
    return KnowledgeGraph(passages, entities, only[np.argsort(only[:, 0], kind="stable")], graph)


def standing_for(connection: sqlite3.Connection) -> dict[int, list[int]]:
    """Entity that nothing but texts vouches for → those that it stands for."""
    strong = {int(row[0]) for row in connection.execute(_STRONG)}
    known: dict[str, list[int]] = {}
    for key, entity in connection.execute("SELECT key, entity FROM names ORDER BY fact"):
        known.setdefault(key, [entity])
    entities = connection.execute("SELECT id, key FROM entities").fetchall()
    known |= {key: [entity] for entity, key in entities if entity in strong}
    return {
        entity: meant
        for entity, key in entities
        if entity not in strong and (meant := known.get(key) or _inside(key, known))
    }


def _within(connection: sqlite3.Connection) -> Ints:
    """Pairs ``[N, 2]`` of known entities: a name of the first stands inside a name of the second."""
    strong = {int(row[0]) for row in connection.execute(_STRONG)}
    known = {key: number for number, key in connection.execute("SELECT id, key FROM entities") if number in strong}
    longer = [*known.items(), *connection.execute("SELECT key, entity FROM names")]
    pairs = set()
    for key, number in longer:
        words = key.split(" ")
        for start in range(len(words)) if len(words) > 1 else ():
            for end in range(start + 1, len(words) + 1):
                part = known.get(" ".join(words[start:end]))
                if part is not None and part != number:
                    pairs.add((part, int(number)))
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


def _apart(known: Ints, within: Ints) -> Ints:
    """The (passage, entity) ``[K, 2]`` without those that stand inside a longer known name of the same passage."""
    first = np.searchsorted(within[:, 0], known[:, 1], "left")
    count = np.searchsorted(within[:, 0], known[:, 1], "right") - first
    row = np.repeat(np.arange(len(known)), count)
    longer = within[np.repeat(first, count) + _counted(count), 1]
    many = int(max(known.max(initial=0), within.max(initial=0))) + 1
    inside = np.isin(known[row, 0] * many + longer, known[:, 0] * many + known[:, 1])
    hidden = np.zeros(len(known), dtype=np.bool_)
    hidden[row[inside]] = True
    return known[~hidden]


def _inside(key: str, known: Mapping[str, list[int]]) -> list[int]:
    """The entities whose names stand inside a longer name: the longest first, none within another."""
    words = key.split(" ")
    found: list[int] = []
    start = 0
    while start < len(words):
        for end in range(len(words), start, -1):
            part = " ".join(words[start:end])
            if len(part) >= _SHORTEST and part in known:
                found += known[part]
                start = end - 1
                break
        start += 1
    return found


def _meant(mentions: Ints, standing: Mapping[int, list[int]]) -> Ints:
    """Mentions ``[M, 3]`` (passage, entity, titled), each entity replaced by those it stands for, each pair once."""
    listed = [(own, other) for own in sorted(standing) for other in standing[own]]
    pairs = np.array(listed, dtype=np.int64).reshape(-1, 2)
    first = np.searchsorted(pairs[:, 0], mentions[:, 1], "left")
    count = np.searchsorted(pairs[:, 0], mentions[:, 1], "right") - first
    moved = np.repeat(mentions[count > 0], count[count > 0], axis=0)
    places = np.repeat(first, count) + _counted(count)
    moved[:, 1] = pairs[places, 1]
    both = np.concatenate([mentions[count == 0], moved])
    # By passage and entity, a title before a mere mention, and then the first of each pair.
    both = both[np.lexsort((-both[:, 2], both[:, 1], both[:, 0]))]
    again = np.zeros(len(both), dtype=np.bool_)
    again[1:] = (both[1:, :2] == both[:-1, :2]).all(axis=1)
    return both[~again]


def _counted(counts: Ints) -> Ints:
    """0, 1, …, c − 1 for each count c, one after another."""
    ends = np.cumsum(counts)
    counted: Ints = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
    return counted


def columns(connection: sqlite3.Connection, sql: str, width: int, values: tuple[str, ...] = ()) -> Ints:
    """The rows ``[N, width]`` of a query for whole numbers."""
    cursor = connection.execute(sql, values)
    parts: list[NDArray[np.int64]] = []
    while rows := cursor.fetchmany(_AT_ONCE):
        parts.append(np.array(rows, dtype=np.int64))
    return np.concatenate(parts) if parts else np.zeros((0, width), dtype=np.int64)
