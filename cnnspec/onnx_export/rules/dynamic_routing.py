"""`dynamic_routing` with its iterations written out."""

from __future__ import annotations

from cnnspec.onnx_export.capsules import squashed
from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.dynamic_routing import DynamicRouting

LAYOUT = "own"


def write(w: Writer, op: DynamicRouting, x: str) -> str:
    """The logits start at zero, so that the first coupling is the same for all."""
    below, last = w.sizes([1], "below"), w.sizes([-1], "last")
    coupling, logits, above = w.constant(1 / w.types[0].shape[1], "first_coupling"), "", ""
    for turn in range(op.iterations):
        above = squashed(w, w.add("ReduceSum", w.add("Mul", x, coupling), below, keepdims=0))
        if turn == op.iterations - 1:
            break
        agreement = w.add("ReduceSum", w.add("Mul", x, w.add("Unsqueeze", above, below)), last, keepdims=0)
        logits = w.add("Add", logits, agreement) if logits else agreement
        coupling = w.add("Unsqueeze", w.add("Softmax", logits, axis=-1), last)
    return above
