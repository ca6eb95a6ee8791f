"""Error roads: steps that branches side by side both reach where a step fails, and which nothing waits for.

A branch leaves its way by ``on_error`` whenever a step of it fails, so each way of it counts, under any condition. A
step behind a join is reached by those branches alone that do come to the join: one that failed before does not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, product

from .graph import Graph, Step
from .roads import START


@dataclass(frozen=True)
class Coming:
    """A way to a step: from ``origin``, after the failure of ``failed`` where that led there."""

    origin: str
    failed: str | None = None

    def __str__(self) -> str:
        if self.failed is None:
            return self.origin
        own = self.origin == self.failed
        return f"{self.origin} when it fails" if own else f"{self.origin} after {self.failed} failed"


Found = Mapping[str, tuple[Coming, ...]]
"""The steps that a branch may come to, and how."""


def collisions(graph: Graph) -> Iterator[tuple[str, Coming, Coming]]:
    """The steps that two branches may both come to by a failure, and how each does: the first step of each two ways."""
    crossed = _crossed(graph) if graph.guarded else set()
    routes = ((name, route.targets) for name, step in graph.steps.items() for route in step.routes)
    joins = {name: frozenset(step.join) for name, step in graph.steps.items() if len(step.join) > 1}
    told: set[str] = set()
    for name, targets in chain([(START, graph.first)], routes):
        for target in dict.fromkeys(targets) if len(targets) > 1 and crossed else ():
            alone = _found(graph, joins, name, [target])
            if crossed.isdisjoint(alone):
                continue
            others = _found(graph, joins, name, [other for other in targets if other != target])
            for meeting, first, second in _meetings(graph.steps, alone, others):
                if meeting not in told:
                    told.add(meeting)
                    yield meeting, first, second


def _crossed(graph: Graph) -> set[str]:
    """The steps that several lead to and that wait for none of them: few branches come to one."""
    origins: dict[str, int] = dict.fromkeys(graph.first, 1)
    for step in graph.steps.values():
        for to in step.onward:
            origins[to] = origins.get(to, 0) + 1
    return {name for name, step in graph.steps.items() if origins.get(name, 0) > 1 and len(step.join) < 2}


def _meetings(steps: Mapping[str, Step], alone: Found, others: Found) -> Iterator[tuple[str, Coming, Coming]]:
    both = alone.keys() & others.keys()
    for name in sorted(both, key=list(steps).index) if both else ():
        if len(steps[name].join) > 1:
            continue
        for first, second in product(alone[name], others[name]):
            if (first.failed or second.failed) and first.origin not in both and second.origin not in both:
                yield name, first, second
                break


def _found(graph: Graph, joins: Mapping[str, frozenset[str]], name: str, targets: Iterable[str]) -> Found:
    """Where the branches come to that lead from ``name`` to ``targets``, side by side with others that do not count."""
    found: dict[str, dict[bool, Coming]] = {}
    arrived: dict[str, dict[str, Coming]] = {}
    waiting = deque((to, Coming(name)) for to in targets)
    while waiting:
        to, coming = waiting.popleft()
        step = graph.steps.get(to)
        if step is None:
            continue
        if (join := joins.get(to)) is not None:
            here = arrived.setdefault(to, {})
            known = here.get(coming.origin)
            if coming.origin not in join or known is not None and (known.failed or not coming.failed):
                continue
            here[coming.origin] = coming
            if len(here) < len(join):
                continue
            coming = next((one for one in here.values() if one.failed), coming)
        ways = found.setdefault(to, {})
        if (coming.failed is not None) in ways:
            continue
        ways[coming.failed is not None] = coming
        for other in step.onward:
            failing = other == step.on_error and not any(other in route.targets for route in step.routes)
            waiting.append((other, Coming(to, coming.failed or (to if failing else None))))
    return {to: tuple(ways.values()) for to, ways in found.items()}
