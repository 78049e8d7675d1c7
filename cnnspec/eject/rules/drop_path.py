"""`drop_path`: a helper."""

from __future__ import annotations

from cnnspec.eject.pieces import Argument, Piece, module
from cnnspec.graph import Node
from cnnspec.ops.drop_path import DropPath
from cnnspec.types import TensorType


def piece(op: DropPath, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A module."""
    return module(
        "DropPath",
        Argument("rate", round(op.rate, 12), keyword=False),
        Argument("per_batch", op.per == "batch", default=False),
        Argument("rescale", op.inference == "rescale", default=True),
        helper=True,
    )
