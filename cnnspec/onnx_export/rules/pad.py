"""`pad` as Pad."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.pad import Pad

LAYOUT = "channels_first"


def write(w: Writer, op: Pad, x: str) -> str:
    """A Pad of the border, and one of the channels."""
    (top, bottom), (left, right) = op.padding.sides
    if any((top, bottom, left, right)):
        pads = w.sizes([0, 0, top, left, 0, 0, bottom, right], "pads")
        value = [w.constant(op.value, "value")] if op.mode == "constant" else []
        x = w.add("Pad", x, pads, *value, mode=op.mode)
    return w.add("Pad", x, w.sizes([0, 0, 0, 0, 0, op.channels, 0, 0], "channels")) if op.channels else x
