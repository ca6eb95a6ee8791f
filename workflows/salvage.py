"""Salvage: the graph of a team's document that has mistakes, as far as it is right.

So that roads and types are checked together with all else: a step with a mistake is stood for by one of which nothing
is known but where it leads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..agents.messages import Message
from . import forms
from .graph import END, Graph, Route, Step
from .limits import Limits
from .pattern_graph import PatternFlow
from .shapes import Report
from .step_shapes import STEP
from .team_graph import WHOLE, expression_of, graph_of, limits_of, step_of
from .yaml_document import KeyPath

STEPS = ("workflow", "steps")
WAYS = ("then", "routes", "after", "on_error")
ROADS = ("routes", "join", "on_error")
"""Keys that say where a step leads, in a document and in a graph."""


def unknown(*_: Any, **__: Any) -> Any:
    """Stands for what does a step of which nothing is known."""


def hopeless(report: Report) -> bool:
    """Whether there is no telling what a team with these mistakes is meant to be."""
    return bool(report.paths & {(), ("workflow",), STEPS, ("agents",), ("team",)})


class Salvaged:
    """The graph of a document that is not :func:`hopeless`, and which of its problems are the document's own.

    Args:
        takes: the type of the input; None where it is not known.
        teams: those that do steps, by their paths, as far as they are right.
        patterns: by their steps, as far as they are right.

    Attributes:
        graph: None where nothing can be made of the document.
        broken: the steps that are stood for.
        whole: whether it is known where each step leads.
    """

    def __init__(self, team: Mapping[str, Any], report: Report, takes: type[Message] | None,
                 teams: Mapping[str, Any], patterns: Mapping[str, PatternFlow]) -> None:
        self.report = report
        self.patterns = patterns
        self.broken: frozenset[str] = frozenset()
        self.whole = True
        self.graph: Graph | None = None
        if "workflow" in team and "pattern" not in team["workflow"]:
            self.graph = self._graph(team, takes, teams)
        else:
            wrong = [key for key in ("output", "limits") if report.wrong(key)]
            right = {key: value for key, value in team.items() if key not in wrong}
            known = WHOLE in patterns if "workflow" in team else not report.wrong("agents")
            self.graph = graph_of(right, takes, teams, patterns) if known else None

    def holds(self, path: KeyPath) -> bool:
        """Whether a problem of the graph at ``path`` is one of the document."""
        if path[:1] != ("steps",) or len(path) < 2:
            return True
        road = len(path) == 2 or path[2] in ROADS and "when" not in path
        return self.whole if road else path[1] not in self.broken

    def _graph(self, team: Mapping[str, Any], takes: type[Message] | None, teams: Mapping[str, Any]) -> Graph:
        report, written = self.report, team["workflow"]["steps"]
        known = {name: step for name, step in written.items() if isinstance(step, dict)}
        wrong = {name for name in written if report.wrong(*STEPS, name)}
        lost = {name for name, step in known.items() if name not in wrong and (
            step.get("team", "") not in ("", *teams) or ("pattern" in step and name not in self.patterns))}
        self.broken = frozenset(wrong | lost)
        astray = any(self._astray(name, written[name]) for name in self.broken)
        self.whole = not astray and not report.wrong("workflow", "start")
        steps = {
            name: self._standing(name, written[name], known, tuple(written)) if name in self.broken
            else step_of(name, written[name], known, str(team["team"]), teams, self.patterns)
            for name in written
        }  # fmt: skip
        if not self.whole and self.broken:
            # A step that ends the branch may be one that a mistake elsewhere should have named.
            hub = next(name for name in written if name in self.broken)
            ends = [name for name in written if name not in self.broken and not forms.ways(name, known[name], known)]
            steps |= {name: replace(steps[name], routes=(Route((hub, END)),)) for name in ends}
        start = team["workflow"].get("start") if self.whole else None
        output = {name: expression_of(text) for name, text in self._right(team, "output").items()}
        limits = Limits() if report.wrong("limits") else limits_of(team.get("limits", {}))
        first = forms.steps(start) or (next(iter(steps)),)
        return Graph(str(team["team"]), steps, first if len(first) > 1 else first[0], takes, output, limits)

    def _standing(self, name: str, written: Any, known: Mapping[str, Any], every: tuple[str, ...]) -> Step:
        """What stands for a step with a mistake: where not all ways are known, it leads everywhere."""
        step = written if isinstance(written, dict) else {}
        into = step.get("into") if isinstance(step.get("into"), str) else None
        if not self.whole:
            error = END if "on_error" in step else None
            return Step(name, call=unknown, routes=(Route((*every, END)),), into=into, on_error=error)
        ways = forms.ways(name, step, known)
        routes = tuple(Route(forms.steps(way["to"]), at_most=way.get("at_most")) for way in ways)
        after = forms.steps(step["after"]) if "after" in step else ()
        return Step(name, call=unknown, routes=routes or (Route(END),), on_error=step.get("on_error"),
                    join=after if len(after) > 1 else (), into=into)

    def _astray(self, name: str, step: Any) -> bool:
        """Whether it is not known where a step with a mistake leads."""
        if not isinstance(step, dict) or any(key not in STEP.keys for key in step):
            return True
        at = (*STEPS, name)
        inside = [path[len(at) :] for path in self.report.paths if path[: len(at)] == at]
        return any(path[0] in WAYS and path[2:] != ("when",) for path in inside if path)

    def _right(self, team: Mapping[str, Any], key: str) -> dict[str, Any]:
        """What is right in a mapping of the document."""
        if (key,) in self.report.paths:
            return {}
        return {name: value for name, value in team.get(key, {}).items() if not self.report.wrong(key, name)}
