"""`channel_shuffle` as Reshape, Transpose, Reshape."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.channel_shuffle import ChannelShuffle

LAYOUT = "channels_first"


def write(w: Writer, op: ChannelShuffle, x: str) -> str:
    """The groups side by side, exchanged with the channels in them, and laid out again."""
    height, width, channels = w.types[0].shape
    apart = w.sizes([0, op.groups, channels // op.groups, height, width], "apart")
    y = w.add("Transpose", w.add("Reshape", x, apart), perm=[0, 2, 1, 3, 4])
    return w.add("Reshape", y, w.sizes([0, channels, height, width], "together"))
