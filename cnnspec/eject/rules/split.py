"""`split`: `jnp.split`."""

from __future__ import annotations

from itertools import accumulate

from cnnspec.eject.pieces import Piece, call, literal
from cnnspec.graph import Node
from cnnspec.ops.split import Split
from cnnspec.types import TensorType


def piece(op: Split, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call; equal parts by their number, others by where they begin."""
    if len(node.types) == 1:
        return Piece("{0}")
    if op.parts is not None:
        return call("jnp.split", str(op.parts), "axis=-1")
    return call("jnp.split", literal(tuple(accumulate(op.resolved(types[0].channels)))[:-1]), "axis=-1")
