"""The lexical side: BM25 by SQLite's FTS5, which changes in the same transaction as the passages it indexes.

score(q, p) = Σ idf(t)·tf(t, p)·(k1 + 1) / (tf(t, p) + k1·(1 − b + b·|p|/avg)),  k1 = 1.2, b = 0.75
(Robertson & Zaragoza 2009), over Porter stems without diacritics; a word in the title counts double.
"""

from __future__ import annotations

import sqlite3

from .filters import Filter
from .text import STOPWORDS, words

# Triggers, so that no code path can change a passage and forget its index.
SCHEMA = """
CREATE VIRTUAL TABLE IF NOT EXISTS lexical USING fts5(
    title, text, content='passages', content_rowid='id', tokenize='porter unicode61 remove_diacritics 2');
CREATE TRIGGER IF NOT EXISTS lexical_add AFTER INSERT ON passages BEGIN
    INSERT INTO lexical(rowid, title, text) VALUES (new.id, new.title, new.text);
END;
CREATE TRIGGER IF NOT EXISTS lexical_remove AFTER DELETE ON passages BEGIN
    INSERT INTO lexical(lexical, rowid, title, text) VALUES ('delete', old.id, old.title, old.text);
END;
"""


def search(connection: sqlite3.Connection, query: str, k: int, only: Filter | None = None) -> list[tuple[int, float]]:
    """The passages that share words with ``query``: (id, BM25), best first; ties go to the older passage."""
    found = words(query)
    asked = [word for word in found if word.key not in STOPWORDS] or found
    if not asked or k < 1:
        return []
    # Quoted, so that no word of the query is taken as an operator of FTS5.
    match = " OR ".join(dict.fromkeys(f'"{query[word.start : word.end]}"' for word in asked))
    # The plus keeps SQLite from asking FTS5 anew for every passage that is let through.
    condition, values = ("", ()) if only is None or not only.sql else (f"AND +rowid IN ({only.ids})", only.values)
    rows = connection.execute(
        f"SELECT rowid, bm25(lexical, 2.0, 1.0) AS score FROM lexical WHERE lexical MATCH ? {condition} "
        "ORDER BY score, rowid LIMIT ?",
        (match, *values, k),
    )
    return [(int(rowid), -float(score)) for rowid, score in rows]


def rebuild(connection: sqlite3.Connection) -> None:
    """Builds the index anew from the passages."""
    connection.execute("INSERT INTO lexical(lexical) VALUES ('rebuild')")


def agrees(connection: sqlite3.Connection) -> bool:
    """Whether the index says what the passages say."""
    try:
        connection.execute("INSERT INTO lexical(lexical, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError:
        return False
    return True
