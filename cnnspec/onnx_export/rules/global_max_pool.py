"""`global_max_pool` as GlobalMaxPool."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.global_max_pool import GlobalMaxPool

LAYOUT = "channels_first"


def write(w: Writer, op: GlobalMaxPool, x: str) -> str:
    """A GlobalMaxPool, flattened unless height and width are kept."""
    y = w.add("GlobalMaxPool", x)
    return y if op.keep_dims else w.add("Flatten", y)
