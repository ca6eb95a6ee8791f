"""Near duplicates: passages that say nearly the same, found by MinHash without comparing all pairs.

sig_i = min over shingles of h_i(shingle);  P(sig_i(a) = sig_i(b)) = |a ∩ b| / |a ∪ b|  (Broder 1997)

Eight bands of four minima: two passages meet in a band with probability 1 − (1 − s⁴)⁸ for a likeness of s, 0.98 at
0.8 and 0.002 at 0.1 (locality-sensitive hashing, Indyk & Motwani 1998); those that meet are compared exactly.
"""

from __future__ import annotations

import re
import sqlite3
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from .text import folded

_WORD = re.compile(r"\w+")

BANDS, ROWS = 8, 4
SHINGLE = 3
ALIKE = 0.8

_GENERATOR = np.random.default_rng(20)
_FACTORS: NDArray[np.uint64] = _GENERATOR.integers(1, 2**63, BANDS * ROWS, dtype=np.uint64) | np.uint64(1)
_OFFSETS: NDArray[np.uint64] = _GENERATOR.integers(0, 2**63, BANDS * ROWS, dtype=np.uint64)


def shingles(text: str) -> frozenset[str]:
    """The runs of three words of a text, folded; all of it where it has fewer."""
    keys = _WORD.findall(folded(text))
    if len(keys) < SHINGLE:
        return frozenset([" ".join(keys)]) if keys else frozenset()
    return frozenset(" ".join(keys[i : i + SHINGLE]) for i in range(len(keys) - SHINGLE + 1))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of shingles that two texts have in common (Jaccard), 0 to 1."""
    return len(one & other) / len(one | other) if one or other else 0.0


def fingerprint(text: str) -> list[int]:
    """One signed 64-bit number per band; none for a text without words. The same everywhere: it is kept on disk."""
    runs = shingles(text)
    if not runs:
        return []
    hashed = np.frombuffer(b"".join(blake2b(run.encode(), digest_size=8).digest() for run in runs), dtype="<u8")
    minima = (hashed[:, None] * _FACTORS + _OFFSETS).min(axis=0).astype("<u8").reshape(BANDS, ROWS)
    found = []
    for band in range(BANDS):
        digest = blake2b(minima[band].tobytes(), digest_size=8, salt=bytes([band])).digest()
        found.append(int.from_bytes(digest, "little", signed=True))
    return found


def nearest(connection: sqlite3.Connection, text: str, bands: list[int], namespace: str) -> tuple[str, float] | None:
    """The source of the passage of a namespace most like ``text``, and its likeness; None where none is ALIKE."""
    if not bands:
        return None
    places = ", ".join("?" * len(bands))
    rows = connection.execute(
        "SELECT p.source, p.text FROM fingerprints f JOIN passages p ON p.id = f.passage "
        "JOIN documents d ON d.id = p.document "
        f"WHERE f.band IN ({places}) AND d.namespace = ? GROUP BY f.passage ORDER BY count(*) DESC, f.passage LIMIT 20",
        (*bands, namespace),
    ).fetchall()
    own = shingles(text)
    best = max(((source, likeness(own, shingles(other))) for source, other in rows), key=lambda r: r[1], default=None)
    return best if best is not None and best[1] >= ALIKE else None
