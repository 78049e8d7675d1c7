"""Removes what no output needs."""

from __future__ import annotations

from cnnspec.graph import Graph, Node, Ref, Region


def prune(graph: Graph) -> Graph:
    """The graph without nodes that no output depends on, and without their parameters."""
    needed = {ref.node for ref in graph.outputs.values()}
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if node.path in needed:
            kept.append(node)
            needed |= {ref.node for ref in node.inputs if ref is not None}
    nodes = tuple(reversed(kept))
    paths = {path for node in nodes for path in node.parameters.values()}
    sources = {s for path, derived in graph.derived.items() if path in paths for s in derived.sources}
    present = {node.path for node in nodes} | {entry.name for entry in graph.inputs}
    if len(nodes) == len(graph.nodes) and graph.parameters.keys() <= paths | sources:
        return graph
    return graph.with_nodes(
        nodes,
        parameters={path: p for path, p in graph.parameters.items() if path in paths or path in sources},
        derived={path: d for path, d in graph.derived.items() if path in paths},
        scopes=reachable(graph.scopes, present),
        regions=_regions(graph, nodes),
    )


def _regions(graph: Graph, nodes: tuple[Node, ...]) -> tuple[Region, ...]:
    """The repeats that are still there, with the iterations that are."""
    around = {scope for node in nodes for scope in _enclosing(node.path)}
    left = (Region(r.path, tuple(i for i in r.iterations if i in around)) for r in graph.regions)
    return tuple(region for region in left if region.iterations)


def _enclosing(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def reachable(scopes: object, present: set[str]) -> dict[str, Ref]:
    """The scopes whose outputs are still there."""
    assert isinstance(scopes, dict)
    return {path: ref for path, ref in scopes.items() if ref.node in present}
