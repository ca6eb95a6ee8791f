"""Checks of a graph before it runs: every mistake at once, each with the path of its key and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import iscoroutinefunction
from typing import Any

from ..agents.retry import Retry
from .edges import mismatches
from .error_roads import collisions
from .graph import END, Graph, Step
from .merging import MERGES
from .problems import Problem
from .roads import START, Roads
from .values import hint

_ALWAYS = ("input", "team")
_ITEM = ("item", "index")
_DOERS = ("agent", "agent_from", "call", "workflow", "ask", "sleep")

_Found = Iterator[tuple[str, str, str, str]]


def problems(
    graph: Graph, agents: Mapping[str, Any] | None = None, typed: Mapping[str, Any] | None = None
) -> list[Problem]:
    """What is wrong with ``graph``, but for the workflows that do steps of it.

    Args:
        agents: those that steps may name; None: any name is fine.
        typed: those whose ``takes`` and ``gives`` are known; ``agents`` where it is None.
    """
    astray = list(_ways(graph))
    # Roads cannot be followed over names that do not exist.
    roads = None if astray else Roads(graph)
    found = [*_doers(graph, agents), *astray, *_names(graph, roads)]
    if roads is not None:
        found += _roads(graph, roads)
        found += mismatches(graph, (agents if typed is None else typed) or {}, roads)
    return [Problem(graph.name, 0, 0, path, what, why, mend) for path, what, why, mend in dict.fromkeys(found)]


def _ways(graph: Graph) -> _Found:
    """Names of steps that there are not."""
    steps = graph.steps
    for first in graph.first:
        if first not in steps:
            yield "start", f"there is no step '{first}'", "", hint(first, steps) or ""
    for name, step in steps.items():
        for number, route in enumerate(step.routes):
            for target in route.targets:
                if target != END and target not in steps:
                    mend = hint(target, [*steps, END]) or ""
                    yield f"steps.{name}.routes[{number}].to", f"there is no step '{target}'", "", mend
        for other in step.join:
            if other not in steps:
                yield f"steps.{name}.join", f"there is no step '{other}'", "", hint(other, steps) or ""
        if step.on_error is not None and step.on_error not in (END, *steps):
            mend = hint(step.on_error, [*steps, END]) or ""
            yield f"steps.{name}.on_error", f"there is no step '{step.on_error}'", "", mend


def _doers(graph: Graph, agents: Mapping[str, Any] | None) -> _Found:
    """Who does the steps, and how."""
    steps = graph.steps
    for name, step in steps.items():
        at = f"steps.{name}"
        doers = [one for one in _DOERS if getattr(step, one) is not None]
        if len(doers) != 1:
            mend = "give it agent, agent_from, call, workflow, ask or sleep"
            yield at, f"step {name} has {len(doers)} doers", "a step has one", mend
        if step.into is not None and step.into in {*steps, *_ALWAYS, *_ITEM}:
            yield f"{at}.into", f"the list '{step.into}' has the name of something else", "", "call it otherwise"
        if step.agent is not None and agents is not None and step.agent not in agents:
            yield f"{at}.agent", f"there is no agent '{step.agent}'", "", hint(step.agent, agents) or ""
        if step.at_once < 1:
            yield f"{at}.at_once", f"at_once is {step.at_once}", "", "let at least one item be under way"
        retry: Any = step.retry
        if retry is not None and not isinstance(retry, Retry):
            yield f"{at}.retry", f"retry is {retry!r}", "", "write retry=Retry(attempts=3)"
        for number, route in enumerate(step.routes):
            if route.at_most is not None and route.at_most < 1:
                mend = "allow it once or more, or take the route away"
                yield f"{at}.routes[{number}].at_most", f"at_most is {route.at_most}", "", mend
        yield from _merge(step)
        if step.on_error == name:
            mend = "lead to another step; retry= tries it again"
            yield f"{at}.on_error", f"step {name} leads to itself by on_error", "it could fail for ever", mend
    for name in graph.limits.agents:
        if name in steps and steps[name].call is not None:
            mend = "limit the run, or give the step seconds"
            yield f"limits.agents.{name}", f"'{name}' is a function, not an agent", "budgets are for agents", mend


def _merge(step: Step) -> _Found:
    at = f"steps.{step.name}.merge"
    rule: Any = step.merge
    if rule is None:
        return
    if len(step.join) < 2:
        why = "a merge rule makes one value of what several steps give"
        mend = "take it away, or say after which steps: after [a, b]"
        yield at, f"step {step.name} has a merge and joins nothing", why, mend
    if isinstance(rule, str):
        if rule not in MERGES:
            yield at, f"there is no merge rule '{rule}'", "", hint(rule, MERGES) or ""
    elif not callable(rule):
        yield at, f"{rule!r} is no merge rule", "", "give a name, or a function of a mapping from step to output"
    elif iscoroutinefunction(rule):
        mend = "make it a plain function, or let the step itself await"
        yield at, f"step {step.name} has an async merge", "a merge computes and waits for nothing", mend


def _names(graph: Graph, roads: Roads | None) -> _Found:
    """Names in expressions; without ``roads`` it is not known which steps have run."""
    errors = ("error",) if graph.guarded else ()
    for name, step in graph.steps.items():
        yield from _expressions(graph, roads, name, step)
    for key, expression in graph.output.items():
        for used in sorted(expression.names() - {*_ALWAYS, *errors, *graph.lists, *graph.steps}):
            yield f"output.{key}", f"no step is called '{used}'", "", hint(used, [*graph.steps, *_ALWAYS]) or ""


def _expressions(graph: Graph, roads: Roads | None, name: str, step: Step) -> _Found:
    for path, expression in step.expressions():
        route = path.startswith("routes")
        item = step.each is not None and path != "each" and not route
        words = (*_ALWAYS, *(_ITEM if item else ()), *(("error",) if graph.guarded else ()), *graph.lists)
        for used in sorted(expression.names()):
            at = f"steps.{name}.{path}"
            if used not in words and used not in graph.steps:
                yield at, f"no value is called '{used}' here", "", hint(used, [*words, *graph.steps]) or ""
            elif roads is None or used not in graph.steps or (route and used == name):
                continue  # a route is chosen when its own step has an output
            elif not roads.leads(used, name):
                why = f"no way leads from {used} to {name}"
                yield at, f"step {name} reads '{used}', which cannot have run", why, "lead there first"


def _roads(graph: Graph, roads: Roads) -> _Found:
    for name in roads.lost():
        yield f"steps.{name}", f"step {name} cannot be reached", "", "lead to it, or take it away"
    for name, others in roads.dead_ends():
        mend = "give it a route to $end"
        what = f"no end can be reached from step {name}"
        if others:
            what, mend = f"{what}, nor from {', '.join(others)}", "give one of them a route to $end"
        yield f"steps.{name}", what, "a run would never complete", mend
    loops = list(roads.unlimited())
    for loop in loops:
        yield (
            f"steps.{loop[0]}.routes",
            f"the loop {' → '.join([*loop, loop[0]])} has no limit",
            "it could go round for ever",
            _limit(graph, loop),
        )
    for name, step in graph.steps.items():
        strangers = [other for other in step.join if name not in roads.onward[other]]
        if strangers:
            yield f"steps.{name}.join", f"step {strangers[0]} does not lead to {name}", "", "give it a route there"
        for other in roads.onward if len(step.join) > 1 else ():
            if name in roads.onward[other] and other not in step.join:
                what = f"step {other} leads to {name}, which waits for {' and '.join(step.join)} only"
                mend = f"let {name} wait for it as well, or lead it to a step before {' or '.join(step.join)}"
                yield f"steps.{other}", what, "it starts nothing there, and leaves the join incomplete", mend
    met = [] if loops else list(roads.meetings())
    for name, first, second in met:
        both = f"by {first} and by {second}" if first != second else f"twice by {first}"
        what = f"step {name} is reached {both}, side by side, and does not wait for both"
        why = "it would be reached again while it is under way"
        mend = f"let it wait for both, after [{first}, {second}], or lead one of them elsewhere"
        if START in (first, second):
            mend = f"begin without {name}, or lead elsewhere"
        yield f"steps.{name}", what, why, mend
    for name, one, two in collisions(graph):
        if name not in {step for step, *_ in met}:
            what = f"step {name} may be reached twice, side by side: by {one}, and by {two}"
            mend = "give each a step of its own, or make the branches one workflow that is a step, with its on_error"
            yield f"steps.{name}", what, "it would be done twice", mend


def _limit(graph: Graph, loop: list[str]) -> str:
    """How the loop is given a limit: routes can have one, ``on_error`` cannot."""
    ways = list(zip(loop, [*loop[1:], loop[0]], strict=True))
    routed = [(name, to) for name, to in ways if any(to in route.targets for route in graph.steps[name].routes)]
    if len(routed) == len(ways):
        return "give a route of it at_most"
    if routed:
        name, to = routed[-1]
        return f"on_error has no limit of its own: give the route from {name} to {to} at_most"
    return "on_error has no limit: lead on from one of them by a route with at_most"
