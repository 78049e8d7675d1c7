"""`radial_basis_output`: a helper."""

from __future__ import annotations

from cnnspec.eject.pieces import Argument, Piece, features, module
from cnnspec.graph import Node
from cnnspec.ops.radial_basis_output import RadialBasisOutput
from cnnspec.types import TensorType


def piece(op: RadialBasisOutput, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A module."""
    return module(
        "RadialBasisOutput",
        features("features", types[0].size),
        Argument("classes", op.classes, keyword=False),
        Argument("trainable", op.trainable, default=False),
        helper=True,
    )
