"""`add`: the sum."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece
from cnnspec.graph import Node
from cnnspec.ops.add import Add
from cnnspec.types import TensorType


def piece(op: Add, types: tuple[TensorType, ...], node: Node) -> Piece:
    """`x + y`."""
    return Piece(" + ".join(f"{{{i}}}" for i in range(len(types))))
