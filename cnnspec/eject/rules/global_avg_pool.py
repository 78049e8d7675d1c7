"""`global_avg_pool`: `jnp.mean`."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece, call
from cnnspec.graph import Node
from cnnspec.ops.global_avg_pool import GlobalAvgPool
from cnnspec.types import TensorType


def piece(op: GlobalAvgPool, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call over height and width."""
    return call("jnp.mean", "axis=(1, 2)", *(["keepdims=True"] if op.keep_dims else []))
