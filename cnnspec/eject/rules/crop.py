"""`crop`: a slice."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece
from cnnspec.graph import Node
from cnnspec.ops.crop import Crop
from cnnspec.types import TensorType


def piece(op: Crop, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A slice of height and width."""
    height, width = types[0].shape[:2]
    (top, bottom), (left, right) = op.cuts(height, width)
    return Piece(f"{{0}}[:, {top}:{height - bottom}, {left}:{width - right}]")
