"""`group_norm` as InstanceNormalization of groups."""

from __future__ import annotations

import numpy as np

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.group_norm import GroupNorm

LAYOUT = "channels_first"


def write(w: Writer, op: GroupNorm, x: str) -> str:
    """Each group one instance; then scale and bias, which are the channels' own."""
    height, width, channels = w.types[0].shape
    y = w.add("Reshape", x, w.sizes([0, op.groups, -1], "grouped"))
    ones, zeros = w.constant(np.ones(op.groups), "ones"), w.constant(np.zeros(op.groups), "zeros")
    y = w.add("InstanceNormalization", y, ones, zeros, epsilon=op.epsilon)
    y = w.add("Reshape", y, w.sizes([0, channels, height, width], "whole"))
    y = w.add("Mul", y, w.weight("scale", w.along_channels)) if op.scale else y
    return w.add("Add", y, w.weight("bias", w.along_channels)) if op.bias else y
