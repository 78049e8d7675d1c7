"""`upsample`: `jax.image.resize`, or a helper."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece, call
from cnnspec.graph import Node
from cnnspec.ops.upsample import Upsample
from cnnspec.types import TensorType


def piece(op: Upsample, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call."""
    height, width, channels = node.type.shape
    if op.method == "nearest":
        return call("resize_nearest", f"({height}, {width})", helper=True)
    shape = f"({{0}}.shape[0], {height}, {width}, {channels})"
    return call("jax.image.resize", shape, '"bilinear"', "antialias=False")
