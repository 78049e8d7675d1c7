"""`squash`: a helper."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece, call
from cnnspec.graph import Node
from cnnspec.ops.squash import Squash
from cnnspec.types import TensorType


def piece(op: Squash, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call of the helper."""
    return call("squash", helper=True)
