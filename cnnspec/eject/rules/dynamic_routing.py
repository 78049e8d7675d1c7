"""`dynamic_routing`: a helper."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece, call
from cnnspec.graph import Node
from cnnspec.ops.dynamic_routing import DynamicRouting
from cnnspec.types import TensorType


def piece(op: DynamicRouting, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call of the helper."""
    stopped = ["stop_gradient=True"] if op.stop_gradient else []
    return call("dynamic_routing", str(op.iterations), *stopped, helper=True)
