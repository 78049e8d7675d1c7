"""Removes what no output needs."""

from __future__ import annotations

from cnnspec.graph import Graph, Node, Ref


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
    return graph.with_nodes(
        nodes,
        parameters={path: p for path, p in graph.parameters.items() if path in paths or path in sources},
        derived={path: d for path, d in graph.derived.items() if path in paths},
        scopes=reachable(graph.scopes, present),
    )


def reachable(scopes: object, present: set[str]) -> dict[str, Ref]:
    """The scopes whose outputs are still there."""
    assert isinstance(scopes, dict)
    return {path: ref for path, ref in scopes.items() if ref.node in present}
