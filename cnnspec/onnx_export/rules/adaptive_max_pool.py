"""`adaptive_max_pool` as MaxPool where the bins are alike, else a slice for each bin."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.adaptive_avg_pool import bins
from cnnspec.ops.adaptive_max_pool import AdaptiveMaxPool

LAYOUT = "channels_first"


def write(w: Writer, op: AdaptiveMaxPool, x: str) -> str:
    """Nothing where every pixel is a bin; unequal bins along each axis one after the other."""
    sizes = w.types[0].shape[:2]
    if sizes == op.size:
        return x
    if all(size % count == 0 for size, count in zip(sizes, op.size, strict=True)):
        window = [size // count for size, count in zip(sizes, op.size, strict=True)]
        return w.add("MaxPool", x, kernel_shape=window, strides=window)
    for axis, (size, count) in enumerate(zip(sizes, op.size, strict=True), 2):
        axes = w.sizes([axis], f"axis{axis}")
        parts = []
        for number, (begin, end) in enumerate(bins(size, count)):
            limits = (w.sizes([edge], f"{what}{axis}_{number}") for what, edge in (("begin", begin), ("end", end)))
            parts.append(w.add("ReduceMax", w.add("Slice", x, *limits, axes), axes, keepdims=1))
        x = w.add("Concat", *parts, axis=axis)
    return x
