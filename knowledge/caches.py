"""The caches: what the store holds in memory beside SQLite, all of one version, and built anew when that is past."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np

from .entities import Linker, Mention
from .graph import KnowledgeGraph
from .tables import ALIAS
from .vectors import VectorIndex

# A passage is about what its title names; in its text names only pass by.
TITLE_WEIGHT = 5.0


@dataclass(frozen=True)
class Caches:
    """Vector index, linker and graph of one version of the store.

    Attributes:
        version: the version of the tables that they were built from.
        ids: entity name → id, for entities that a mention can mean.
    """

    version: str
    vectors: VectorIndex
    linker: Linker
    ids: dict[str, int]
    graph: KnowledgeGraph

    def entity_ids(self, mention: Mention) -> list[int]:
        """The ids of what a mention can mean, best first."""
        return [self.ids[name] for name in (mention.entity, *mention.others)]


def build(connection: sqlite3.Connection, version: str, dimension: int) -> Caches:
    """Builds the caches from the tables; call it within one reading transaction."""
    passages = [int(row[0]) for row in connection.execute("SELECT id FROM passages ORDER BY id")]
    rows = connection.execute("SELECT passage, data FROM vectors ORDER BY passage").fetchall()
    vectors = VectorIndex(dimension)
    if rows:
        data = np.frombuffer(b"".join(row[1] for row in rows), dtype="<f4").reshape(len(rows), -1)
        vectors.add(np.array([row[0] for row in rows], dtype=np.int64), data.astype(np.float32))
    linker, ids, standing_for = _names(connection)
    entities = [int(row[0]) for row in connection.execute("SELECT id FROM entities ORDER BY id")]
    mentions = [
        (passage, standing_for.get(entity, entity), TITLE_WEIGHT if titled else 1.0)
        for passage, entity, titled in connection.execute("SELECT passage, entity, titled FROM mentions")
    ]
    relations = [
        (subject, entity, 1.0)
        for subject, entity in connection.execute(
            "SELECT DISTINCT min(subject, entity), max(subject, entity) FROM facts WHERE entity IS NOT NULL"
        )
    ]
    return Caches(version, vectors, linker, ids, KnowledgeGraph(passages, entities, mentions, relations))


def _names(connection: sqlite3.Connection) -> tuple[Linker, dict[str, int], dict[int, int]]:
    """The linker, the ids of its entities, and which entity an alias that texts use stands for."""
    named = "SELECT subject FROM facts UNION SELECT entity FROM facts UNION SELECT entity FROM mentions WHERE titled"
    strong = {int(row[0]) for row in connection.execute(named) if row[0] is not None}
    names: dict[str, list[str]] = {}
    ids: dict[str, int] = {}
    weak: list[str] = []
    plain: dict[str, int] = {}
    certain = {int(row[0]) for row in connection.execute("SELECT DISTINCT entity FROM mentions WHERE certain")}
    for entity, key, name in connection.execute("SELECT id, key, name FROM entities ORDER BY id"):
        if entity in strong:
            names[name] = [name]
        else:
            plain[key] = entity
            if entity not in certain:
                continue
            weak.append(name)
        ids[name] = int(entity)
    aliases = connection.execute(
        "SELECT e.name, f.object FROM facts f JOIN entities e ON e.id = f.subject WHERE f.relation = ? ORDER BY f.id",
        (ALIAS,),
    )
    for name, alias in aliases:
        names[name].append(alias)
    linker = Linker(names, weak)
    # "Holland" in a text is a name of its own until an alias says whose; then its mentions are the Netherlands'.
    standing_for: dict[int, int] = {}
    for key, entity in plain.items():
        meant = [name for name in linker.entities(key) if name in names]
        if meant:
            standing_for[entity] = ids[meant[0]]
    return linker, ids, standing_for
