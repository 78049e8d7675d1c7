"""`connection_conv` as Conv, with zeros where the table connects nothing."""

from __future__ import annotations

import numpy as np

from cnnspec.onnx_export.writer import Array, Writer
from cnnspec.ops.connection_conv import ConnectionConv

LAYOUT = "channels_first"


def write(w: Writer, op: ConnectionConv, x: str) -> str:
    """A Conv."""
    type_ = w.types[0]
    (top, bottom), (left, right) = op.padding.resolve((type_.height, type_.width), op.kernel, op.stride, (1, 1))

    def dense(kernel: Array) -> Array:
        full = np.zeros((len(op.table), type_.channels, *op.kernel), np.float32)
        pairs = [(number, channel) for number, row in enumerate(op.table) for channel in row]
        for position, (number, channel) in enumerate(pairs):
            full[number, channel] = kernel[:, :, position]
        return full

    inputs = [x, w.weight("kernel", dense)]
    if op.bias:
        inputs.append(w.weight("bias"))
    return w.add("Conv", *inputs, kernel_shape=op.kernel, strides=op.stride, pads=[top, left, bottom, right])
