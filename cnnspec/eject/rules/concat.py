"""`concat`: `jnp.concatenate`."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece
from cnnspec.graph import Node
from cnnspec.ops.concat import Concat
from cnnspec.types import TensorType


def piece(op: Concat, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call."""
    return Piece(f"jnp.concatenate([{', '.join(f'{{{i}}}' for i in range(len(types)))}], axis=-1)")
