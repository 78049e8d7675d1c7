"""`crop`: a slice."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece
from cnnspec.graph import Node
from cnnspec.ops.crop import Crop
from cnnspec.types import TensorType


def piece(op: Crop, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A slice of height and width."""
    cuts = op.cuts(*types[0].shape[:2])
    rows, columns = (f"{before or ''}:{-after if after else ''}" for before, after in cuts)
    return Piece(f"{{0}}[:, {rows}, {columns}]")
