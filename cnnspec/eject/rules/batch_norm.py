"""`batch_norm`: `nnx.BatchNorm`, in the variance of squares of differences."""

from __future__ import annotations

from cnnspec.eject.pieces import Argument, Piece, features, initial, module
from cnnspec.graph import Node
from cnnspec.ops.batch_norm import BatchNorm
from cnnspec.types import TensorType


def piece(op: BatchNorm, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A module."""
    biased = op.running_variance == "biased"
    found = op.parameters(*types)
    return module(
        "nnx.BatchNorm" if biased else "UnbiasedBatchNorm",
        features("features", types[0].channels),
        Argument("momentum", op.momentum, default=0.99),
        Argument("epsilon", op.epsilon, default=1e-5),
        Argument("use_scale", op.scale, default=True),
        Argument("use_bias", op.bias, default=True),
        *initial("scale_init", found.get("scale")),
        *initial("bias_init", found.get("bias")),
        Argument("use_fast_variance", False, default=True),
        helper=not biased,
    )
