"""`layer_norm`: `nnx.LayerNorm`."""

from __future__ import annotations

from cnnspec.eject.pieces import Argument, Piece, features, module
from cnnspec.graph import Node
from cnnspec.ops.layer_norm import LayerNorm
from cnnspec.types import TensorType


def piece(op: LayerNorm, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A module."""
    return module(
        "nnx.LayerNorm",
        features("features", types[0].channels),
        Argument("epsilon", op.epsilon, default=1e-6),
        Argument("use_scale", op.scale, default=True),
        Argument("use_bias", op.bias, default=True),
        Argument("use_fast_variance", False, default=True),
    )
