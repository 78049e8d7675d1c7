"""Which form a node is computed in, and why: a decision from shapes alone, by thresholds that were measured.

`python -m benchmarks.forms` prints the measurements beside what is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass

from cnnspec.graph import Graph, Node
from cnnspec.ops.conv import Conv
from cnnspec.pooling import Pool
from cnnspec.types import TensorType

#: Pixels of the output map from which a 1x1 convolution is faster as a matrix product.
DOT_PIXELS = 28 * 28
#: Pixels of the output map up to which a larger convolution is faster as im2col and a product.
IM2COL_PIXELS = 7 * 7
#: Channels a group from which groups are convolved one by one, and below which they are merged.
SPLIT_CHANNELS = 32
#: Taps of a window up to which a pool is taken as slices.
SLICE_TAPS = 25


@dataclass(frozen=True)
class Choice:
    """A form and the reason for it."""

    form: str
    reason: str


PLAIN = Choice("plain", "XLA's own is as fast or faster")


def choose(node: Node, inputs: tuple[TensorType, ...], platform: str = "cpu") -> Choice:
    """The form for a node on a platform ("cpu", "cuda", "tpu"); on accelerators always the plain one."""
    if platform != "cpu":
        return Choice("plain", f"{platform} has fast kernels for the plain form")
    op = node.op
    if isinstance(op, Conv):
        return _conv(op, inputs[0], node.type)
    if isinstance(op, Pool):
        count = op.window[0] * op.window[1]
        return Choice("slices", f"{count} slices fuse") if 1 < count <= SLICE_TAPS else PLAIN
    return Choice("plain", "the only form")


def _conv(op: Conv, x: TensorType, y: TensorType) -> Choice:
    groups, pixels = op.resolved_groups(x), y.height * y.width
    if groups == x.channels and groups > 1:
        return Choice("shifted", "depthwise: a sum of shifted maps")
    if groups > 1:
        width = x.channels // groups
        if width >= SPLIT_CHANNELS:
            return Choice("split", f"{groups} groups of {width} channels, one by one")
        return Choice("block_diagonal", f"{groups} groups of {width} channels, merged")
    if op.kernel == (1, 1):
        if pixels >= DOT_PIXELS:
            return Choice("dot", f"1x1 over {pixels} pixels: a matrix product")
        return PLAIN
    if pixels <= IM2COL_PIXELS:
        return Choice("im2col", f"only {pixels} pixels: im2col and a product")
    return PLAIN


def choose_all(graph: Graph, platform: str = "cpu") -> dict[str, Choice]:
    """The choice for every node, by path."""
    return {node.path: choose(node, graph.types_into(node), platform) for node in graph.nodes}
