"""`conv` as Conv: kernels from HWIO to OIHW."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.conv import Conv

LAYOUT = "channels_first"


def write(w: Writer, op: Conv, x: str) -> str:
    """A Conv."""
    type_ = w.types[0]
    (top, bottom), (left, right) = op.padding.resolve((type_.height, type_.width), op.kernel, op.stride, op.dilation)
    inputs = [x, w.weight("kernel", lambda kernel: kernel.transpose(3, 2, 0, 1))]
    if op.bias:
        inputs.append(w.weight("bias"))
    return w.add(
        "Conv", *inputs, kernel_shape=op.kernel, strides=op.stride, dilations=op.dilation,
        group=op.resolved_groups(type_), pads=[top, left, bottom, right],
    )  # fmt: skip
