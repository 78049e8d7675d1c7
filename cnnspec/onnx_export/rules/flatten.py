"""`flatten` as Flatten, in our order of height, width, channels."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.flatten import Flatten

LAYOUT = "own"


def write(w: Writer, op: Flatten, x: str) -> str:
    """A Flatten."""
    return w.add("Flatten", x)
