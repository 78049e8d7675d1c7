"""`linear`: `nnx.Linear`."""

from __future__ import annotations

from cnnspec.eject.pieces import Argument, Piece, features, initial, module
from cnnspec.graph import Node
from cnnspec.ops.linear import Linear
from cnnspec.types import TensorType


def piece(op: Linear, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A module."""
    found = op.parameters(*types)
    return module(
        "nnx.Linear",
        features("in_features", types[0].size),
        features("out_features", op.features),
        Argument("use_bias", op.bias, default=True),
        *initial("kernel_init", found["kernel"]),
        *initial("bias_init", found.get("bias")),
    )
