"""`upsample` as Resize or Gather."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.upsample import Upsample

LAYOUT = "channels_first"


def write(w: Writer, op: Upsample, x: str) -> str:
    """A Resize between pixel centres; or the nearest pixels by their numbers, which no rounding can shift."""
    before, after = w.types[0].shape[:2], w.node.type.shape[:2]
    if op.method == "bilinear":
        return w.add("Resize", x, "", "", w.sizes(after, "sizes"), axes=[2, 3], mode="linear",
                     coordinate_transformation_mode="half_pixel")  # fmt: skip
    for axis, (old, new) in enumerate(zip(before, after, strict=True), 2):
        if old != new:
            x = w.add("Gather", x, w.sizes([i * old // new for i in range(new)], f"axis{axis}"), axis=axis)
    return x
