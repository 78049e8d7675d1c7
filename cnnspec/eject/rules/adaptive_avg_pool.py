"""`adaptive_avg_pool`: a helper, or nothing where every pixel is a bin."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece, call, literal
from cnnspec.graph import Node
from cnnspec.ops.adaptive_avg_pool import AdaptiveAvgPool
from cnnspec.types import TensorType


def piece(op: AdaptiveAvgPool, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call of the helper."""
    if types[0].shape[:2] == op.size:
        return Piece("{0}")
    return call("adaptive_pool", literal(op.size), "jnp.mean", helper=True)
