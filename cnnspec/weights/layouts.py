"""From the layouts of a peer's arrays to ours, and back: what axes mean follows from the peer and from our op."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from cnnspec.diagnostics import Diagnostic, SpecError
from cnnspec.graph import Graph, Node
from cnnspec.weights.names import Mapped

Array = np.ndarray[Any, np.dtype[Any]]


def convert(graph: Graph, arrays: Mapping[str, Any], mapped: Mapped, peer: str) -> dict[str, Array]:
    """The peer's arrays as our parameters; raises `SpecError` (E812) where one does not fit."""
    owners = _owners(graph)
    found: dict[str, Array] = {}
    wrong: list[Diagnostic] = []
    for pair in mapped.pairs:
        node, name = owners[pair.ours]
        shape = graph.parameters[pair.ours].shape
        array = np.asarray(arrays[pair.theirs], np.float32)
        try:
            found[pair.ours] = to_ours(array, shape, name, graph, node, peer)
        except ValueError:
            message = f"`{pair.theirs}` is {_x(array.shape)}, and `{pair.ours}` needs {_x(shape)}"
            hint = "import into the network that the file is of; `cnnspec weights transfer` carries over what fits"
            wrong.append(Diagnostic("E812", message, None, hint))
    if wrong:
        raise SpecError(wrong)
    return found


def _x(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _owners(graph: Graph) -> dict[str, tuple[Node, str]]:
    """For every parameter, a node that uses it and what it calls it."""
    found: dict[str, tuple[Node, str]] = {}
    for node in graph.nodes:
        for name, path in node.parameters.items():
            found.setdefault(path, (node, name))
    return found


def to_ours(array: Array, shape: tuple[int, ...], name: str, graph: Graph, node: Node, peer: str) -> Array:
    """One array in our layout; raises `ValueError` where it cannot be."""
    if peer == "keras":
        if array.ndim == 4 and node.op.key == "conv" and array.shape != shape:
            array = array.reshape(*array.shape[:2], 1, -1)  # depthwise: [h, w, C, multiplier]
        elif array.ndim == 4 and node.op.key == "linear":
            array = array.reshape(-1, array.shape[-1])  # a 1x1 convolution as classifier
    elif name == "kernel" and node.op.key == "conv" and array.ndim in (2, 4):
        # [out, in, h, w]; a linear layer over the channels of every pixel is a 1x1 convolution without the last two
        array = array.reshape(*array.shape, *(1,) * (4 - array.ndim)).transpose(2, 3, 1, 0)
    elif name == "kernel" and node.op.key == "linear":
        array = _linear_from_torch(array, graph, node)
    if array.shape != shape:
        if _without_ones(array.shape) != _without_ones(shape):
            raise ValueError
        array = array.reshape(shape)
    return np.ascontiguousarray(array)


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1)


def _linear_from_torch(array: Array, graph: Graph, node: Node) -> Array:
    """[out, in] as [in, out], with the rows from torch's CHW order to our HWC where a flatten comes before."""
    if array.ndim == 4:  # a fully connected layer written as a convolution over the whole map
        return array.transpose(2, 3, 1, 0).reshape(-1, array.shape[0])
    ref = node.inputs[0]
    while ref is not None and ref.node in graph.by_path:
        before = graph.by_path[ref.node]
        source = before.inputs[0]
        if before.op.key == "flatten" and source is not None:
            shape = graph.type_of(source).shape
            if len(shape) == 3:
                height, width, channels = shape
                array = array.reshape(-1, channels, height, width).transpose(0, 2, 3, 1).reshape(array.shape[0], -1)
            break
        if before.type.rank != 1 or before.parameters:
            break
        ref = source
    return array.T


def from_ours(array: Array, target: tuple[int, ...], name: str, graph: Graph, node: Node, peer: str) -> Array:
    """One of our arrays in the peer's layout: the opposite of `to_ours`, found by moving an array of positions."""
    positions = np.arange(prod(target), dtype=np.int64).reshape(target)
    places = to_ours(positions, array.shape, name, graph, node, peer)
    flat = np.empty(prod(target), array.dtype)
    flat[places.ravel()] = array.ravel()
    return flat.reshape(target)


def export(graph: Graph, params: Mapping[str, Array], targets: Mapping[str, tuple[int, ...]], mapped: Mapped,
           peer: str) -> dict[str, Array]:  # fmt: skip
    """Our parameters under the peer's names and in its layouts; `targets` has the peer's shapes."""
    owners = _owners(graph)
    found = {}
    for pair in mapped.pairs:
        node, name = owners[pair.ours]
        found[pair.theirs] = from_ours(np.asarray(params[pair.ours]), targets[pair.theirs], name, graph, node, peer)
    return found
