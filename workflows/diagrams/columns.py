"""Columns: where the items of each row stand from left to right, so that long lines run straight.

After Brandes and Köpf, "Fast and Simple Horizontal Coordinate Assignment" (2001): items are aligned with their middle
neighbours in the row before, columns of aligned items are packed, and the four results, from above and below and from
left and right, are averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..roads import reached

Row = Sequence[int]
Link = tuple[int, int]
Space = Callable[[int, int], float]


def columns(
    rows: Sequence[Row], links: Sequence[Link], inner: Callable[[int], bool], space: Space
) -> list[float]:
    """The centre of every item.

    Args:
        rows: the items of each row, from left to right. Together they are the numbers from 0.
        links: (item, item in the row below it).
        inner: whether an item is a part of a line; lines are kept straight first.
        space: what lies at least between the centres of two neighbours in a row.
    """
    place = {item: (row, column) for row, items in enumerate(rows) for column, item in enumerate(items)}
    crossed = _crossed(place, links, inner, len(rows))
    four = []
    for down in (True, False):
        for left in (True, False):
            turned = [list(row) if left else list(row)[::-1] for row in (rows if down else rows[::-1])]
            pairs = [link if down else link[::-1] for link in links if link not in crossed]
            gap = space if left else lambda one, other: space(other, one)
            found = _packed(turned, _aligned(turned, pairs), gap)
            four.append(found if left else [-x for x in found])
    widths = [max(found) - min(found) for found in four]
    narrowest = four[widths.index(min(widths))]
    for number, found in enumerate(four):
        edge = min if number % 2 == 0 else max
        shift = edge(narrowest) - edge(found)
        four[number] = [x + shift for x in found]
    x = [sum(sorted(xs)[1:3]) / 2 for xs in zip(*four, strict=True)]
    return _straightened(x, rows, links, space)


NEAR = 14.0
"""How far an item is moved to have a line straight; two that part from one box lie further apart."""


def _straightened(x: list[float], rows: Sequence[Row], links: Sequence[Link], space: Space) -> list[float]:
    """Small bends taken out, where there is room: all that stands straight above each other is moved as one."""
    beside: dict[int, list[tuple[int, float]]] = {item: [] for row in rows for item in row}
    for row in rows:
        for one, other in zip(row, row[1:], strict=False):
            beside[one].append((other, space(one, other)))
            beside[other].append((one, -space(one, other)))
    straight: dict[int, list[int]] = {item: [] for item in beside}
    for upper, lower in links:
        if abs(x[upper] - x[lower]) < 0.5:
            straight[upper].append(lower)
            straight[lower].append(upper)
    for upper, lower in links:
        away = x[lower] - x[upper]
        if not 0.5 <= abs(away) <= NEAR:
            continue
        for first, shift in ((upper, away), (lower, -away)):
            block = reached(straight, {first})
            if all(other in block or _room(x[item] + shift, x[other], apart)
                   for item in block for other, apart in beside[item]):
                for item in block:
                    x[item] += shift
                straight[upper].append(lower)
                straight[lower].append(upper)
                break
    return x


def _room(x: float, other: float, apart: float) -> bool:
    return x + apart <= other + 1e-6 if apart > 0 else x + apart >= other - 1e-6


def _crossed(
    place: Mapping[int, tuple[int, int]], links: Sequence[Link], inner: Callable[[int], bool], rows: int
) -> set[Link]:
    """The links that give way where two cross: the one that is not inside a line, or of two inside the later one."""
    between: list[list[Link]] = [[] for _ in range(rows)]
    for link in links:
        between[place[link[0]][0]].append(link)
    found: set[Link] = set()
    for row in between:
        kept: list[Link] = []
        for link in sorted(row, key=lambda link: not (inner(link[0]) and inner(link[1]))):
            if any(_cross(place, link, other) for other in kept):
                found.add(link)
            elif inner(link[0]) and inner(link[1]):
                kept.append(link)
    return found


def _cross(place: Mapping[int, tuple[int, int]], one: Link, other: Link) -> bool:
    return (place[one[0]][1] - place[other[0]][1]) * (place[one[1]][1] - place[other[1]][1]) < 0


def _aligned(rows: Sequence[Row], links: Sequence[Link]) -> list[int]:
    """For each item the first of the column that it belongs to."""
    count = sum(map(len, rows))
    root = list(range(count))
    above: list[list[int]] = [[] for _ in range(count)]
    place = {item: column for row in rows for column, item in enumerate(row)}
    for top, bottom in links:
        above[bottom].append(top)
    for row in rows:
        last = -1
        for item in row:
            near = sorted(above[item], key=place.__getitem__)
            for other in near[(len(near) - 1) // 2 : len(near) // 2 + 1]:
                if root[item] == item and last < place[other]:
                    root[item], last = root[other], place[other]
    return root


def _packed(rows: Sequence[Row], root: Sequence[int], space: Space) -> list[float]:
    """Every column as far left as it can be, then as near to its right neighbours as it can be."""
    import networkx as nx

    order = nx.DiGraph()
    order.add_nodes_from(sorted(set(root)))
    for row in rows:
        for one, other in zip(row, row[1:], strict=False):
            a, b = root[one], root[other]
            known = order.get_edge_data(a, b, {"space": 0.0})["space"]
            order.add_edge(a, b, space=max(known, space(one, other)))
    at: dict[int, float] = {}
    sequence = list(nx.topological_sort(order))
    for column in sequence:
        before = order.pred[column]
        at[column] = max((at[one] + before[one]["space"] for one in before), default=0.0)
    for column in reversed(sequence):
        after = order.succ[column]
        at[column] = max(at[column], min((at[one] - after[one]["space"] for one in after), default=0.0))
    return [at[column] for column in root]
