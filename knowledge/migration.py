"""Migration: a store of an older format opens as one of this format, with all that it said."""

from __future__ import annotations

import sqlite3

from . import lexical, spotting, tables
from .near import fingerprint
from .results import DEFAULT_NAMESPACE
from .text import key_of

_TABLES = ("documents", "passages", "vectors", "entities", "mentions", "facts", "support")


def from_format_1(connection: sqlite3.Connection) -> None:
    """Brings format 1 (no namespaces, metadata, times, fingerprints) up to format 2, in the caller's transaction.

    The tables are made anew beside the old ones, filled from them, and the old ones dropped. Ids stay as they were.
    """
    for name in ("lexical_add", "lexical_remove"):
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("DROP TABLE lexical")
    for (name,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_%'"
    ).fetchall():
        connection.execute(f"DROP INDEX {name}")
    for table in _TABLES:
        connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    for statement in tables.statements(tables.SCHEMA + spotting.SCHEMA + lexical.SCHEMA):
        connection.execute(statement)
    connection.execute(
        "INSERT INTO documents SELECT id, ?, name, digest, origin, '{}' FROM old_documents", (DEFAULT_NAMESPACE,)
    )
    connection.execute(
        "INSERT INTO passages SELECT id, document, title, text, source, start, \"end\", '[]', '{}' FROM old_passages"
    )
    connection.execute("INSERT INTO vectors SELECT passage, 0, data FROM old_vectors")
    connection.execute("INSERT INTO entities SELECT id, key, name FROM old_entities")
    connection.execute("INSERT INTO mentions SELECT passage, entity, certain, titled FROM old_mentions")
    # An entity's facts are one fact however its name is written; format 1 told them apart by the writing.
    connection.execute(
        "INSERT OR IGNORE INTO facts SELECT f.id, f.subject, f.relation, coalesce(e.key, f.object), f.entity, '', '' "
        "FROM old_facts f LEFT JOIN entities e ON e.id = f.entity ORDER BY f.id"
    )
    connection.execute(
        "INSERT OR IGNORE INTO support SELECT n.id, s.document, s.passage, s.source FROM old_support s "
        "JOIN old_facts o ON o.id = s.fact LEFT JOIN entities e ON e.id = o.entity "
        "JOIN facts n ON n.subject = o.subject AND n.relation = o.relation AND n.object = coalesce(e.key, o.object)"
    )
    aliases = connection.execute("SELECT id, subject, object FROM facts WHERE relation = ?", (tables.ALIAS,)).fetchall()
    connection.executemany(
        "INSERT OR IGNORE INTO names VALUES (?, ?, ?, ?)",
        [(key_of(form), fact, entity, form) for fact, entity, form in aliases if key_of(form)],
    )
    for passage, text in connection.execute("SELECT id, text FROM passages").fetchall():
        rows = [(band, passage) for band in fingerprint(text)]
        connection.executemany("INSERT OR IGNORE INTO fingerprints VALUES (?, ?)", rows)
    for table in reversed(_TABLES):
        connection.execute(f"DROP TABLE old_{table}")
    spotting.spot_all(connection)
    tables.set_meta(connection, "format", tables.FORMAT)
