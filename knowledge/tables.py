"""The truth of the store: its tables in SQLite, and the changes to them, each within a caller's transaction.

Invariants, kept by foreign keys and by :func:`sweep`: a passage and its vector, mentions and lexical entry live and
die together; a fact lives while a document or passage supports it; an entity while a fact or a mention names it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core.errors import UnderstudyError
from . import lexical
from .documents import Piece
from .entities import names_in
from .results import Fact
from .text import key_of

FORMAT = "1"

# Relations that name an entity instead of linking it to another: their object is a text, not an entity.
ALIAS = "also_called"
KIND = "is_a"
NAMING = (ALIAS, KIND)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, digest TEXT NOT NULL, origin TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    title TEXT NOT NULL, text TEXT NOT NULL, source TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS passages_document ON passages (document);
CREATE TABLE IF NOT EXISTS vectors (
    passage INTEGER PRIMARY KEY REFERENCES passages ON DELETE CASCADE, data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS entities (
    id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS mentions (
    passage INTEGER NOT NULL REFERENCES passages ON DELETE CASCADE,
    entity INTEGER NOT NULL REFERENCES entities ON DELETE CASCADE,
    certain INTEGER NOT NULL, titled INTEGER NOT NULL, PRIMARY KEY (passage, entity)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mentions_entity ON mentions (entity);
CREATE TABLE IF NOT EXISTS facts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, subject INTEGER NOT NULL REFERENCES entities ON DELETE CASCADE,
    relation TEXT NOT NULL, object TEXT NOT NULL, entity INTEGER REFERENCES entities ON DELETE CASCADE,
    UNIQUE (subject, relation, object));
CREATE INDEX IF NOT EXISTS facts_entity ON facts (entity);
CREATE TABLE IF NOT EXISTS support (
    fact INTEGER NOT NULL REFERENCES facts ON DELETE CASCADE,
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    passage INTEGER REFERENCES passages ON DELETE CASCADE, source TEXT NOT NULL, UNIQUE (fact, document, source));
CREATE INDEX IF NOT EXISTS support_document ON support (document);
CREATE INDEX IF NOT EXISTS support_passage ON support (passage);
"""


def connect(path: str | Path) -> sqlite3.Connection:
    """Opens the database and makes its tables where they are missing.

    Raises:
        UnderstudyError: when the file is no store, or one of a later format, or cannot be opened.
    """
    where = str(path)
    try:
        if where != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        # The store has a lock of its own, so its connection may serve the threads of a team.
        connection = sqlite3.connect(where, isolation_level=None, check_same_thread=False, timeout=30)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        known = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if known and "meta" not in known:
            raise UnderstudyError("a database, but no knowledge store", where=where, mend="name another file")
        if not known:
            with writing(connection):
                for statement in _statements(_SCHEMA + lexical.SCHEMA):
                    connection.execute(statement)
                set_meta(connection, "format", FORMAT)
    except (OSError, sqlite3.Error) as error:
        raise UnderstudyError(f"cannot open the knowledge store: {error}", where=where) from None
    if (found := meta(connection, "format")) != FORMAT:
        connection.close()
        raise UnderstudyError(
            f"a store of format {found}; this version reads format {FORMAT}", where=where, mend="build it anew"
        )
    return connection


def _statements(script: str) -> Iterator[str]:
    # Not executescript: it would commit the transaction that the tables are made in.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction that changes the store: all of it or nothing, and the version goes up by one."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute(
            "INSERT INTO meta VALUES ('version', '1') "
            "ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
        )
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


@contextmanager
def reading(connection: sqlite3.Connection) -> Iterator[None]:
    """One snapshot: what is read within it belongs to one version, whatever another process writes."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


def meta(connection: sqlite3.Connection, key: str) -> str | None:
    """A setting of the store, None when it has none."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def set_meta(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Sets a setting of the store."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def put_document(connection: sqlite3.Connection, name: str, digest: str, origin: str) -> int:
    """Makes a document; its id. Raises sqlite3.IntegrityError when there is one of that name."""
    sql = "INSERT INTO documents (name, digest, origin) VALUES (?, ?, ?)"
    return int(connection.execute(sql, (name, digest, origin)).lastrowid or 0)


def by_hand(connection: sqlite3.Connection, name: str) -> int:
    """The id of the document of that name, made where there is none: what is added by hand belongs to it."""
    row = connection.execute("SELECT id FROM documents WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else put_document(connection, name, "by hand", "")


def put_pieces(
    connection: sqlite3.Connection, document: int, pieces: Sequence[Piece], vectors: NDArray[np.float32]
) -> list[int]:
    """Adds passages with their vectors ``[pieces, D]`` and mentions; their ids."""
    ids: list[int] = []
    for piece, vector in zip(pieces, vectors, strict=True):
        cursor = connection.execute(
            'INSERT INTO passages (document, title, text, source, start, "end") VALUES (?, ?, ?, ?, ?, ?)',
            (document, piece.title, piece.text, piece.source, piece.start, piece.end),
        )
        passage = int(cursor.lastrowid or 0)
        connection.execute("INSERT INTO vectors VALUES (?, ?)", (passage, vector.astype("<f4").tobytes()))
        for name, certain in names_in(piece.title, piece.text).items():
            connection.execute(
                "INSERT INTO mentions VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                "certain = max(certain, excluded.certain), titled = max(titled, excluded.titled)",
                (passage, put_entity(connection, name), certain, name == piece.title),
            )
        ids.append(passage)
    return ids


def put_entity(connection: sqlite3.Connection, name: str, *, spelled: bool = False) -> int:
    """The id of the entity of that name. ``spelled`` makes this its spelling (a fact's spelling beats a text's)."""
    key = key_of(name)
    row = connection.execute("SELECT id, name FROM entities WHERE key = ?", (key,)).fetchone()
    if row is None:
        return int(connection.execute("INSERT INTO entities (key, name) VALUES (?, ?)", (key, name)).lastrowid or 0)
    if spelled and row[1] != name:
        connection.execute("UPDATE entities SET name = ? WHERE id = ?", (name, row[0]))
    return int(row[0])


def put_facts(connection: sqlite3.Connection, document: int, facts: Iterable[Fact], passage: int | None = None) -> int:
    """Adds facts, supported by the document (and the passage); how many were new. A fact known before gains support."""
    new = 0
    for fact in facts:
        subject = put_entity(connection, fact.subject, spelled=True)
        entity = None if fact.relation in NAMING else put_entity(connection, fact.object, spelled=True)
        cursor = connection.execute(
            "INSERT OR IGNORE INTO facts (subject, relation, object, entity) VALUES (?, ?, ?, ?)",
            (subject, fact.relation, fact.object, entity),
        )
        new += cursor.rowcount
        connection.execute(
            "INSERT OR IGNORE INTO support SELECT id, ?, ?, ? FROM facts "
            "WHERE subject = ? AND relation = ? AND object = ?",
            (document, passage, fact.source, subject, fact.relation, fact.object),
        )
    return new


def sweep(connection: sqlite3.Connection) -> None:
    """After a deletion: takes away the facts that nothing supports, then the entities that nothing names."""
    connection.execute("DELETE FROM facts WHERE id NOT IN (SELECT fact FROM support)")
    connection.execute(
        "DELETE FROM entities WHERE id NOT IN (SELECT entity FROM mentions) AND id NOT IN (SELECT subject FROM facts) "
        "AND id NOT IN (SELECT entity FROM facts WHERE entity IS NOT NULL)"
    )
