"""`cast`: `astype`."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece
from cnnspec.graph import Node
from cnnspec.ops.cast import Cast
from cnnspec.types import TensorType


def piece(op: Cast, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call of the method."""
    return Piece(f"{{0}}.astype(jnp.{op.dtype})")
