"""`max_pool` as MaxPool."""

from __future__ import annotations

from math import inf

from cnnspec.onnx_export.borders import borders, onnx_pads, padded_before
from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.max_pool import MaxPool

LAYOUT = "channels_first"


def write(w: Writer, op: MaxPool, x: str) -> str:
    """A MaxPool; what the last windows hang over is padding, too."""
    _, over = borders(op, w.types[0])
    x, over = padded_before(w, op, x, over, -inf)
    return w.add("MaxPool", x, kernel_shape=op.window, strides=op.step, pads=onnx_pads(over))
