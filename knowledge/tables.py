"""The truth of the store: its tables in SQLite, how they are opened, and the transactions over them.

Invariants, kept by foreign keys and triggers, so that no code path can forget one: a passage and its vector, mentions,
lexical entry and fingerprints live and die together; a fact lives while a document or passage supports it; an entity
while a fact or a mention names it; a name while its entity and the fact that gives it live.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core.errors import UnderstudyError
from . import lexical, spotting

FORMAT = "2"

# How long one writer waits for another, and a reader for a store that is just being made.
PATIENCE_S = 300.0

# Relations that name an entity instead of linking it to another: their object is a text, not an entity.
ALIAS = "also_called"
KIND = "is_a"
NAMING = (ALIAS, KIND)

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, origin TEXT NOT NULL,
    metadata TEXT NOT NULL, UNIQUE (namespace, name));
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    title TEXT NOT NULL, text TEXT NOT NULL, source TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    headings TEXT NOT NULL, metadata TEXT NOT NULL);
CREATE INDEX passages_document ON passages (document, title);
CREATE TABLE vectors (
    passage INTEGER PRIMARY KEY REFERENCES passages ON DELETE CASCADE, version INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX vectors_version ON vectors (version);
CREATE TABLE fingerprints (
    band INTEGER NOT NULL, passage INTEGER NOT NULL REFERENCES passages ON DELETE CASCADE,
    PRIMARY KEY (band, passage)) WITHOUT ROWID;
CREATE INDEX fingerprints_passage ON fingerprints (passage);
CREATE TABLE entities (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE TABLE mentions (
    passage INTEGER NOT NULL REFERENCES passages ON DELETE CASCADE,
    entity INTEGER NOT NULL REFERENCES entities ON DELETE CASCADE,
    certain INTEGER NOT NULL, titled INTEGER NOT NULL, PRIMARY KEY (passage, entity)) WITHOUT ROWID;
CREATE INDEX mentions_entity ON mentions (entity, titled, certain);
CREATE TABLE facts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, subject INTEGER NOT NULL REFERENCES entities ON DELETE CASCADE,
    relation TEXT NOT NULL, object TEXT NOT NULL, entity INTEGER REFERENCES entities ON DELETE CASCADE,
    valid_from TEXT NOT NULL, valid_until TEXT NOT NULL);
CREATE UNIQUE INDEX facts_once ON facts (subject, relation, object, valid_from, valid_until, coalesce(entity, 0));
CREATE INDEX facts_entity ON facts (entity);
CREATE INDEX facts_relation ON facts (relation, entity);
CREATE TABLE support (
    fact INTEGER NOT NULL REFERENCES facts ON DELETE CASCADE,
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    passage INTEGER REFERENCES passages ON DELETE CASCADE, source TEXT NOT NULL);
CREATE UNIQUE INDEX support_once ON support (fact, document, coalesce(passage, 0), source);
CREATE INDEX support_document ON support (document);
CREATE INDEX support_passage ON support (passage);
CREATE TABLE names (
    key TEXT NOT NULL, fact INTEGER NOT NULL REFERENCES facts ON DELETE CASCADE,
    entity INTEGER NOT NULL REFERENCES entities ON DELETE CASCADE, form TEXT NOT NULL,
    PRIMARY KEY (key, fact)) WITHOUT ROWID;
CREATE INDEX names_entity ON names (entity);
CREATE INDEX names_fact ON names (fact);
CREATE TRIGGER support_gone AFTER DELETE ON support
WHEN NOT EXISTS (SELECT 1 FROM support WHERE fact = old.fact) BEGIN
    DELETE FROM facts WHERE id = old.fact;
END;
CREATE TRIGGER fact_gone AFTER DELETE ON facts BEGIN
    DELETE FROM entities WHERE id IN (old.subject, old.entity)
        AND NOT EXISTS (SELECT 1 FROM facts WHERE subject = entities.id)
        AND NOT EXISTS (SELECT 1 FROM facts WHERE entity = entities.id)
        AND NOT EXISTS (SELECT 1 FROM mentions WHERE entity = entities.id);
END;
CREATE TRIGGER mention_gone AFTER DELETE ON mentions BEGIN
    DELETE FROM entities WHERE id = old.entity
        AND NOT EXISTS (SELECT 1 FROM facts WHERE subject = entities.id)
        AND NOT EXISTS (SELECT 1 FROM facts WHERE entity = entities.id)
        AND NOT EXISTS (SELECT 1 FROM mentions WHERE entity = entities.id);
END;
"""


class _Connection(sqlite3.Connection):
    """A connection that takes what SQLite cannot hold as the mistake of whoever gave it."""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        try:
            return super().execute(sql, parameters)
        except UnicodeEncodeError:
            raise UnderstudyError("half of a surrogate pair is no text", mend="give text that is Unicode") from None
        except OverflowError:
            raise UnderstudyError("a whole number of more than 64 bits") from None


def connect(path: str | Path) -> sqlite3.Connection:
    """Opens the database, makes its tables where they are missing, and brings an older format up to this one.

    Raises:
        UnderstudyError: when the file is no store, or one of a later format, or cannot be opened.
    """
    where = str(path)
    try:
        if where != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        # The store has a lock of its own, so its connection may serve the threads of a team.
        connection = sqlite3.connect(
            where, isolation_level=None, check_same_thread=False, timeout=PATIENCE_S, factory=_Connection
        )
    except (OSError, sqlite3.Error) as error:
        raise UnderstudyError(f"cannot open the knowledge store: {error}", where=where) from None
    try:
        _prepare(connection, where)
    except sqlite3.Error as error:
        connection.close()
        raise UnderstudyError(f"cannot open the knowledge store: {error}", where=where) from None
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, where: str) -> None:
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    if _format(connection, where) == FORMAT:
        return
    # Another process may be making it at this moment: what is missing is decided anew under the writer's lock.
    with writing(connection):
        found = _format(connection, where)
        if found is None:
            for statement in statements(SCHEMA + spotting.SCHEMA + lexical.SCHEMA):
                connection.execute(statement)
            set_meta(connection, "format", FORMAT)
        elif found == "1":
            from .migration import from_format_1

            from_format_1(connection)
        elif found != FORMAT:
            raise UnderstudyError(
                f"a store of format {found}; this version reads format {FORMAT}",
                where=where,
                mend="update understudy, or build the store anew",
            )


def _write_ahead(connection: sqlite3.Connection) -> None:
    """WAL, so that readers and the writer never wait for each other; kept in the file from the first opening on."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # Changing the mode needs the file alone, and SQLite does not wait for that by itself.
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.02)


def _format(connection: sqlite3.Connection, where: str) -> str | None:
    """The format of the store, None for an empty file."""
    known = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not known:
        return None
    if "meta" not in known or (found := meta(connection, "format")) is None:
        raise UnderstudyError("a database, but no knowledge store", where=where, mend="name another file")
    return found


def statements(script: str) -> Iterator[str]:
    """The statements of a script. Not ``executescript``: it would commit the transaction that it runs in."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[int]:
    """One transaction that changes the store: all of it or nothing. Gives the version it makes, one up.

    A transaction that changes nothing makes no version: caches stay as they are.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        mend = f"another process has been writing for {PATIENCE_S:.0f} seconds; try again when it is done"
        raise UnderstudyError("the store is being written to", mend=mend) from None
    try:
        # Before the tables are made there is no version to read; they are then version 1.
        new = version(connection) + 1 if _has_meta(connection) else 1
        before = connection.total_changes
        yield new
        if connection.total_changes != before:
            set_meta(connection, "version", str(new))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


@contextmanager
def reading(connection: sqlite3.Connection) -> Iterator[None]:
    """One snapshot: what is read within it belongs to one version, whatever another process writes."""
    if connection.in_transaction:  # within a snapshot or a change already
        yield
        return
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


def _has_meta(connection: sqlite3.Connection) -> bool:
    sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta'"
    return connection.execute(sql).fetchone() is not None


def version(connection: sqlite3.Connection) -> int:
    """The number of the last change; 0 before the first."""
    return int(meta(connection, "version") or 0)


def meta(connection: sqlite3.Connection, key: str) -> str | None:
    """A setting of the store, None when it has none."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def set_meta(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Sets a setting of the store."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
