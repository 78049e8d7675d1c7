"""`global_avg_pool` as GlobalAveragePool."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.global_avg_pool import GlobalAvgPool

LAYOUT = "channels_first"


def write(w: Writer, op: GlobalAvgPool, x: str) -> str:
    """A GlobalAveragePool, flattened unless height and width are kept."""
    y = w.add("GlobalAveragePool", x)
    return y if op.keep_dims else w.add("Flatten", y)
