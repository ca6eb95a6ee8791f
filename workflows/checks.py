"""Checks of a graph before it runs: every mistake at once, each with the path of its key and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .graph import END, Graph, Step
from .problems import Problem
from .values import hint

_ALWAYS = ("input", "team")
_ITEM = ("item", "index")


def problems(graph: Graph, agents: Mapping[str, Any] | None = None) -> list[Problem]:
    """What is wrong with ``graph``. ``agents``: those that steps may name; None: any name is fine."""
    found = [
        Problem(graph.name, 0, 0, path, what, why, mend) for path, what, why, mend in _names(graph, agents)
    ]
    if found:
        # Roads cannot be followed over names that do not exist.
        return found
    return [Problem(graph.name, 0, 0, path, what, why, mend) for path, what, why, mend in _roads(graph)]


_Found = Iterator[tuple[str, str, str, str]]


def _names(graph: Graph, agents: Mapping[str, Any] | None) -> _Found:
    steps = graph.steps
    if graph.start not in steps:
        yield "start", f"there is no step '{graph.start}'", "", hint(graph.start, steps) or ""
    for name, step in steps.items():
        at = f"steps.{name}"
        doers = [one for one in (step.agent, step.agent_from, step.call, step.ask, step.sleep) if one is not None]
        if len(doers) != 1:
            mend = "give it agent, agent_from, call, ask or sleep"
            yield at, f"step {name} has {len(doers)} doers", "a step has one", mend
        if step.into is not None and step.into in {*steps, *_ALWAYS, *_ITEM}:
            yield f"{at}.into", f"the list '{step.into}' has the name of something else", "", "call it otherwise"
        if step.agent is not None and agents is not None and step.agent not in agents:
            yield f"{at}.agent", f"there is no agent '{step.agent}'", "", hint(step.agent, agents) or ""
        if step.at_once < 1:
            yield f"{at}.at_once", f"at_once is {step.at_once}", "", "let at least one item be under way"
        for number, route in enumerate(step.routes):
            for target in route.targets:
                if target != END and target not in steps:
                    mend = hint(target, [*steps, END]) or ""
                    yield f"{at}.routes[{number}].to", f"there is no step '{target}'", "", mend
            if route.at_most is not None and route.at_most < 1:
                mend = "allow it once or more, or take the route away"
                yield f"{at}.routes[{number}].at_most", f"at_most is {route.at_most}", "", mend
        for other in step.join:
            if other not in steps:
                yield f"{at}.join", f"there is no step '{other}'", "", hint(other, steps) or ""
        yield from _expressions(graph, name, step)
    for name in graph.limits.agents:
        if name in steps and steps[name].call is not None:
            mend = "limit the run, or give the step seconds"
            yield f"limits.agents.{name}", f"'{name}' is a function, not an agent", "budgets are for agents", mend
    for key, expression in graph.output.items():
        for used in sorted(expression.names() - {*_ALWAYS, *graph.lists, *steps}):
            yield f"output.{key}", f"no step is called '{used}'", "", hint(used, [*steps, *_ALWAYS]) or ""


def _expressions(graph: Graph, name: str, step: Step) -> _Found:
    if not any(expression.names() for _, expression in step.expressions()):
        return
    before = _before(graph, name)
    for path, expression in step.expressions():
        item = step.each is not None and path != "each" and not path.startswith("routes")
        # A route is chosen when its own step has an output.
        seen = {*before, name} if path.startswith("routes") else before
        known = [*_ALWAYS, *(_ITEM if item else ()), *graph.lists, *graph.steps]
        for used in sorted(expression.names()):
            at = f"steps.{name}.{path}"
            if used not in known:
                yield at, f"no value is called '{used}' here", "", hint(used, known) or ""
            elif used in graph.steps and used not in seen:
                why = f"no way leads from {used} to {name}"
                yield at, f"step {name} reads '{used}', which cannot have run", why, "lead there first"


def _before(graph: Graph, name: str) -> set[str]:
    """The steps from which ``name`` can be reached."""
    into: dict[str, set[str]] = {}
    for step in graph.steps.values():
        for route in step.routes:
            for target in route.targets:
                into.setdefault(target, set()).add(step.name)
    return _reached(into, into.get(name, set()))


def _roads(graph: Graph) -> _Found:
    onward = {name: {to for route in step.routes for to in route.targets} for name, step in graph.steps.items()}
    for name in set(graph.steps) - _reached(onward, {graph.start}):
        yield f"steps.{name}", f"step {name} cannot be reached", "", "lead to it, or take it away"
    back: dict[str, set[str]] = {}
    for name, targets in onward.items():
        for target in targets or {END}:
            back.setdefault(target, set()).add(name)
    for name in sorted(set(graph.steps) - _reached(back, {END})):
        mend = "give it a route to $end"
        yield f"steps.{name}", f"no end can be reached from step {name}", "a run would never complete", mend
    unlimited = {
        name: {to for route in step.routes if route.at_most is None for to in route.targets}
        for name, step in graph.steps.items()
    }
    for name in graph.steps:
        if name in _reached(unlimited, unlimited[name]):
            round_trip = [other for other in graph.steps if _on_a_loop(unlimited, name, other)]
            if name == round_trip[0]:
                yield (
                    f"steps.{name}.routes",
                    f"the loop {' → '.join(round_trip)} → {name} has no limit",
                    "it could go round for ever",
                    "give a route of it at_most",
                )
    for name, step in graph.steps.items():
        strangers = [other for other in step.join if name not in onward[other]]
        if strangers:
            yield f"steps.{name}.join", f"step {strangers[0]} does not lead to {name}", "", "give it a route there"


def _on_a_loop(ways: Mapping[str, set[str]], first: str, other: str) -> bool:
    return other in _reached(ways, ways[first]) and first in _reached(ways, ways[other])


def _reached(ways: Mapping[str, set[str]], start: set[str]) -> set[str]:
    found, waiting = set(start), list(start)
    while waiting:
        for target in ways.get(waiting.pop(), ()):
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found
