"""Folds what multiplies and shifts channels (batch normalisation, scale) into the layer beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cnnspec.graph import Derived, Graph, Node, Ref
from cnnspec.ops.base import Op
from cnnspec.ops.batch_norm import BatchNorm
from cnnspec.ops.conv import Conv
from cnnspec.ops.conv_transpose import ConvTranspose
from cnnspec.ops.linear import Linear
from cnnspec.ops.scale import Scale
from cnnspec.passes.rewriting import Rewriting
from cnnspec.types import TensorType

LAYERS = (Conv, ConvTranspose, Linear)


def fold_affine(graph: Graph) -> Graph:
    """The graph with every batch normalisation and scale folded into the layer before it, or else the one behind it.

    At inference both are y = a x + b with an a and a b for each channel. Behind a layer, a (w x + c) + b is
    (a w) x + (a c + b), for convolutions of any groups, transposed ones and linear layers alike. Before a layer,
    w (a x + b) + c is (w a) x + (w b + c), which at the border holds only without padding, or without b.

    The new kernels and biases are derived parameters, computed once at load; what is stored stays as it was. The
    statistics must be those of inference, so this pass has no place in training.
    """
    rewriting = Rewriting(graph)
    nodes: dict[str, Node] = {}
    for original in graph.nodes:
        node = rewriting.rewired(original)
        source = _single_source(nodes, node)
        near = source is not None and rewriting.alone(original.inputs[0])
        if near and source is not None and is_affine(node.op) and isinstance(source.op, LAYERS):
            rewriting.lose(Ref(source.path), source.path)
            rewriting.move(Ref(node.path), Ref(source.path))
            nodes[source.path] = _folded(rewriting, source, node, "")
        elif near and source is not None and is_affine(source.op) and _exact_before(node, source, graph):
            rewriting.lose(Ref(source.path), node.path)
            del nodes[source.path]
            nodes[node.path] = _folded(rewriting, replace(node, inputs=source.inputs), source, "_before")
        else:
            nodes[node.path] = node
    return rewriting.result(nodes.values()) if len(nodes) < len(graph.nodes) else graph


def is_affine(op: Op) -> bool:
    """Whether an op multiplies and shifts channels by what does not depend on its input, at inference."""
    return isinstance(op, BatchNorm | Scale)


def _single_source(nodes: dict[str, Node], node: Node) -> Node | None:
    """The node that gives the only input, where it has one output."""
    if len(node.inputs) != 1 or node.inputs[0] is None:
        return None
    source = nodes.get(node.inputs[0].node)
    return source if source is not None and len(source.types) == 1 else None


def _shifts(op: Op) -> bool:
    return isinstance(op, BatchNorm) or (isinstance(op, Scale) and op.bias)


def _exact_before(node: Node, affine: Node, graph: Graph) -> bool:
    """Whether an affine op may go into the layer behind it: a border of zeros would not be shifted."""
    if isinstance(node.op, Linear):
        return True
    if isinstance(node.op, Conv):
        return not _shifts(affine.op) or _unpadded(node.op, affine.type)
    return isinstance(node.op, ConvTranspose) and not _shifts(affine.op)


def _unpadded(op: Conv, x: TensorType) -> bool:
    return op.padding.resolve((x.height, x.width), op.kernel, op.stride, op.dilation) == ((0, 0), (0, 0))


def _folded(rewriting: Rewriting, layer: Node, affine: Node, side: str) -> Node:
    """The layer with the kernel and bias that an affine op beside it makes of its own; `side` is "" or "_before"."""
    # A kernel is multiplied by what multiplies; a bias needs the shift too, and before the layer the kernel.
    factors = {name: affine.parameters[name] for name in ("var", "scale") if name in affine.parameters}
    shifts = {name: affine.parameters[name] for name in ("mean", "bias") if name in affine.parameters}
    kernel = {"kernel": layer.parameters["kernel"], **factors}
    before = {"before": layer.parameters["bias"]} if "bias" in layer.parameters else {}
    through = {"kernel": layer.parameters["kernel"]} if side else {}
    arguments: dict[str, Any] = {"kind": affine.op.key}
    if isinstance(affine.op, BatchNorm):
        arguments["epsilon"] = affine.op.epsilon
    elif isinstance(affine.op, Scale):
        arguments["value"] = affine.op.value
    shape = rewriting.shape(layer.parameters["kernel"])

    def enter(name: str, sources: dict[str, str], shape: tuple[int, ...]) -> str:
        given = {**arguments, "roles": tuple(sources)}
        return rewriting.derive(
            f"{layer.path}.folded_{name}", Derived(f"fold_{name}{side}", tuple(sources.values()), shape, given)
        )

    parameters = {"kernel": enter("kernel", kernel, shape)}
    if before or _shifts(affine.op):
        parameters["bias"] = enter("bias", {**before, **factors, **shifts, **through}, (layer.type.channels,))
    return replace(layer, op=layer.op.model_copy(update={"bias": "bias" in parameters}), parameters=parameters)
