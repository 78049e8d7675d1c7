"""`capsule_mask`: a helper."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece, call
from cnnspec.graph import Node
from cnnspec.ops.capsule_mask import CapsuleMask
from cnnspec.types import TensorType


def piece(op: CapsuleMask, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call of the helper, with the label where the spec gives one."""
    return call("capsule_mask", *(["{1}"] if len(node.inputs) > 1 else []), helper=True)
