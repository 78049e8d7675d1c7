"""`multiply`: the product."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece
from cnnspec.graph import Node
from cnnspec.ops.multiply import Multiply
from cnnspec.types import TensorType


def piece(op: Multiply, types: tuple[TensorType, ...], node: Node) -> Piece:
    """`x * y`."""
    return Piece(" * ".join(f"{{{i}}}" for i in range(len(types))))
