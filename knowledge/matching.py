"""Matching: patterns of triples with variables, answered by joins over the facts.

``?city capital_of ?country . ?country borders Peru`` has two patterns; a variable that stands twice is the same thing
in both (a basic graph pattern of SPARQL 1.1, W3C 2013, §5).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.errors import UnderstudyError
from .times import VALID

Pattern = tuple[str, str, str]

_TERM = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|(\.)(?=\s|$)|(\?\w+(?=\.(?:\s|$))|[^\s"]+))')
MOST_PATTERNS = 12


def parsed(text: str) -> list[Pattern]:
    """The patterns of a text: three terms each, a full stop between two. A term with blanks stands in quotes.

    Raises:
        UnderstudyError: where a pattern has not three terms.
    """
    patterns: list[Pattern] = []
    terms: list[str] = []
    place = 0
    text = text.rstrip()
    while place < len(text):
        found = _TERM.match(text, place)
        if found is None:
            raise UnderstudyError("a quote is not closed", where=f"column {place + 1}", mend='write "São Tomé"')
        place = found.end()
        quoted, stop, plain = found.groups()
        if stop:
            _complete(terms, patterns, place)
            continue
        terms.append(re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain)
    if terms or not patterns:
        _complete(terms, patterns, place)
    return patterns


def _complete(terms: list[str], patterns: list[Pattern], place: int) -> None:
    if len(terms) != 3:
        raise UnderstudyError(
            f"a pattern has three terms, not {len(terms)}: {' '.join(terms) or 'nothing'}",
            where=f"column {place}",
            mend='write ?city capital_of "São Tomé and Príncipe" . ?city …',
        )
    patterns.append((terms[0], terms[1], terms[2]))
    terms.clear()


@dataclass(frozen=True)
class Match:
    """A query in SQL.

    Attributes:
        sql: gives the variables in their order of appearance, and then the numbers of the facts. Other facts can give
            the same answer again.
        values: for its places.
        variables: without the question mark.
    """

    sql: str
    values: tuple[Any, ...]
    variables: tuple[str, ...]


def compiled(
    patterns: Sequence[Pattern],
    resolve: Callable[[str], Sequence[int]],
    *,
    as_of: str | None = None,
    namespace: str | None = None,
) -> Match:
    """The patterns as one query.

    Args:
        patterns: subject, relation, object; a term that begins with "?" is a variable.
        resolve: the entities that a name can mean.
        as_of: only facts that held then.
        namespace: only facts that a document of this part of the store supports.

    Raises:
        UnderstudyError: for no pattern, too many, or a variable that is both a relation and a thing.
    """
    for pattern in patterns:
        if len(pattern) != 3:
            raise UnderstudyError(f"a pattern has three terms, not {len(pattern)}: {pattern}")
    if not 0 < len(patterns) <= MOST_PATTERNS:
        raise UnderstudyError(f"{len(patterns)} patterns", mend=f"give 1 to {MOST_PATTERNS}")
    places: dict[str, list[tuple[str, str]]] = {}
    conditions: list[str] = []
    values: list[Any] = []
    for number, (subject, relation, thing) in enumerate(patterns):
        fact = f"f{number}"
        for term, column in ((subject, "subject"), (relation, "relation"), (thing, "object")):
            if term.startswith("?") and len(term) > 1:
                places.setdefault(term[1:], []).append((fact, column))
            elif column == "relation":
                # "born in" and born_in are one relation, however the facts write it.
                conditions.append(f"{fact}.relation IN (?, ?, ?)")
                values += [term, term.replace(" ", "_"), term.replace("_", " ")]
            else:
                meant = list(resolve(term))
                among = f"IN ({', '.join('?' * len(meant))})"
                if column == "subject":
                    conditions.append(f"{fact}.subject {among}")
                    values += meant
                else:
                    conditions.append(f"({fact}.entity {among} OR {fact}.entity IS NULL AND {fact}.object = ?)")
                    values += [*meant, term]
        if as_of is not None:
            conditions.append(f"({VALID})".replace("f.", f"{fact}."))
            values += [as_of, as_of]
        if namespace is not None:
            conditions.append(
                "EXISTS (SELECT 1 FROM support s JOIN documents d ON d.id = s.document "
                f"WHERE s.fact = {fact}.id AND d.namespace = ?)"
            )
            values.append(namespace)
    shown = [_joined(name, stands, conditions) for name, stands in places.items()]
    tables = ", ".join(f"facts f{number}" for number in range(len(patterns)))
    numbers = ", ".join(f"f{number}.id" for number in range(len(patterns)))
    sql = (
        f"SELECT {', '.join([*shown, numbers])} FROM {tables} "
        f"WHERE {' AND '.join(conditions) or 'true'}"
    )
    return Match(sql, tuple(values), tuple(places))


def _joined(name: str, stands: list[tuple[str, str]], conditions: list[str]) -> str:
    """What the variable shows; that it is the same everywhere is added to the conditions."""
    columns = {column for _, column in stands}
    if "relation" in columns:
        if columns != {"relation"}:
            raise UnderstudyError(f"?{name} is a relation and a thing", mend="give one of the two another name")
        conditions += [f"f.relation = {stands[0][0]}.relation".replace("f.", f"{fact}.") for fact, _ in stands[1:]]
        return f"{stands[0][0]}.relation"
    # A thing that is a subject somewhere is an entity: the joins then use its number, and the indexes on it.
    subjects = [fact for fact, column in stands if column == "subject"]
    if subjects:
        first = f"{subjects[0]}.subject"
        conditions += [f"{fact}.subject = {first}" for fact in subjects[1:]]
        conditions += [f"{fact}.entity = {first}" for fact, column in stands if column == "object"]
        return f"(SELECT name FROM entities WHERE id = {first})"
    first, *others = [fact for fact, _ in stands]
    # An entity's object is its key, so that equal objects are the same entity or the same literal.
    conditions += [f"{fact}.object = {first}.object AND {fact}.entity IS {first}.entity" for fact in others]
    return f"coalesce((SELECT name FROM entities WHERE id = {first}.entity), {first}.object)"
