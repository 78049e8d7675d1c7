"""Kernels in the layout that a form computes with: made once at load by `prepare`, or within a program that was not.

Each takes a kernel `[kh, kw, C / groups, filters]`, of numpy or JAX, and the number of groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cnnspec.graph import Derived, Graph, Node
from cnnspec.ops.conv import Conv
from cnnspec.types import TensorType

#: Channels that a merged group should have at least.
MERGED_CHANNELS = 64
#: Groups up to which each is convolved by itself: a program of hundreds of convolutions takes minutes to compile.
SPLIT_GROUPS = 64


def grouped(kernel: Any, groups: int) -> Any:
    """The kernel of every group: `[groups, kh, kw, C / groups, filters / groups]`."""
    return kernel.reshape(*kernel.shape[:3], groups, -1).transpose(3, 0, 1, 2, 4)


def merged_groups(width: int, groups: int) -> int:
    """How many groups of `width` channels `merged` makes one: so many that it has about `MERGED_CHANNELS` channels."""
    wanted = max(1, MERGED_CHANNELS // width)
    while groups % wanted:
        wanted -= 1
    return wanted


def merged(kernel: Any, groups: int) -> Any:
    """Kernels of several groups each, zero between them: `[groups / m, kh, kw, m C / groups, m filters / groups]`."""
    height, width, channels, filters = kernel.shape
    m = merged_groups(channels, groups)
    blocks = kernel.reshape(height, width, channels, groups // m, m, filters // groups)
    diagonal = np.eye(m, dtype=np.float32).astype(kernel.dtype)[:, None, None, :, None]
    dense = blocks[:, :, None] * diagonal  # [kh, kw, m, C / groups, groups / m, m, filters / groups]
    return dense.transpose(4, 0, 1, 2, 3, 5, 6).reshape(groups // m, height, width, m * channels, m * filters // groups)


#: What Winograd's F(2, 3) makes of the 3 taps of a kernel along an axis.
_POINTS = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]], np.float32)


def transformed(kernel: Any, groups: int = 1) -> Any:
    """A 3x3 kernel as Winograd's F(2x2, 3x3) multiplies with it: `[16, C, filters]`."""
    rows = _POINTS.astype(kernel.dtype) @ kernel.reshape(3, -1)
    points = _POINTS.astype(kernel.dtype) @ rows.reshape(4, 3, -1)
    return points.reshape(16, *kernel.shape[2:])


#: The layout of a form that has one of its own.
LAYOUTS: dict[str, Callable[[Any, int], Any]] = {"split": grouped, "block_diagonal": merged, "winograd": transformed}


def laid_out(graph: Graph, forms: Mapping[str, Iterable[str]]) -> Graph:
    """The graph with a derived parameter for each layout that a form of a node wants; `forms` by the node's path."""
    derived, nodes = dict(graph.derived), []
    for node in graph.nodes:
        more = layouts_of(node, graph.types_into(node), forms.get(node.path, ()))
        derived |= dict(more.values())
        names = {name: path for name, (path, _) in more.items()}
        nodes.append(replace(node, parameters={**node.parameters, **names}) if names else node)
    return graph.with_nodes(tuple(nodes), derived=derived)


def layouts_of(node: Node, inputs: Sequence[TensorType], forms: Iterable[str]) -> dict[str, tuple[str, Derived]]:
    """The parameters that a node gets for the forms that have a layout: name -> path, and how it is derived."""
    found: dict[str, tuple[str, Derived]] = {}
    for form in sorted({*forms} & {*LAYOUTS}):
        assert isinstance(node.op, Conv)
        groups, kernel = node.op.resolved_groups(inputs[0]), node.parameters["kernel"]
        shape = node.op.parameters(*inputs)["kernel"].shape
        layout = LAYOUTS[form](np.broadcast_to(np.float32(0), shape), groups).shape
        arguments = {"roles": ("kernel",), "form": form, "groups": groups}
        found[f"kernel@{form}"] = (f"{kernel}@{form}", Derived("layout", (kernel,), layout, arguments))
    return found
