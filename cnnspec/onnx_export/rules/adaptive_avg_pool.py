"""`adaptive_avg_pool` as AveragePool where the bins are alike, else as products with the bins."""

from __future__ import annotations

import numpy as np

from cnnspec.onnx_export.writer import Array, Writer
from cnnspec.ops.adaptive_avg_pool import AdaptiveAvgPool, bins

LAYOUT = "channels_first"


def write(w: Writer, op: AdaptiveAvgPool, x: str) -> str:
    """Nothing where every pixel is a bin; a mean over unequal bins is linear along each axis."""
    height, width = w.types[0].shape[:2]
    if (height, width) == op.size:
        return x
    if height % op.size[0] == 0 and width % op.size[1] == 0:
        window = (height // op.size[0], width // op.size[1])
        return w.add("AveragePool", x, kernel_shape=window, strides=window)
    y = w.add("MatMul", w.constant(_means(height, op.size[0]), "rows"), x)
    return w.add("MatMul", y, w.constant(_means(width, op.size[1]).T, "columns"))


def _means(length: int, count: int) -> Array:
    """The matrix [count, length] that takes the mean of every bin."""
    matrix = np.zeros((count, length), np.float32)
    for number, (begin, end) in enumerate(bins(length, count)):
        matrix[number, begin:end] = 1 / (end - begin)
    return matrix
