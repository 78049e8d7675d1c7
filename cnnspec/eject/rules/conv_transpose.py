"""`conv_transpose`: a helper."""

from __future__ import annotations

from cnnspec.eject.pieces import Argument, Piece, features, module
from cnnspec.graph import Node
from cnnspec.ops.conv_transpose import ConvTranspose
from cnnspec.types import TensorType


def piece(op: ConvTranspose, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A module."""
    pads = []
    for window, spread, (before, after) in zip(op.kernel, op.dilation, op.cuts(), strict=True):
        extent = (window - 1) * spread
        pads.append((extent - before, extent - after + op.output_padding))
    return module(
        "ConvTranspose",
        features("in_features", types[0].channels),
        features("out_features", op.filters),
        Argument("kernel_size", op.kernel, keyword=False),
        Argument("strides", op.stride),
        Argument("padding", tuple(pads)),
        Argument("dilation", op.dilation, default=(1, 1)),
        Argument("groups", op.groups, default=1),
        Argument("use_bias", op.bias, default=True),
        helper=True,
    )
