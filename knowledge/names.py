"""Names: which entities of the store a name can mean, looked up in its tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from .entities import Candidate
from .spotting import WRITTEN_SO

# An entity is sure of its name when a fact tells of it or it is the title of a passage.
STRONG = """(
    EXISTS (SELECT 1 FROM facts WHERE subject = e.id) OR EXISTS (SELECT 1 FROM facts WHERE entity = e.id)
    OR EXISTS (SELECT 1 FROM mentions WHERE entity = e.id AND titled))"""
CERTAIN = "EXISTS (SELECT 1 FROM mentions WHERE entity = e.id AND certain)"

# The passages in which a name of the entity ?1, its own or an alias, was spotted.
NAMING = f"""
SELECT s.passage FROM entities o JOIN spotted s ON s.key = o.key WHERE o.id = ?1 AND {WRITTEN_SO.format(form="o.name")}
UNION
SELECT s.passage FROM names o JOIN spotted s ON s.key = o.key WHERE o.entity = ?1 AND {WRITTEN_SO.format(form="o.form")}
"""

# The entities that the passages and facts of the namespace ?1 name.
IN_NAMESPACE = """
SELECT m.entity FROM mentions m JOIN passages p ON p.id = m.passage JOIN documents d ON d.id = p.document
WHERE d.namespace = ?1
UNION SELECT f.subject FROM facts f JOIN support s ON s.fact = f.id JOIN documents d ON d.id = s.document
WHERE d.namespace = ?1
UNION SELECT f.entity FROM facts f JOIN support s ON s.fact = f.id JOIN documents d ON d.id = s.document
WHERE d.namespace = ?1
"""

_OWN = f"""
SELECT e.key, CASE WHEN {STRONG} THEN 0 WHEN {CERTAIN} THEN 2 END, e.name
FROM json_each(?) k JOIN entities e ON e.key = k.value
"""
_ALIASES = """
SELECT n.key, e.name, n.form FROM json_each(?) k JOIN names n ON n.key = k.value JOIN entities e ON e.id = n.entity
ORDER BY n.fact
"""


def lookup(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, list[Candidate]]:
    """What each key can mean, best first: an own name, then aliases; keys without a meaning are left out."""
    asked = json.dumps(list(keys))
    found: dict[str, list[Candidate]] = {}
    weak: list[tuple[str, Candidate]] = []
    for key, rank, name in connection.execute(_OWN, (asked,)):
        if rank == 0:
            found.setdefault(key, []).append(Candidate(0, name, name))
        elif rank == 2:
            weak.append((key, Candidate(2, name, name)))
    for key, name, form in connection.execute(_ALIASES, (asked,)):
        found.setdefault(key, []).append(Candidate(1, name, form))
    for key, candidate in weak:
        found.setdefault(key, []).append(candidate)
    return found
