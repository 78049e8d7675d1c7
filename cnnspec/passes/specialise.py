"""Specialises a graph for training or for inference."""

from __future__ import annotations

from dataclasses import replace

from cnnspec.graph import Graph
from cnnspec.passes.prune import prune, reachable


def for_inference(graph: Graph) -> Graph:
    """The graph without what exists only in training, and without optional inputs."""
    gone = {node.path for node in graph.nodes if node.training_only}
    absent = {entry.name for entry in graph.inputs if entry.optional}
    nodes = tuple(
        replace(node, inputs=tuple(None if r is not None and r.node in absent else r for r in node.inputs))
        for node in graph.nodes
        if node.path not in gone
    )
    present = {node.path for node in nodes} | {entry.name for entry in graph.inputs if not entry.optional}
    outputs = {name: ref for name, ref in graph.outputs.items() if ref.node not in gone}
    return prune(
        graph.with_nodes(
            nodes,
            inputs=tuple(entry for entry in graph.inputs if not entry.optional),
            outputs=outputs,
            scopes=reachable(graph.scopes, present),
        )
    )
