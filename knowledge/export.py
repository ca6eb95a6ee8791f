"""Export: the graph as GraphML or N-Triples, whole files that other tools read, and :mod:`.documents` too."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from ..core.errors import UnderstudyError
from .results import Fact
from .tables import ALIAS, KIND

BASE = "urn:understudy:"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
ALTERNATIVE = "http://www.w3.org/2004/02/skos/core#altLabel"


def write(facts: Iterable[Fact], path: Path) -> int:
    """Writes facts to a file, whole or not at all; how many.

    Args:
        facts: what is written.
        path: ``.graphml`` or ``.nt``.

    Raises:
        UnderstudyError: for another ending, and a place that cannot be written to.
    """
    formats = {".graphml": graphml, ".nt": ntriples}
    if path.suffix.lower() not in formats:
        raise UnderstudyError(
            f"no graph can be written as {path.suffix or 'a file without ending'}",
            where=str(path),
            mend=f"name a file that ends in {' or '.join(formats)}",
        )
    given = list(facts)
    text = formats[path.suffix.lower()](given)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            part.write_text(text, encoding="utf-8", newline="\n")
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UnderstudyError(error.strerror or "cannot be written", where=str(path)) from None
    return len(given)


def graphml(facts: Iterable[Fact]) -> str:
    """Facts as GraphML: nodes with ``name`` (and ``literal`` for values), edges with ``relation``, source and times."""
    import networkx

    graph = networkx.MultiDiGraph()
    numbers: dict[tuple[str, bool], str] = {}

    def node(name: str, literal: bool) -> str:
        number = numbers.setdefault((name, literal), f"n{len(numbers)}")
        graph.add_node(number, name=_printable(name), literal=literal)
        return number

    for fact in facts:
        graph.add_edge(
            *(node(fact.subject, False), node(fact.object, fact.literal)),
            relation=_printable(fact.relation),
            source=_printable(fact.source),
            valid_from=fact.valid_from,
            valid_until=fact.valid_until,
        )
    return "\n".join(networkx.generate_graphml(graph)) + "\n"


def ntriples(facts: Iterable[Fact]) -> str:
    """Facts as N-Triples (W3C 2014): a label for each entity, kinds as ``rdf:type``, aliases as ``skos:altLabel``.

    Sources and times have no place in a triple and are left out.
    """
    lines: dict[str, None] = {}

    def entity(name: str) -> str:
        iri = f"<{BASE}entity/{quote(name, safe='')}>"
        lines[f"{iri} <{LABEL}> {_literal(name)} ."] = None
        return iri

    for fact in facts:
        subject = entity(fact.subject)
        if fact.relation == KIND:
            lines[f"{subject} <{TYPE}> <{BASE}kind/{quote(fact.object, safe='')}> ."] = None
        elif fact.relation == ALIAS:
            lines[f"{subject} <{ALTERNATIVE}> {_literal(fact.object)} ."] = None
        else:
            thing = _literal(fact.object) if fact.literal else entity(fact.object)
            lines[f"{subject} <{BASE}relation/{quote(fact.relation, safe='')}> {thing} ."] = None
    return "".join(f"{line}\n" for line in lines)


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def _printable(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return "".join(
        c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
    )
