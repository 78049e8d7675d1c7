"""`capsule_mask` as ArgMax, OneHot and Mul."""

from __future__ import annotations

from onnx import TensorProto

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.capsule_mask import CapsuleMask

LAYOUT = "own"


def write(w: Writer, op: CapsuleMask, x: str, label: str | None = None) -> str:
    """Without a label, the longest capsule stays."""
    if label is None:
        squares = w.add("ReduceSum", w.add("Mul", x, x), w.sizes([-1], "axes"), keepdims=0)
        chosen = w.add("ArgMax", squares, axis=-1, keepdims=0)
    else:
        chosen = w.add("Cast", label, to=TensorProto.INT64)
    count = w.sizes([w.types[0].shape[0]], "capsules")
    mask = w.add("OneHot", chosen, count, w.constant([0, 1], "values"))
    kept = w.add("Mul", x, w.add("Unsqueeze", mask, w.sizes([-1], "axes")))
    return w.add("Flatten", kept)
