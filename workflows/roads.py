"""Roads: where the steps of a graph lead, and which lead round without a limit or meet where nothing waits for both."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain
from typing import TypeVar

from .graph import END, Graph

START = "the start"
"""Where a branch comes from that begins the run."""

Ways = Mapping[str, Iterable[str]]
Node = TypeVar("Node", bound=Hashable)


class Roads:
    """The ways between the steps of ``graph``; those to steps that there are not are left out."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.onward = {name: [to for to in step.onward if to in graph.steps] for name, step in graph.steps.items()}
        self._places = {name: place for place, name in enumerate(graph.steps)}
        self._certain: dict[str, frozenset[str]] = {}

    def leads(self, name: str, other: str) -> bool:
        """Whether ``other`` can be reached from ``name``; from itself only over a loop."""
        return bool(self._reach[name] >> self._places[other] & 1)

    def before(self, name: str) -> set[str]:
        """The steps from which ``name`` can be reached."""
        bit = 1 << self._places[name]
        return {other for other, reached in self._reach.items() if reached & bit}

    @cached_property
    def _reach(self) -> Mapping[str, int]:
        """For each step those that can be reached from it, as bits."""
        reach: dict[str, int] = {}
        for group in groups(self.onward):
            bits = 0
            for name in group:
                for to in self.onward[name]:
                    bits |= 1 << self._places[to] | reach.get(to, 0)
            reach.update(dict.fromkeys(group, bits))
        return reach

    def certain(self, name: str) -> frozenset[str]:
        """The steps that follow whenever ``name`` has ended well, whatever it gave."""
        if name not in self._certain:
            ways = {one: self._always(one) for one in self.graph.steps}
            self._certain[name] = frozenset(reached(ways, ways[name]))
        return self._certain[name]

    def _always(self, name: str) -> list[str]:
        first = next(iter(self.graph.steps[name].routes), None)
        if first is None or first.when is not None:
            return []
        return [to for to in first.targets if to in self.graph.steps]

    def lost(self) -> list[str]:
        """The steps that cannot be reached."""
        there = reached(self.onward, self.graph.first)
        return [name for name in self.graph.steps if name not in there]

    def endless(self) -> list[str]:
        """The steps from which no end can be reached."""
        back: dict[str, list[str]] = {}
        for name, step in self.graph.steps.items():
            for to in step.onward or (END,):
                back.setdefault(to, []).append(name)
        there = reached(back, {END})
        return [name for name in self.graph.steps if name not in there]

    def dead_ends(self) -> list[tuple[str, list[str]]]:
        """The loops that are led to and never left, which is where steps without an end come to: first and others."""
        found: list[tuple[str, list[str]]] = []
        endless = self.endless()
        for group in groups({name: self.onward[name] for name in endless}):
            members = set(group)
            if all(to in members for name in group for to in self.onward[name]):
                first, *others = self._ordered(group)
                found.append((first, others))
        return sorted(found, key=lambda one: self._places[one[0]])

    def unlimited(self) -> Iterator[list[str]]:
        """Loops in which nothing has an ``at_most``: of those that share steps not more than name each step once."""
        ways = {
            name: dict.fromkeys(
                [to for route in step.routes if route.at_most is None for to in route.targets if to in self.onward]
                + [to for to in (step.on_error,) if to in self.onward and to != name]
            )
            for name, step in self.graph.steps.items()
        }
        found = []
        for group in groups(ways):
            members = set(group)
            inside = {name: [to for to in ways[name] if to in members] for name in self._ordered(group)}
            told: set[str] = set()
            for name in inside:
                if name not in told and (loop := _loop(inside, name)):
                    told.update(loop)
                    found.append(loop)
        yield from sorted(found, key=lambda loop: self._places[loop[0]])

    def _ordered(self, names: Iterable[str]) -> list[str]:
        return sorted(names, key=self._places.__getitem__)

    def meetings(self) -> Iterator[tuple[str, str, str]]:
        """Steps that are certain to be reached twice by branches side by side, and the two from which they are.

        One of these may be :data:`START`.

        Only to be asked where no loop is unlimited.
        """
        routes = ((name, route.targets) for name, step in self.graph.steps.items() for route in step.routes)
        told = set()
        for name, targets in chain([(START, self.graph.first)], routes):
            for meeting in self._met(name, targets) if len(targets) > 1 else ():
                if meeting not in told:
                    told.add(meeting)
                    yield meeting

    def _met(self, name: str, targets: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
        origins: dict[str, str] = {}
        arrived: dict[str, set[str]] = {}
        waiting = deque((to, name) for to in targets)
        while waiting:
            to, origin = waiting.popleft()
            step = self.graph.steps.get(to)
            if step is None:
                continue
            if len(step.join) > 1:
                here = arrived.setdefault(to, set())
                complete = not here.issuperset(step.join) and (here | {origin}).issuperset(step.join)
                here.add(origin)
                if not complete:
                    continue
            elif to in origins:
                yield to, origins[to], origin
                continue
            origins[to] = origin
            first = next(iter(step.routes), None)
            if first is not None and first.when is None and first.at_most is None:
                waiting.extend((other, to) for other in first.targets)


def _loop(ways: Ways, name: str) -> list[str] | None:
    """The shortest way from ``name`` back to it."""
    came: dict[str, str] = {}
    waiting = deque([name])
    while waiting:
        at = waiting.popleft()
        for to in ways.get(at, ()):
            if to == name:
                loop = [at]
                while loop[-1] != name:
                    loop.append(came[loop[-1]])
                return loop[::-1]
            if to not in came:
                came[to] = at
                waiting.append(to)
    return None


def reached(ways: Mapping[Node, Iterable[Node]], start: Iterable[Node]) -> set[Node]:
    """``start``, and all that can be reached from there."""
    found, waiting = set(start), list(start)
    while waiting:
        for to in ways.get(waiting.pop(), ()):
            if to not in found:
                found.add(to)
                waiting.append(to)
    return found


def groups(ways: Ways) -> list[list[str]]:
    """The strongly connected components, each after those that can be reached from it (Tarjan 1972, without recursion).

    >>> groups({"a": "b", "b": "ac", "c": ""})
    [['c'], ['b', 'a']]
    """
    found: list[list[str]] = []
    numbers: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for root in ways:
        if root in numbers:
            continue
        path = [(root, iter(ways[root]))]
        numbers[root] = lowest[root] = len(numbers)
        stack.append(root)
        on_stack.add(root)
        while path:
            name, rest = path[-1]
            for to in rest:
                if to not in numbers:
                    numbers[to] = lowest[to] = len(numbers)
                    stack.append(to)
                    on_stack.add(to)
                    path.append((to, iter(ways[to])))
                    break
                if to in on_stack:
                    lowest[name] = min(lowest[name], numbers[to])
            else:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[name])
                if lowest[name] == numbers[name]:
                    group: list[str] = []
                    while not group or group[-1] != name:
                        group.append(stack.pop())
                        on_stack.discard(group[-1])
                    found.append(group)
    return found
