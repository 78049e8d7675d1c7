"""Which form a node is computed in, and why: by thresholds that were measured, or by what was measured right here.

`python -m benchmarks.forms` prints the measurements beside what is decided here, and what the difference costs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cnnspec.graph import Graph, Node
from cnnspec.lower.forms.layouts import SPLIT_GROUPS
from cnnspec.lower.forms.memory import Memory, signature
from cnnspec.ops.batch_norm import BatchNorm
from cnnspec.ops.conv import Conv
from cnnspec.pooling import Pool
from cnnspec.types import TensorType

#: Pixels of the output map up to which a convolution with a larger kernel trains faster as im2col and a product.
IM2COL_PIXELS = 7 * 7
#: Products per output (taps x input channels) and filters up to which it is faster on any map: a stem that sees three colours.
IM2COL_COLUMNS, IM2COL_FILTERS = 27, 32
#: Channels and filters from which a 3x3 convolution of stride 1 is faster by Winograd, and the bytes of the transformed map
#: and products of one image up to which it is: beyond, they are taken anew from the system in every call.
WINOGRAD_CHANNELS, WINOGRAD_BYTES = 64, 26_000_000
#: Channels a group from which groups are convolved one by one, and below which they are merged.
SPLIT_CHANNELS = 8
#: Taps of a window up to which a pool is taken as slices.
SLICE_TAPS = 25
#: Multiply-accumulates of a batch from which oneDNN gains more than its call costs, and of a depthwise convolution.
ONEDNN_MACS, ONEDNN_DEPTHWISE_MACS = 5_000_000, 1_000_000
#: Pixels of the output maps of a batch up to which it does not: the kernel is laid out anew in every call.
ONEDNN_PIXELS = 7 * 7
#: How much faster another form must have been measured, as a share, to be taken instead: timings waver.
MARGIN = 0.05


@dataclass(frozen=True)
class Choice:
    """A form and the reason for it."""

    form: str
    reason: str


PLAIN = Choice("plain", "XLA's own is as fast or faster")
ONLY = Choice("plain", "the only form")


def choose(
    node: Node, inputs: tuple[TensorType, ...], platform: str = "cpu", train: bool = False,
    batch: int | None = None, memory: Memory | None = None, native: bool = False,
) -> Choice:  # fmt: skip
    """The form for a node on a platform ("cpu", "cuda", "tpu"); on accelerators always the plain one.

    With `train` the gradients count as well. `memory` is what was measured on this machine, of which the nearest batch
    counts; nothing measured, or `batch` unknown, leaves the thresholds to decide. `native` allows oneDNN, which a
    portable program cannot have.
    """
    op = node.op
    if not isinstance(op, Conv | Pool) and not (train and isinstance(op, BatchNorm)):
        return ONLY
    if platform != "cpu":
        return Choice("plain", f"{platform} has fast kernels for the plain form")
    if isinstance(op, BatchNorm):
        return Choice("swept", "the sums of its gradient in one sweep")
    decided = _conv(op, inputs[0], node.type, train) if isinstance(op, Conv) else _pool(op)
    if native and isinstance(op, Conv) and decided.form != "winograd":  # which is faster still
        decided = _native(op, inputs[0], node.type, batch or 1) or decided
    times = memory.times(signature(node, inputs), batch) if memory is not None and memory.forms and not train else {}
    if decided.form not in times:
        return decided
    best = min(times, key=times.__getitem__)
    if times[best] < (1 - MARGIN) * times[decided.form]:
        said = f"{1e3 * times[best]:.3g} ms measured here, {decided.form} {1e3 * times[decided.form]:.3g} ms"
        return Choice(best, said)
    return replace(decided, reason=f"{decided.reason}; {1e3 * times[decided.form]:.3g} ms measured here")


def _pool(op: Pool) -> Choice:
    count = op.window[0] * op.window[1]
    if count == 1 or count > SLICE_TAPS:
        return PLAIN
    return Choice("slices", f"the largest or the sum of {op.window[0]} slices, and of {op.window[1]}")


def _conv(op: Conv, x: TensorType, y: TensorType, train: bool) -> Choice:
    groups, pixels = op.resolved_groups(x), y.height * y.width
    taps = op.kernel[0] * op.kernel[1]
    if groups == x.channels and groups > 1:
        if train and y.channels == x.channels:
            return Choice("depthwise", "depthwise: a sum of shifted maps; the kernel's gradient image by image")
        return Choice("shifted", "depthwise: a sum of shifted maps")
    if groups > 1:
        width = x.channels // groups
        if width >= SPLIT_CHANNELS and groups <= SPLIT_GROUPS:
            return Choice("split", f"{groups} groups of {width} channels, one by one")
        return Choice("block_diagonal", f"{groups} groups of {width} channels, merged")
    if taps == 1:
        return Choice("dot", "1x1: a matrix product")
    if not train and _winograd(op, x, y):
        return Choice("winograd", "3x3: 4 products a pixel instead of 9, by Winograd")
    if train and pixels <= IM2COL_PIXELS:
        return Choice("im2col", f"only {pixels} pixels: im2col and a product")
    if taps * x.channels <= IM2COL_COLUMNS and y.channels <= IM2COL_FILTERS:
        return Choice("im2col", f"only {taps * x.channels} products for each of {y.channels} filters")
    return PLAIN


def _winograd(op: Conv, x: TensorType, y: TensorType) -> bool:
    """Whether a convolution without groups is faster by Winograd."""
    if (op.kernel, op.stride, op.dilation, x.dtype) != ((3, 3), (1, 1), (1, 1), "float32"):
        return False
    tiles = -(-y.height // 2) * -(-y.width // 2)
    room = 4 * 16 * tiles * (x.channels + y.channels)
    return min(x.channels, y.channels) >= WINOGRAD_CHANNELS and room <= WINOGRAD_BYTES


def _native(op: Conv, x: TensorType, y: TensorType, batch: int) -> Choice | None:
    """oneDNN, where it is faster than any form of ours."""
    if x.dtype != "float32":
        return None
    macs, pixels = batch * op.cost((x,), y).macs, batch * y.height * y.width
    if op.resolved_groups(x) == x.channels > 1:
        return Choice("onednn", "depthwise: one call of oneDNN") if macs >= ONEDNN_DEPTHWISE_MACS else None
    if macs < ONEDNN_MACS or pixels <= ONEDNN_PIXELS:
        return None
    return Choice("onednn", f"{macs / 1e6:.0f} million products: one call of oneDNN")


def choose_all(
    graph: Graph, platform: str = "cpu", train: bool = False, batch: int | None = None, memory: Memory | None = None,
    native: bool = False,
) -> dict[str, Choice]:  # fmt: skip
    """The choice for every node, by path."""
    return {
        node.path: choose(node, graph.types_into(node), platform, train, batch, memory, native) for node in graph.nodes
    }
