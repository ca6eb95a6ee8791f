"""Short forms, written out: what a team file may say in a word, as the long form that it stands for.

>>> route("review"), steps(["a", "b"]), tool("figures.csv")
({'to': 'review'}, ('a', 'b'), {'sql': 'figures.csv'})
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..agents.retry import Retry


def steps(written: Any) -> tuple[str, ...]:
    """One step's name, or several: of ``then``, ``after`` and a route's ``to``. What is no name is left out."""
    names = written if isinstance(written, list) else [written]
    return tuple(name for name in names if isinstance(name, str))


def route(written: Any) -> Mapping[str, Any]:
    """A route: a step's name leads there under any condition."""
    return _mapping(written, "to")


def tool(written: Any) -> Mapping[str, Any]:
    """A tool: the path of a table is read with SELECT."""
    return _mapping(written, "sql")


def agent(written: Any) -> Mapping[str, Any]:
    """An agent: a text is its role."""
    return _mapping(written, "role")


def test(written: Any) -> Mapping[str, Any]:
    """A test: a text is a request that the team must complete."""
    return _mapping(written, "input")


def retry(written: Any) -> Retry | None:
    """A policy: a number is that of the attempts; None where nothing is written."""
    if written is None:
        return None
    return Retry(**written) if isinstance(written, dict) else Retry(attempts=int(written))


def ways(step: str, written: Mapping[str, Any], others: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The routes on from ``step``: its ``routes``, its ``then``, or else to all the ``others`` that are ``after`` it.

    () where the branch ends.
    """
    if "routes" in written:
        return tuple(route(one) for one in items(written["routes"]))
    if "then" in written:
        return ({"to": written["then"]},)
    followers = [name for name, other in others.items() if step in steps(_dict(other).get("after"))]
    return ({"to": followers},) if followers else ()


def items(written: Any) -> list[Any]:
    """A list as it is written; [] for anything else."""
    return written if isinstance(written, list) else []


def _mapping(written: Any, short: str) -> Mapping[str, Any]:
    return written if isinstance(written, dict) else {short: written} if isinstance(written, str) else {}


def _dict(written: Any) -> Mapping[str, Any]:
    return written if isinstance(written, dict) else {}
