"""`split` as Split."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.split import Split

LAYOUT = "any"


def write(w: Writer, op: Split, x: str) -> list[str]:
    """A Split of the channels."""
    sizes = op.resolved(w.types[0].channels)
    name = w.add("Split", x, w.sizes(sizes, "sizes"), outputs=len(sizes), axis=w.channel_axis)
    return [name, *(f"{name}:{port}" for port in range(1, len(sizes)))]
