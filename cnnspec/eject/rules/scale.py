"""`scale`: a product with a constant, or a helper where something is learned."""

from __future__ import annotations

from cnnspec.eject.pieces import Argument, Piece, features, module
from cnnspec.graph import Node
from cnnspec.ops.scale import Scale
from cnnspec.types import TensorType


def piece(op: Scale, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A module, or an expression."""
    constant = f"{{0}} * {op.value!r}" if op.value != 1 else "{0}"
    if not (op.learned or op.bias):
        return Piece(constant)
    return module(
        "Scale",
        features("features", types[0].channels) if op.per_channel else Argument("features", 1, keyword=False),
        Argument("use_scale", op.learned, default=True),
        Argument("use_bias", op.bias, default=False),
        use=f"{{self}}({constant})",
        helper=True,
    )
