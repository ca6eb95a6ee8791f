"""GraphML: nodes with their attributes and edges as facts, read by networkx."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import ParseError

from ..core.errors import UnderstudyError
from .readings import Reading, decoded, fact, shown
from .results import Fact
from .triples import dated

_NAMES = ("name", "label", "title")
_RELATIONS = ("relation", "label")
_DOCTYPE = re.compile("<!DOCTYPE", re.IGNORECASE)
# Programs number their edges: e0, edge12, 7. Such a key is no relation.
_NUMBERED = re.compile(r"[A-Za-z_]{0,5}[-_]?\d*")


def graphml(content: bytes, name: str, where: str) -> Reading:
    """Reads a graph into facts.

    A node is called by its attribute ``name``, ``label`` or ``title``, else its id; its other attributes are facts
    with a value, and with ``literal`` true it is itself a value. An edge's relation is its attribute ``relation`` or
    ``label``, else its key where that is a text, else ``related_to``; its attributes ``valid_from``, ``valid_until``
    and ``source`` are the fact's.

    Raises:
        UnderstudyError: when it is not UTF-8, not GraphML, or declares a document type, which can hide a bomb.
    """
    text = decoded(content, where)
    if not text.strip():
        return Reading()
    if declared := _DOCTYPE.search(text):
        line = text.count("\n", 0, declared.start()) + 1
        raise UnderstudyError("it declares a document type", where=f"{where}:{line}", mend="delete <!DOCTYPE …>")
    graph = _parsed(text, where)
    names = {node: _first(data, _NAMES) or str(node) for node, data in graph.nodes(data=True)}
    facts: list[Fact | None] = []
    for node, data in graph.nodes(data=True):
        facts += [
            fact(names[node], key, shown(value), f"{name}#{node}", literal=True)
            for key, value in data.items()
            if key.lower() not in (*_NAMES, "literal")
        ]
    for start, end, key, data in graph.edges(keys=True, data=True):
        relation = _first(data, _RELATIONS) or (_relation(key) if isinstance(key, str) else "") or "related_to"
        at_edge = f"{start}-{end}"
        source = _first(data, ("source",)) or f"{name}#{at_edge}"
        literal = _first(graph.nodes[end], ("literal",)) == "true"
        made = fact(names[start], relation, names[end], source, literal)
        facts.append(made and dated(made, data, f"{where}#{at_edge}"))
    return Reading((), [one for one in facts if one])


def _parsed(text: str, where: str) -> Any:
    import networkx

    try:
        # A declared encoding is that of the bytes, which are decoded already.
        return networkx.parse_graphml(text, edge_key_type=str, force_multigraph=True)
    except ParseError as error:
        line, column = error.position
        what, _, _ = str(error).partition(": line ")
        raise UnderstudyError(f"not XML: {what}", where=f"{where}:{line}:{column + 1}") from None
    except Exception as error:  # networkx raises what its conversions happen to
        what = str(error) if isinstance(error, networkx.NetworkXError) else f"{type(error).__name__}: {error}"
        raise UnderstudyError(f"not GraphML: {what}", where=where) from None


def _first(data: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    told = {key.lower(): shown(value).strip() for key, value in data.items()}
    return next((told[key] for key in keys if told.get(key)), "")


def _relation(key: str) -> str:
    return "" if _NUMBERED.fullmatch(key) and any(letter.isdigit() for letter in key) else key
