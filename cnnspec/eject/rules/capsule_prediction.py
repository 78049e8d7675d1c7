"""`capsule_prediction`: a helper."""

from __future__ import annotations

from cnnspec.eject.pieces import Argument, Piece, module
from cnnspec.graph import Node
from cnnspec.ops.capsule_prediction import CapsulePrediction
from cnnspec.types import TensorType


def piece(op: CapsulePrediction, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A module."""
    sizes = (*types[0].shape, op.capsules, op.dimensions)
    names = ("count", "length", "capsules", "dimensions")
    arguments = (Argument(name, size, keyword=False) for name, size in zip(names, sizes, strict=True))
    return module("CapsulePrediction", *arguments, helper=True)
