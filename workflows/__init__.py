"""Workflows: graphs of steps, the engine that runs them, its journal, and teams from YAML.

Public names are loaded on first use (PEP 562); nothing heavy is imported by them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .expressions import Expression
    from .flow import Workflow
    from .graph import Graph, Route, Step
    from .journal import Journal
    from .limits import Budget, Limits
    from .outcome import Result
    from .problems import InvalidFile, Problem
    from .refs import Ref
    from .schema import check
    from .team import Team

_homes = {
    "Budget": "limits",
    "Expression": "expressions",
    "Graph": "graph",
    "InvalidFile": "problems",
    "Journal": "journal",
    "Limits": "limits",
    "Problem": "problems",
    "Ref": "refs",
    "Result": "outcome",
    "Route": "graph",
    "Step": "graph",
    "Team": "team",
    "Workflow": "flow",
    "check": "schema",
}

__all__ = [
    "Budget", "Expression", "Graph", "InvalidFile", "Journal", "Limits", "Problem", "Ref", "Result", "Route", "Step",
    "Team", "Workflow", "check",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name in _homes:
        value = getattr(importlib.import_module(f".{_homes[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
