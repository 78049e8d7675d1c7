"""`adaptive_max_pool`: a helper, or nothing where every pixel is a bin."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece, call, literal
from cnnspec.graph import Node
from cnnspec.ops.adaptive_max_pool import AdaptiveMaxPool
from cnnspec.types import TensorType


def piece(op: AdaptiveMaxPool, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call of the helper."""
    if types[0].shape[:2] == op.size:
        return Piece("{0}")
    return call("adaptive_pool", literal(op.size), "jnp.max", helper=True)
