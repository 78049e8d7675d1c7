"""`reshape`: the method."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece
from cnnspec.graph import Node
from cnnspec.ops.reshape import Reshape
from cnnspec.types import TensorType


def piece(op: Reshape, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call that leaves the batch as it is."""
    return Piece(f"{{0}}.reshape({{0}}.shape[0], {', '.join(map(str, op.shape))})")
