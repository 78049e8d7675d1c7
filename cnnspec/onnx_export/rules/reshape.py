"""`reshape` as Reshape, in our order of height, width, channels."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.reshape import Reshape

LAYOUT = "own"


def write(w: Writer, op: Reshape, x: str) -> str:
    """A Reshape; 0 keeps the batch."""
    return w.add("Reshape", x, w.sizes([0, *w.node.type.shape], "shape"))
