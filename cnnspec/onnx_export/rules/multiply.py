"""`multiply` as Mul, which broadcasts over height and width."""

from __future__ import annotations

from functools import reduce

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.multiply import Multiply

LAYOUT = "any"


def write(w: Writer, op: Multiply, *inputs: str) -> str:
    """A chain of Mul."""
    return reduce(lambda total, x: w.add("Mul", total, x), inputs)
