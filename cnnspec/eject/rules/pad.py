"""`pad`: `jnp.pad`."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece, call, literal
from cnnspec.graph import Node
from cnnspec.ops.pad import Pad
from cnnspec.types import TensorType


def piece(op: Pad, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call, or two where the border is not zeros and channels are added."""
    sides, channels = literal(op.padding.sides)[1:-1], f"(0, {op.channels})"
    if op.mode == "constant" and (op.value == 0 or not op.channels):
        value = [f"constant_values={op.value!r}"] if op.value else []
        return call("jnp.pad", f"((0, 0), {sides}, {channels})", *value)
    mode = f"constant_values={op.value!r}" if op.mode == "constant" else f'mode="{op.mode}"'
    inner = f"jnp.pad({{0}}, ((0, 0), {sides}, (0, 0)), {mode})"
    return Piece(f"jnp.pad({inner}, ((0, 0), (0, 0), (0, 0), {channels}))" if op.channels else inner)
