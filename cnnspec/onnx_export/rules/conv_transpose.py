"""`conv_transpose` as ConvTranspose, with padding behind it where less than nothing is cut."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Array, Writer
from cnnspec.ops.conv_transpose import ConvTranspose

LAYOUT = "channels_first"


def write(w: Writer, op: ConvTranspose, x: str) -> str:
    """A ConvTranspose; a Pad and an Add follow where the output is larger than the kernel reaches."""
    cuts = [(before, after - op.output_padding) for before, after in op.cuts()]
    pads = [max(cuts[axis][side], 0) for side in (0, 1) for axis in (0, 1)]
    beyond = [max(-cuts[axis][side], 0) for side in (0, 1) for axis in (0, 1)]
    inputs = [x, w.weight("kernel", lambda kernel: _grouped(kernel, op.groups))]
    if op.bias and not any(beyond):
        inputs.append(w.weight("bias"))
    y = w.add(
        "ConvTranspose", *inputs, kernel_shape=op.kernel, strides=op.stride, dilations=op.dilation, group=op.groups,
        pads=pads,
    )  # fmt: skip
    if not any(beyond):
        return y
    y = w.add("Pad", y, w.sizes([0, 0, *beyond[:2], 0, 0, *beyond[2:]], "pads"))
    return w.add("Add", y, w.weight("bias", w.along_channels)) if op.bias else y


def _grouped(kernel: Array, groups: int) -> Array:
    """The kernel [kh, kw, C / groups, filters] as [C, filters / groups, kh, kw]."""
    height, width, channels, filters = kernel.shape
    parts = kernel.reshape(height, width, channels, groups, filters // groups)
    return parts.transpose(3, 2, 4, 0, 1).reshape(groups * channels, filters // groups, height, width)
