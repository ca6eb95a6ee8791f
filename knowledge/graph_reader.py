"""What the graph answers: facts, ways and names, each from one version of the tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date
from threading import RLock
from typing import Any

from . import facts, names, tables
from .entities import Linker, Mention
from .graph import networkx_view
from .matching import Pattern, compiled, parsed
from .paths import simple_paths
from .results import Fact
from .text import key_of
from .times import instant


class GraphReader:
    """Answers about the entities and facts of an open store, each from one snapshot of the tables.

    ``namespace`` narrows an answer to one part of the store, ``as_of`` to the facts that held at a time (an ISO 8601
    text or a date); without them it comes from all parts and from all times.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = RLock()
        self._linker = Linker(lambda keys: names.lookup(connection, keys))

    def link(self, text: str) -> list[Mention]:
        """The entities that ``text`` names, in order: longest match, whatever the case, plural or possessive."""
        with self._lock, tables.reading(self._connection):
            return self._linker.link(text)

    def facts(
        self,
        entity: str,
        relation: str | None = None,
        *,
        names: bool = False,
        as_of: str | date | None = None,
        namespace: str | None = None,
    ) -> list[Fact]:
        """What the graph says about an entity (its name or an alias): as subject first, then as object.

        Where a relation is told from both ends throughout ("A borders B", "B borders A"), each pair is given once, from
        the entity's own end.

        Args:
            entity: a name or alias; an unknown one has no facts.
            relation: only this relation.
            names: whether ``is_a`` and ``also_called`` are told as well.
            as_of: only facts that held then.
            namespace: only facts that a document of this part of the store supports.
        """
        time = None if as_of is None else instant(as_of)
        with self._lock, tables.reading(self._connection):
            meant = self._ids(self._linker.entities(entity)[:1])
            found = facts.about(self._connection, meant[0], time, namespace) if meant else []
            mutual = {name: facts.symmetric(self._connection, name) for name in {fact.relation for fact in found}}
        told: dict[tuple[str | bool, ...], Fact] = {}
        for fact in found:
            turned = (fact.object, fact.relation, fact.subject, fact.valid_from, fact.valid_until, fact.literal)
            if turned in told and mutual[fact.relation] or (relation or fact.relation) != fact.relation:
                continue
            if names or relation or fact.relation not in tables.NAMING:
                told[fact.subject, fact.relation, fact.object, fact.valid_from, fact.valid_until, fact.literal] = fact
        return list(told.values())

    def all_facts(self, namespace: str | None = None, as_of: str | date | None = None) -> list[Fact]:
        """Every fact, in the order in which they came."""
        time = None if as_of is None else instant(as_of)
        with self._lock, tables.reading(self._connection):
            return facts.everything(self._connection, time, namespace)

    def neighbours(
        self,
        entity: str,
        relation: str | None = None,
        *,
        as_of: str | date | None = None,
        namespace: str | None = None,
    ) -> list[str]:
        """The entities one edge away (along ``relation`` where given), in the order of :meth:`facts`."""
        found: dict[str, None] = {}
        with self._lock, tables.reading(self._connection):
            own = self.resolve(entity)
            told = self.facts(entity, relation, as_of=as_of, namespace=namespace)
        for fact in told:
            if not fact.literal:
                found[fact.object if fact.subject == own else fact.subject] = None
        return [name for name in found if name != own]

    def paths(
        self,
        start: str,
        goal: str,
        longest: int = 3,
        *,
        limit: int = 10,
        as_of: str | date | None = None,
        namespace: str | None = None,
    ) -> list[list[Fact]]:
        """The ways from one entity to another along facts, whichever way they point, the shortest first.

        Args:
            start: a name or alias.
            goal: a name or alias.
            longest: facts on a way at most.
            limit: ways at most.
            as_of: only along facts that held then.
            namespace: only along facts that a document of this part of the store supports.
        """
        time = None if as_of is None else instant(as_of)
        with self._lock, tables.reading(self._connection):
            ends = [self._ids(self._linker.entities(name)[:1]) for name in (start, goal)]
            if not all(ends):
                return []
            steps = facts.Steps(self._connection, time, namespace)
            ways: list[list[Fact]] = []
            for way in simple_paths(ends[0][0], ends[1][0], steps, longest):
                if len(ways) >= limit:
                    break
                ways.append([facts.by_number(self._connection, number, namespace) for number in way])
            return ways

    def query(
        self,
        patterns: str | Sequence[Pattern],
        *,
        limit: int = 100,
        as_of: str | date | None = None,
        namespace: str | None = None,
    ) -> list[dict[str, str]]:
        """What the variables of some patterns can be so that all of them are facts.

        Args:
            patterns: ``"?city capital_of ?country . ?country borders Peru"``, or triples of terms; "?" makes a
                variable; names may be aliases.
            limit: answers at most; where there are more, any of them.
            as_of: only facts that held then.
            namespace: only facts that a document of this part of the store supports.

        Returns:
            in the order of their facts: one mapping variable → name an answer, each once; ``{}`` for a true pattern
            without variables.

        Raises:
            UnderstudyError: for a text that is no pattern.
        """
        triples = parsed(patterns) if isinstance(patterns, str) else list(patterns)
        time = None if as_of is None else instant(as_of)
        with self._lock, tables.reading(self._connection):
            match = compiled(
                triples,
                lambda name: self._ids(self._linker.entities(name)),
                as_of=time,
                namespace=namespace,
            )
            # Not sorted by SQLite, which would make all answers before it gives the first.
            first: dict[tuple[str, ...], tuple[int, ...]] = {}
            for row in self._connection.execute(match.sql, match.values):
                answer, numbers = row[: len(match.variables)], row[len(match.variables) :]
                if answer not in first and len(first) >= limit:
                    break
                first[answer] = min(first.get(answer, numbers), numbers)
        return [dict(zip(match.variables, answer, strict=True)) for answer in sorted(first, key=first.__getitem__)]

    def resolve(self, name: str) -> str | None:
        """The entity that a name or alias means, None when there is none."""
        with self._lock, tables.reading(self._connection):
            return next(iter(self._linker.entities(name)), None)

    def entities(self, kind: str | None = None, namespace: str | None = None) -> list[str]:
        """The names of all entities that facts or passages are sure of, or of those that are a ``kind``; sorted."""
        if kind is not None:
            of_kind = [f for f in self.all_facts(namespace) if f.relation == tables.KIND and f.object == kind]
            return sorted({fact.subject for fact in of_kind})
        # What an alias says is another's name is no entity of its own.
        alias = "NOT EXISTS (SELECT 1 FROM names WHERE key = e.key)"
        sql = f"SELECT e.name FROM entities e WHERE ({names.STRONG} OR {names.CERTAIN} AND {alias})"
        if namespace is not None:
            sql += f" AND e.id IN ({names.IN_NAMESPACE})"
        return sorted(row[0] for row in self._rows(sql, *([] if namespace is None else [namespace])))

    def kinds(self, entity: str, namespace: str | None = None) -> list[str]:
        """What an entity is (``is_a``): ``["country"]``."""
        with self._lock, tables.reading(self._connection):
            own = self.resolve(entity)
            told = self.facts(entity, tables.KIND, namespace=namespace)
        return [fact.object for fact in told if fact.subject == own]

    def graph(self, namespace: str | None = None) -> Any:
        """The facts as a ``networkx.MultiDiGraph`` (aliases and kinds left out), see :func:`.graph.networkx_view`."""
        return networkx_view(fact for fact in self.all_facts(namespace) if fact.relation not in tables.NAMING)

    def _ids(self, entities: Sequence[str]) -> list[int]:
        """The numbers of entities by their names."""
        found: dict[int, None] = {}
        for name in entities:
            for row in self._rows("SELECT id FROM entities WHERE key = ?", key_of(name)):
                found[int(row[0])] = None
        return list(found)

    def _rows(self, sql: str, *values: object) -> list[Any]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()
