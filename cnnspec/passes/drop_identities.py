"""Removes ops that return their input unchanged at inference."""

from __future__ import annotations

from dataclasses import replace

from cnnspec.graph import Graph, Ref


def drop_identities(graph: Graph) -> Graph:
    """The graph without dropout, identities and the like; what used their output uses their input."""
    instead: dict[Ref, Ref] = {}
    kept = []
    for node in graph.nodes:
        inputs = tuple(None if ref is None else instead.get(ref, ref) for ref in node.inputs)
        source = inputs[0] if inputs else None
        if node.op.identity and source is not None and len(inputs) == 1:
            instead[Ref(node.path)] = source
        else:
            kept.append(replace(node, inputs=inputs) if inputs != node.inputs else node)
    if not instead:
        return graph
    return graph.with_nodes(
        tuple(kept),
        outputs={name: instead.get(ref, ref) for name, ref in graph.outputs.items()},
        scopes={path: instead.get(ref, ref) for path, ref in graph.scopes.items()},
    )
