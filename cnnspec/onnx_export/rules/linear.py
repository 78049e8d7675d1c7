"""`linear` as Gemm."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.linear import Linear

LAYOUT = "own"


def write(w: Writer, op: Linear, x: str) -> str:
    """A Gemm."""
    return w.add("Gemm", x, w.weight("kernel"), *([w.weight("bias")] if op.bias else []))
