"""References of a pattern: agents, functions and values that are not there, and parameters that do not go together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..core.errors import UnderstudyError
from .graph import Graph
from .merging import MERGES
from .pattern_shapes import PATTERNS
from .shapes import Report
from .step_references import Scope, check_call
from .team_graph import WHOLE
from .team_patterns import OF_A_STEP, Player, named, pattern_flow, patterns_in
from .values import hint
from .yaml_document import KeyPath


def check_patterns(team: Mapping[str, Any], agents: Collection[str], report: Report) -> dict[str, Graph]:
    """Report what is wrong with the patterns of a team's document, each by itself.

    Returns the graphs of those that are right, by step, or :data:`WHOLE`: their steps by name, with nothing known of
    who does them.
    """
    found: dict[str, Graph] = {}
    for step, path, written in patterns_in(team):
        known = {kind: said for kind, said in _mapping(written).items() if kind in PATTERNS and isinstance(said, dict)}
        for kind, said in known.items():
            check_names(said, (*path, kind), agents, report)
        for kind, said in known.items() if not report.wrong(*path) else ():
            graph = check_group(kind, said, (*path, kind), agents, report)
            found |= {} if graph is None else {step: graph}
        for kind, said in known.items():
            check_words(said, (*path, kind), report, whole=step == WHOLE)
    return found


def check_names(said: Mapping[str, Any], path: KeyPath, agents: Collection[str], report: Report) -> None:
    """Report agents and functions that are not there."""
    rule = [(("rule",), said["rule"])] if isinstance(said.get("rule"), dict) else []
    for at, one in (*named(said), *rule):
        if isinstance(one, dict):
            check_call(one.get("call"), (*path, *at, "call"), report)
        elif isinstance(one, str) and one.strip() and one not in agents:
            mend = hint(one, agents) or "the team has no agents: add agents: {NAME: ROLE}, or write {call: FUNCTION}"
            report.add((*path, *at), f"unknown agent '{one[:60]}'", suggestion=mend)


def check_words(said: Mapping[str, Any], path: KeyPath, report: Report, *, whole: bool) -> None:
    """Report keys that say nothing here; ``whole``: the pattern is the whole workflow."""
    for key in OF_A_STEP if whole else ():
        if key in said:
            says = {"takes": "input", "limits": "limits"}[key]
            report.add((*path, key), f"'{key}' in a pattern that is the whole workflow", key=True,
                       why=f"the team's '{says}' says it", suggestion=f"write it under the team's {says}")
    if said.get("by") in tuple(MERGES) and "rule" not in said:
        report.add((*path, "by"), f"'{said['by']}' is a rule, and 'by' names a field of the answers",
                   suggestion=f"write rule: {said['by']}")


def check_group(kind: str, said: Mapping[str, Any], path: KeyPath, agents: Collection[str],
                report: Report) -> Graph | None:
    """Report a group that cannot be made of these, or whose ``until`` is about nothing. Returns its graph."""
    bare = {key: value for key, value in said.items() if key != "until"}
    try:
        graph = pattern_flow({kind: bare}, {name: Player(name) for name in agents}, kind).graph()
    except UnderstudyError as error:
        at = ("start",) if "start" in said and said["start"] not in said["agents"] else ()
        report.add((*path, *at), error.what, suggestion=error.mend)
        return None
    Scope(report, (), (*graph.steps, *graph.lists)).check(said.get("until"), (*path, "until"))
    return graph


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
