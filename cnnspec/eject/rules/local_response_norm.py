"""`local_response_norm`: a helper."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece, call
from cnnspec.graph import Node
from cnnspec.ops.local_response_norm import LocalResponseNorm
from cnnspec.types import TensorType


def piece(op: LocalResponseNorm, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call of the helper."""
    alpha = op.alpha / op.size if op.divide_by_size else op.alpha
    given = {"size": op.size, "alpha": alpha, "beta": op.beta, "k": op.k}
    return call("local_response_norm", *(f"{name}={value!r}" for name, value in given.items()), helper=True)
