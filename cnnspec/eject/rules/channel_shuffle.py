"""`channel_shuffle`: a helper."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece, call
from cnnspec.graph import Node
from cnnspec.ops.channel_shuffle import ChannelShuffle
from cnnspec.types import TensorType


def piece(op: ChannelShuffle, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call of the helper."""
    return call("channel_shuffle", str(op.groups), helper=True)
