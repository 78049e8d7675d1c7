"""`connection_conv`: a helper."""

from __future__ import annotations

from typing import Any

from cnnspec.eject.pieces import Argument, Piece, features, module
from cnnspec.graph import Node
from cnnspec.ops.connection_conv import ConnectionConv
from cnnspec.types import TensorType


def piece(op: ConnectionConv, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A module."""
    pads: Any = op.padding.resolve((types[0].height, types[0].width), op.kernel, op.stride, (1, 1))
    return module(
        "ConnectionConv",
        features("in_features", types[0].channels),
        Argument("table", op.table, keyword=False),
        Argument("kernel_size", op.kernel, keyword=False),
        Argument("strides", op.stride, default=(1, 1)),
        Argument("padding", pads if any(map(any, pads)) else "VALID", default="VALID"),
        Argument("use_bias", op.bias, default=True),
        helper=True,
    )
