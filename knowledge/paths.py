"""Paths: the ways from one entity to another along facts, the shortest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

# Entity → (neighbour, fact) for each fact at either end.
Step = tuple[int, int]
Neighbours = Callable[[frozenset[int]], Mapping[int, list[Step]]]


def simple_paths(start: int, goal: int, neighbours: Neighbours, longest: int) -> Iterator[list[int]]:
    """Yields the facts of every path of at most ``longest`` facts that enters no entity twice, the shortest first.

    Args:
        start: the entity where a path begins.
        goal: and where it ends; from an entity to itself there is no path.
        neighbours: the facts of some entities, whichever way they point; asked a level at a time.
        longest: in facts.
    """
    if start == goal or longest < 1:
        return
    known: dict[int, list[Step]] = {}
    ahead = _distances(start, longest // 2, neighbours, known)
    behind = _distances(goal, longest - longest // 2, neighbours, known)

    # Only what lies within reach of both ends can be on a path: the two half searches meet in the middle.
    def near(node: int, left: int) -> bool:
        return behind.get(node, longest) <= left or left > longest - longest // 2 and node in ahead

    for length in range(1, longest + 1):
        yield from _of_length(start, goal, length, known, neighbours, near)


def _distances(origin: int, reach: int, neighbours: Neighbours, known: dict[int, list[Step]]) -> dict[int, int]:
    found = {origin: 0}
    edge = frozenset([origin])
    for distance in range(1, reach + 1):
        fresh = edge - known.keys()
        if fresh:
            known.update(neighbours(frozenset(fresh)))
        edge = frozenset(n for node in edge for n, _ in known.get(node, ()) if n not in found)
        found.update(dict.fromkeys(edge, distance))
    return found


def _of_length(
    start: int,
    goal: int,
    length: int,
    known: dict[int, list[Step]],
    neighbours: Neighbours,
    near: Callable[[int, int], bool],
) -> Iterator[list[int]]:
    stack: list[tuple[int, list[int], frozenset[int]]] = [(start, [], frozenset([start]))]
    while stack:
        node, way, seen = stack.pop()
        if len(way) == length:
            if node == goal:
                yield way
            continue
        if node == goal:
            continue
        if node not in known:
            known.update(neighbours(frozenset([node])))
        left = length - len(way) - 1
        # Turned around, so that the stack gives the facts in their own order.
        for following, fact in reversed(known.get(node, [])):
            if following not in seen and near(following, left):
                stack.append((following, [*way, fact], seen | {following}))
