"""`global_max_pool`: `jnp.max`."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece, call
from cnnspec.graph import Node
from cnnspec.ops.global_max_pool import GlobalMaxPool
from cnnspec.types import TensorType


def piece(op: GlobalMaxPool, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call over height and width."""
    return call("jnp.max", "axis=(1, 2)", *(["keepdims=True"] if op.keep_dims else []))
