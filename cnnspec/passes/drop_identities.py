"""Removes ops that return their input unchanged at inference."""

from __future__ import annotations

from cnnspec.graph import Graph, Ref
from cnnspec.passes.rewriting import Rewriting


def drop_identities(graph: Graph) -> Graph:
    """The graph without dropout, identities, and ops that do nothing to what comes into them.

    A pad by nothing, a reshape to the shape that is there, a pool of one pixel, a concatenation of one: what used
    their output uses their input.
    """
    rewriting = Rewriting(graph)
    kept = []
    for node in graph.nodes:
        node = rewriting.rewired(node)
        present = [ref for ref in node.inputs if ref is not None]
        if len(present) == 1 and len(node.types) == 1 and node.op.does_nothing(*graph.types_into(node)):
            rewriting.move(Ref(node.path), present[0])
        else:
            kept.append(node)
    return rewriting.result(kept) if len(kept) < len(graph.nodes) else graph
