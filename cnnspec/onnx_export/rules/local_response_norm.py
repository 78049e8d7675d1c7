"""`local_response_norm` as LRN, and by its formula for an even number of neighbours."""

from __future__ import annotations

import numpy as np

from cnnspec.onnx_export.writer import Array, Writer
from cnnspec.ops.local_response_norm import LocalResponseNorm

LAYOUT = "channels_first"


def write(w: Writer, op: LocalResponseNorm, x: str) -> str:
    """LRN divides alpha by the size; runtimes take odd sizes only."""
    alpha = op.alpha / op.size if op.divide_by_size else op.alpha
    if op.size % 2:
        return w.add("LRN", x, alpha=alpha * op.size, beta=op.beta, bias=op.k, size=op.size)
    total = w.add("Conv", w.add("Mul", x, x), w.constant(_neighbours(w.types[0].channels, op.size), "neighbours"))
    total = w.add("Add", w.add("Mul", total, w.constant(alpha, "alpha")), w.constant(op.k, "k"))
    return w.add("Div", x, w.add("Pow", total, w.constant(op.beta, "beta")))


def _neighbours(channels: int, size: int) -> Array:
    """A 1x1 convolution that sums up `size` channels around every channel."""
    before = size // 2
    offset = np.arange(channels)[None, :] - np.arange(channels)[:, None]
    return ((offset >= -before) & (offset < size - before)).astype(np.float32)[:, :, None, None]
