"""`capsule_length`: a helper."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece, call
from cnnspec.graph import Node
from cnnspec.ops.capsule_length import CapsuleLength
from cnnspec.types import TensorType


def piece(op: CapsuleLength, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call of the helper."""
    return call("capsule_length", helper=True)
