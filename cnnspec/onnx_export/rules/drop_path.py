"""`drop_path`: at inference the branch times its probability of survival, where that is not done in training."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.drop_path import DropPath

LAYOUT = "any"


def write(w: Writer, op: DropPath, x: str) -> str:
    """A Mul, or the input itself."""
    return x if op.identity else w.add("Mul", x, w.constant(1 - op.rate, "survival"))
