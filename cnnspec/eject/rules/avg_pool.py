"""`avg_pool`: `nnx.avg_pool`, or a helper where padding counts and what hangs over does not."""

from __future__ import annotations

import numpy as np

from cnnspec.eject.pieces import Piece, call, literal
from cnnspec.eject.pooling import pool_padding
from cnnspec.graph import Node
from cnnspec.ops.avg_pool import AvgPool
from cnnspec.types import TensorType


def piece(op: AvgPool, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call."""
    pads, over = op.borders(np.empty((1, types[0].height, types[0].width, 0)))
    window, strides = literal(op.window), literal(op.step)
    if op.count_padding and pads != over:
        overhang = tuple(wide[1] - asked[1] for wide, asked in zip(over, pads, strict=True))
        return call("avg_pool_counted", window, strides, literal(tuple(pads)), literal(overhang), helper=True)
    padded = [f"padding={pool_padding(op, over)}"] if any(map(any, over)) else []
    counted = ["count_include_pad=False"] if padded and not op.count_padding else []
    return call("nnx.avg_pool", window, strides, *padded, *counted)
