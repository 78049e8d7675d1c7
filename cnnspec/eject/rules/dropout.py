"""`dropout`: `nnx.Dropout`."""

from __future__ import annotations

from cnnspec.eject.pieces import Argument, Piece, module
from cnnspec.graph import Node
from cnnspec.ops.dropout import Dropout
from cnnspec.types import TensorType


def piece(op: Dropout, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A module."""
    return module("nnx.Dropout", Argument("rate", op.rate, keyword=False))
