"""`identity`: nothing."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece
from cnnspec.graph import Node
from cnnspec.ops.identity import Identity
from cnnspec.types import TensorType


def piece(op: Identity, types: tuple[TensorType, ...], node: Node) -> Piece:
    """The input."""
    return Piece("{0}")
