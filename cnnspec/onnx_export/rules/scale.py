"""`scale` as Mul and Add."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.scale import Scale

LAYOUT = "any"


def write(w: Writer, op: Scale, x: str) -> str:
    """The constant, the learned coefficients and the learned bias, as far as there are any."""
    if op.value != 1:
        x = w.add("Mul", x, w.constant(op.value, "value"))
    if op.learned:
        x = w.add("Mul", x, w.weight("scale", w.along_channels))
    return w.add("Add", x, w.weight("bias", w.along_channels)) if op.bias else x
