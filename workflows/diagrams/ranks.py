"""Ranks: how far down each box stands, and which arrows lead back up."""

from __future__ import annotations

from collections.abc import Sequence


def leading_back(names: Sequence[str], wires: Sequence[tuple[str, str, bool]]) -> frozenset[int]:
    """The wires (source, target, aside) that are left out so that no circle is left.

    Those that lead away from the first box are kept first, so that what leads back is what a reader would call so. How
    far a box is from the first is counted without the wires aside, where it can be reached without them.
    """
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    for source, target, aside in wires:
        steps = len(names) if aside else 1
        graph.add_edge(source, target, steps=min(steps, graph.get_edge_data(source, target, {"steps": steps})["steps"]))
    far = nx.single_source_dijkstra_path_length(graph, names[0], weight="steps")
    beyond = len(names) ** 2
    # The number breaks ties: boxes that cannot be reached stand in the order in which they are named.
    place = {name: (far.get(name, beyond), number) for number, name in enumerate(names)}
    circle = {name: number for number, some in enumerate(nx.strongly_connected_components(graph)) for name in some}
    kept = nx.DiGraph()
    kept.add_nodes_from(names)
    back = set()

    def climbs(number: int) -> tuple[float, int]:
        source, target, _ = wires[number]
        return place[source][0] - place[target][0], number

    for number in sorted(range(len(wires)), key=climbs):
        source, target, _ = wires[number]
        if circle[source] == circle[target] and climbs(number)[0] >= 0 and nx.has_path(kept, target, source):
            back.add(number)
        else:
            kept.add_edge(source, target)
    return frozenset(back)


def ranks(names: Sequence[str], wires: Sequence[tuple[str, str]], last: str | None) -> dict[str, int]:
    """The rank of each box: the length of the longest way to it, of wires that close no circle.

    ``last`` stands below all others.
    """
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(names)
    graph.add_edges_from(wires)
    graph.add_edges_from((names[0], name) for name in names[1:] if not graph.pred[name])
    rank = {name: depth for depth, level in enumerate(nx.topological_generations(graph)) for name in level}
    if last is not None:
        rank[last] = 1 + max(depth for name, depth in rank.items() if name != last)
    return rank
