"""Folds a border of zeros into the convolution behind it."""

from __future__ import annotations

from dataclasses import replace

from cnnspec.fields import Padding
from cnnspec.graph import Graph, Node, Ref
from cnnspec.ops.conv import Conv
from cnnspec.ops.pad import Pad
from cnnspec.passes.rewriting import Rewriting


def fold_pads(graph: Graph) -> Graph:
    """The graph in which a pad by zeros that only a convolution uses is part of that convolution's own padding."""
    rewriting = Rewriting(graph)
    nodes: dict[str, Node] = {}
    for node in graph.nodes:
        ref = node.inputs[0] if node.inputs else None
        pad = nodes.get(ref.node) if ref is not None else None
        if pad is None or not isinstance(node.op, Conv) or not _of_zeros(pad) or not rewriting.alone(ref):
            nodes[node.path] = node
            continue
        assert isinstance(pad.op, Pad)
        own = node.op.padding.resolve(
            (pad.type.height, pad.type.width), node.op.kernel, node.op.stride, node.op.dilation
        )
        sides = tuple((a + c, b + d) for (a, b), (c, d) in zip(pad.op.padding.sides, own, strict=True))
        padding = Padding("explicit", (sides[0], sides[1]))
        rewriting.lose(Ref(pad.path), node.path)
        del nodes[pad.path]
        nodes[node.path] = replace(node, op=node.op.model_copy(update={"padding": padding}), inputs=pad.inputs)
    return rewriting.result(nodes.values()) if len(nodes) < len(graph.nodes) else graph


def _of_zeros(node: Node) -> bool:
    op = node.op
    return isinstance(op, Pad) and op.mode == "constant" and op.value == 0 and op.channels == 0
