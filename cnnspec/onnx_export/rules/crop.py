"""`crop` as Slice."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.crop import Crop

LAYOUT = "channels_first"


def write(w: Writer, op: Crop, x: str) -> str:
    """A Slice of height and width."""
    height, width = w.types[0].shape[:2]
    (top, bottom), (left, right) = op.cuts(height, width)
    ends = w.sizes([height - bottom, width - right], "ends")
    return w.add("Slice", x, w.sizes([top, left], "starts"), ends, w.sizes([2, 3], "axes"))
