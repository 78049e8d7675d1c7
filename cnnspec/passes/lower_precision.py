"""Computes in bfloat16, and in float32 where it matters."""

from __future__ import annotations

from dataclasses import replace

from cnnspec.graph import Graph, Node, Ref
from cnnspec.ops.cast import Cast
from cnnspec.types import DType, TensorType


def lower_precision(graph: Graph) -> Graph:
    """The graph with casts: bfloat16 everywhere but in ops that need full precision, and in the outputs.

    Parameters and state stay in float32; ops cast their weights to the type of what comes in.
    """
    types: dict[Ref, TensorType] = {Ref(entry.name): entry.type for entry in graph.inputs}
    nodes: list[Node] = []
    casts: dict[tuple[Ref, DType], Ref] = {}

    def cast(ref: Ref, dtype: DType) -> Ref:
        """`ref` with elements of `dtype`, through one cast for all that need it."""
        if types[ref].dtype in (dtype, "int32"):
            return ref
        if (ref, dtype) not in casts:
            path = f"{ref.node}.{'' if ref.port == 0 else f'{ref.port}_'}to_{dtype}"
            op = Cast(dtype=dtype)
            nodes.append(Node(path, op, (ref,), (TensorType(types[ref].shape, dtype),)))
            casts[ref, dtype] = Ref(path)
            types[Ref(path)] = nodes[-1].type
        return casts[ref, dtype]

    for node in graph.nodes:
        wanted: DType = "float32" if node.op.full_precision else "bfloat16"
        inputs = tuple(None if ref is None else cast(ref, wanted) for ref in node.inputs)
        outputs = tuple(t if t.dtype == "int32" else TensorType(t.shape, wanted) for t in node.types)
        nodes.append(replace(node, inputs=inputs, types=outputs))
        for port, type_ in enumerate(outputs):
            types[Ref(node.path, port)] = type_
    declared = {name: cast(ref, "float32") for name, ref in graph.outputs.items()}
    return graph.with_nodes(tuple(nodes), outputs=declared)
