"""Folds batch normalisation into the convolution or linear layer before it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from cnnspec.graph import Derived, Graph, Node, Ref
from cnnspec.ops.batch_norm import BatchNorm
from cnnspec.ops.conv import Conv
from cnnspec.ops.linear import Linear


def fold_batch_norm(graph: Graph) -> Graph:
    """The graph with every batch normalisation that alone follows a convolution or linear layer folded into it.

    y = (x w + b - mean) s + shift, with s = scale / sqrt(var + epsilon), is x (w s) + ((b - mean) s + shift): the folded
    kernel and bias are derived parameters, computed once at load; what is stored stays as it was. The running
    statistics must be those of inference, so this pass has no place in training.
    """
    uses = Counter(ref for node in graph.nodes for ref in node.inputs if ref is not None)
    uses.update(graph.outputs.values())
    folded: dict[str, tuple[Node, Node]] = {}
    for node in graph.nodes:
        source = graph.by_path.get(node.inputs[0].node) if node.inputs and node.inputs[0] is not None else None
        single = source is not None and uses[Ref(source.path)] == 1
        if isinstance(node.op, BatchNorm) and single and source is not None and isinstance(source.op, Conv | Linear):
            folded[source.path] = (source, node)
    if not folded:
        return graph
    gone = {norm.path: source.path for source, norm in folded.values()}
    derived: dict[str, Derived] = dict(graph.derived)
    nodes = []
    for node in graph.nodes:
        if node.path in gone:
            continue
        inputs = tuple(_instead(ref, gone) for ref in node.inputs)
        if node.path in folded:
            nodes.append(_fold(replace(node, inputs=inputs), folded[node.path][1], derived))
        else:
            nodes.append(replace(node, inputs=inputs) if inputs != node.inputs else node)
    return graph.with_nodes(
        tuple(nodes),
        outputs={name: _instead(ref, gone) for name, ref in graph.outputs.items()},
        scopes={path: _instead(ref, gone) for path, ref in graph.scopes.items()},
        derived=derived,
    )


def _instead(ref: Ref | None, gone: dict[str, str]) -> Ref | None:
    return Ref(gone[ref.node]) if ref is not None and ref.node in gone else ref


def _fold(node: Node, norm: Node, derived: dict[str, Derived]) -> Node:
    """The convolution with the folded kernel and bias, and its place in the table of derived parameters."""
    op = norm.op
    assert isinstance(op, BatchNorm)
    roles = {"var": norm.parameters["var"]}
    if op.scale:
        roles["scale"] = norm.parameters["scale"]
    kernel = {"kernel": node.parameters["kernel"], **roles}
    bias = {"mean": norm.parameters["mean"], **roles}
    if op.bias:
        bias["bias"] = norm.parameters["bias"]
    if "bias" in node.parameters:
        bias["before"] = node.parameters["bias"]
    paths = {"kernel": f"{node.path}.folded_kernel", "bias": f"{node.path}.folded_bias"}
    channels = node.type.channels
    for name, sources in (("kernel", kernel), ("bias", bias)):
        derived[paths[name]] = Derived(
            f"fold_{name}", tuple(sources.values()), (channels,), {"epsilon": op.epsilon, "roles": tuple(sources)}
        )
    return replace(node, op=node.op.model_copy(update={"bias": True}), parameters=paths)
