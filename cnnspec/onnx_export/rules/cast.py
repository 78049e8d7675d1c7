"""`cast` as Cast."""

from __future__ import annotations

from onnx import TensorProto

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.cast import Cast

LAYOUT = "any"


def write(w: Writer, op: Cast, x: str) -> str:
    """A Cast."""
    return w.add("Cast", x, to=TensorProto.BFLOAT16 if op.dtype == "bfloat16" else TensorProto.FLOAT)
