"""`capsule_prediction` as a MatMul a capsule."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.capsule_prediction import CapsulePrediction

LAYOUT = "own"


def write(w: Writer, op: CapsulePrediction, x: str) -> str:
    """[N, n, 1, d] times [n, d, capsules x dimensions]."""
    count, length = w.types[0].shape
    kernel = w.weight("kernel", lambda k: k.transpose(0, 2, 1, 3).reshape(count, length, -1))
    y = w.add("MatMul", w.add("Unsqueeze", x, w.sizes([2], "axes")), kernel)
    return w.add("Reshape", y, w.sizes([0, *w.node.type.shape], "shape"))
