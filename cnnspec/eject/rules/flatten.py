"""`flatten`: `reshape`."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece
from cnnspec.graph import Node
from cnnspec.ops.flatten import Flatten
from cnnspec.types import TensorType


def piece(op: Flatten, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call of the method."""
    return Piece("{0}.reshape({0}.shape[0], -1)")
