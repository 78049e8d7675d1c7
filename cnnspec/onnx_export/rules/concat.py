"""`concat` as Concat."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.concat import Concat

LAYOUT = "any"


def write(w: Writer, op: Concat, *inputs: str) -> str:
    """A Concat of the channels."""
    return w.add("Concat", *inputs, axis=w.channel_axis)
