"""What the rules of capsules share."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer


def squashed(w: Writer, s: str) -> str:
    """The squashed capsules of a tensor whose last axis holds their dimensions, as in `cnnspec.ops.squash`."""
    squares = w.add("ReduceSum", w.add("Mul", s, s), w.sizes([-1], "last"), keepdims=1)
    length = w.add("Sqrt", w.add("Add", squares, w.constant(1e-9, "small")))
    return w.add("Div", w.add("Mul", s, length), w.add("Add", squares, w.constant(1, "one")))
