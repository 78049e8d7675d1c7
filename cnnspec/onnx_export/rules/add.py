"""`add` as Add, from left to right."""

from __future__ import annotations

from functools import reduce

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.add import Add

LAYOUT = "any"


def write(w: Writer, op: Add, *inputs: str) -> str:
    """A chain of Add."""
    return reduce(lambda total, x: w.add("Add", total, x), inputs)
