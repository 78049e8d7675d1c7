"""`max_pool`: `nnx.max_pool`."""

from __future__ import annotations

import numpy as np

from cnnspec.eject.pieces import Piece, call, literal
from cnnspec.eject.pooling import pool_padding
from cnnspec.graph import Node
from cnnspec.ops.max_pool import MaxPool
from cnnspec.types import TensorType


def piece(op: MaxPool, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call."""
    _, over = op.borders(np.empty((1, types[0].height, types[0].width, 0)))
    padded = [f"padding={pool_padding(op, over)}"] if any(map(any, over)) else []
    return call("nnx.max_pool", literal(op.window), literal(op.step), *padded)
