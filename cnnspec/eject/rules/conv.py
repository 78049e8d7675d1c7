"""`conv`: `nnx.Conv`."""

from __future__ import annotations

from cnnspec.eject.pieces import Argument, Piece, features, initial, module, one_or_pair, padding
from cnnspec.graph import Node
from cnnspec.ops.conv import Conv
from cnnspec.types import TensorType


def piece(op: Conv, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A module."""
    groups = op.resolved_groups(types[0])
    found = op.parameters(*types)
    return module(
        "nnx.Conv",
        features("in_features", types[0].channels),
        features("out_features", op.resolved_filters(types[0])),
        Argument("kernel_size", op.kernel, keyword=False),
        Argument("strides", one_or_pair(op.stride), default=1),
        Argument("padding", padding(op.padding, op.kernel, op.dilation), default="SAME"),
        Argument("kernel_dilation", one_or_pair(op.dilation), default=1),
        Argument("feature_group_count", groups, "features" if groups == types[0].channels > 1 else "groups", default=1),
        Argument("use_bias", op.bias, default=True),
        *initial("kernel_init", found["kernel"], groups),
        *initial("bias_init", found.get("bias")),
    )
