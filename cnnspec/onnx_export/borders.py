"""What surrounds the map of a pool, in the terms of ONNX."""

from __future__ import annotations

import numpy as np

from cnnspec.onnx_export.writer import Array, Writer
from cnnspec.pooling import Pool
from cnnspec.types import TensorType

Borders = tuple[tuple[int, int], ...]


def like(x: TensorType) -> Array:
    """An array with the height and width of `x`, and nothing in it: pools ask arrays for their size."""
    return np.empty((1, x.height, x.width, 0), np.float32)


def borders(op: Pool, x: TensorType) -> tuple[Borders, Borders]:
    """The padding asked for, and with it what the last windows hang over: ((top, bottom), (left, right))."""
    return op.borders(like(x))


def onnx_pads(over: Borders) -> list[int]:
    """[top, left, bottom, right]."""
    return [over[axis][side] for side in (0, 1) for axis in (0, 1)]


def padded_before(w: Writer, op: Pool, x: str, over: Borders, value: float) -> tuple[str, Borders]:
    """The input and the padding that the pool still needs: runtimes refuse padding as wide as the window."""
    if all(side < window for window, sides in zip(op.window, over, strict=True) for side in sides):
        return x, over
    (top, bottom), (left, right) = over
    pads = w.sizes([0, 0, top, left, 0, 0, bottom, right], "pads")
    return w.add("Pad", x, pads, w.constant(value, "border")), ((0, 0), (0, 0))
