"""`capsule_length` by its formula."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.capsule_length import CapsuleLength

LAYOUT = "own"


def write(w: Writer, op: CapsuleLength, x: str) -> str:
    """The root of the sum of squares, as much above zero as in the op."""
    squares = w.add("ReduceSum", w.add("Mul", x, x), w.sizes([-1], "axes"), keepdims=0)
    return w.add("Sqrt", w.add("Add", squares, w.constant(1e-9, "small")))
