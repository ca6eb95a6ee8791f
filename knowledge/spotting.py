"""Spotting: names that the store knows, found in the texts of its passages, however they are written.

A capital letter is one sign of a name; that a title, a fact or an alias has it is a better one ("Kestrel 40", "copper
sheet"). Which passages hold which known name is kept in two tables: ``spotted`` (passage, key, how it is written) and
``sought``, the keys that every passage has been searched for. Both tell about texts alone, so they stay true whatever
becomes of the facts; what a name means is looked up when the graph is built.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from .entities import LONGEST_NAME
from .text import STOPWORDS, words

SCHEMA = """
CREATE TABLE spotted (
    passage INTEGER NOT NULL REFERENCES passages ON DELETE CASCADE, key TEXT NOT NULL, upper INTEGER NOT NULL,
    capitals INTEGER NOT NULL, PRIMARY KEY (passage, key)) WITHOUT ROWID;
CREATE INDEX spotted_key ON spotted (key);
CREATE TABLE sought (key TEXT PRIMARY KEY) WITHOUT ROWID;
"""

# Where a name is meant: one with a capital only where some word is written with one, an abbreviation only in capitals.
# ``s`` is the spotted name, ``{form}`` the name as it is written where it was given.
WRITTEN_SO = """(CASE
    WHEN {form} = upper({form}) AND length({form}) <= 4 THEN s.capitals
    WHEN {form} != lower({form}) THEN s.upper
    ELSE 1 END)"""

# With more new names for each older passage, it is quicker to read them all than to ask the lexical index for each.
_READ_ALL = 0.05


def spotted(text: str, keys: Mapping[str, int]) -> dict[str, tuple[bool, bool]]:
    """The known names in a text: key → whether a word of it has a capital somewhere, and is all capitals somewhere.

    Args:
        text: the passage.
        keys: the known keys, and for the first word of each the most words of a key that begins with it.
    """
    marks = words(text)
    found: dict[str, tuple[bool, bool]] = {}
    for first, mark in enumerate(marks):
        key = ""
        for last in range(first, min(first + keys.get(f"{mark.key} …", 0), len(marks))):
            key = f"{key} {marks[last].key}" if key else mark.key
            if key in keys:
                written = text[mark.start : marks[last].end]
                upper, capitals = found.get(key, (False, False))
                found[key] = (upper or written != written.lower(), capitals or written.isupper())
    return found


def reach(keys: Iterable[str]) -> dict[str, int]:
    """What :func:`spotted` takes: the keys, and for their first words how many words a key has at most."""
    known: dict[str, int] = {}
    for key in keys:
        count = key.count(" ") + 1
        known[key] = count
        first = f"{key.split(' ', 1)[0]} …"
        known[first] = max(known.get(first, 0), count)
    return known


def findable(key: str, form: str) -> bool:
    """Whether a name can be told from other words: no letter, no number, and no stop words but in capitals."""
    parts = key.split(" ")
    if len(key) < 2 or len(parts) > LONGEST_NAME or key.isdigit():
        return False
    return form.isupper() or not STOPWORDS.issuperset(parts)


def spot(connection: sqlite3.Connection, fresh: Mapping[int, str], names: Mapping[str, str]) -> None:
    """Searches new passages for all known names, and the older ones for new names.

    Args:
        connection: within a transaction.
        fresh: the new passages, id → text.
        names: the names that the transaction told, key → form.
    """
    sought = {row[0] for row in connection.execute("SELECT key FROM sought")} if fresh or names else set()
    new = {key: form for key, form in names.items() if findable(key, form) and key not in sought}
    if new:
        connection.executemany("INSERT INTO sought VALUES (?)", [(key,) for key in new])
        _search_older(connection, fresh, new)
    if fresh:
        keys = reach([*sought, *new])
        for passage, text in fresh.items():
            _put(connection, passage, spotted(text, keys))


def spot_all(connection: sqlite3.Connection) -> None:
    """Searches all passages for all names anew, within a transaction."""
    connection.execute("DELETE FROM spotted")
    connection.execute("DELETE FROM sought")
    names = dict(connection.execute(_KNOWN).fetchall())
    spot(connection, dict(connection.execute("SELECT id, text FROM passages").fetchall()), names)


def out_of_step(connection: sqlite3.Connection) -> int:
    """How many passages hold other known names than the tables say, or names that were never sought."""
    sought = {row[0] for row in connection.execute("SELECT key FROM sought")}
    if any(findable(key, form) and key not in sought for key, form in connection.execute(_KNOWN)):
        return int(connection.execute("SELECT count(*) FROM passages").fetchone()[0])
    noted: dict[int, dict[str, tuple[bool, bool]]] = {}
    for passage, key, upper, capitals in connection.execute("SELECT passage, key, upper, capitals FROM spotted"):
        noted.setdefault(passage, {})[key] = (bool(upper), bool(capitals))
    keys = reach(sought)
    texts = connection.execute("SELECT id, text FROM passages")
    return sum(spotted(text, keys) != noted.get(passage, {}) for passage, text in texts)


def forget_unknown(connection: sqlite3.Connection) -> None:
    """Takes away what was sought for names that nothing vouches for any more, within a transaction."""
    known = {key for key, _ in connection.execute(_KNOWN)}
    gone = [(key,) for (key,) in connection.execute("SELECT key FROM sought").fetchall() if key not in known]
    connection.executemany("DELETE FROM spotted WHERE key = ?", gone)
    connection.executemany("DELETE FROM sought WHERE key = ?", gone)


_KNOWN = """
SELECT key, name FROM entities WHERE id IN (
    SELECT subject FROM facts UNION SELECT entity FROM facts UNION SELECT entity FROM mentions WHERE titled)
UNION SELECT key, form FROM names"""


def _search_older(connection: sqlite3.Connection, fresh: Mapping[int, str], new: Mapping[str, str]) -> None:
    older = connection.execute("SELECT count(*) FROM passages").fetchone()[0] - len(fresh)
    if older <= 0:
        return
    if len(new) > _READ_ALL * older:
        keys = reach(new)
        for passage, text in connection.execute("SELECT id, text FROM passages ORDER BY id").fetchall():
            if passage not in fresh:
                _put(connection, passage, spotted(text, keys))
        return
    for key, form in new.items():
        phrase = " OR ".join(dict.fromkeys(f'"{part}"' for part in (key, " ".join(form.replace('"', " ").split()))))
        rows = connection.execute(
            "SELECT p.id, p.text FROM lexical JOIN passages p ON p.id = lexical.rowid WHERE lexical MATCH ?",
            (f"text : ({phrase})",),
        ).fetchall()
        keys = reach([key])
        for passage, text in rows:
            if passage not in fresh:
                _put(connection, passage, spotted(text, keys))


def _put(connection: sqlite3.Connection, passage: int, found: Mapping[str, tuple[bool, bool]]) -> None:
    rows = [(passage, key, upper, capitals) for key, (upper, capitals) in found.items()]
    connection.executemany("INSERT OR REPLACE INTO spotted VALUES (?, ?, ?, ?)", rows)
