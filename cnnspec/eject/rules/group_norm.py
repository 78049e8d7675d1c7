"""`group_norm`: `nnx.GroupNorm`."""

from __future__ import annotations

from cnnspec.eject.pieces import Argument, Piece, features, module
from cnnspec.graph import Node
from cnnspec.ops.group_norm import GroupNorm
from cnnspec.types import TensorType


def piece(op: GroupNorm, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A module."""
    return module(
        "nnx.GroupNorm",
        features("features", types[0].channels),
        Argument("num_groups", op.groups, default=32),
        Argument("epsilon", op.epsilon, default=1e-6),
        Argument("use_scale", op.scale, default=True),
        Argument("use_bias", op.bias, default=True),
        Argument("use_fast_variance", False, default=True),
    )
