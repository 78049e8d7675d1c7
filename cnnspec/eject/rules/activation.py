"""`activation`: a function of `flax.nnx`."""

from __future__ import annotations

from cnnspec.eject.pieces import Piece, call
from cnnspec.graph import Node
from cnnspec.ops.activation import Activation
from cnnspec.types import TensorType

#: Those whose name in Flax is another, or that are a formula.
_FORMULAS = {
    "relu6": "nnx.relu6({0})", "scaled_tanh": "1.7159 * nnx.tanh({0} * (2 / 3))", "swish": "nnx.silu({0})",
}  # fmt: skip


def piece(op: Activation, types: tuple[TensorType, ...], node: Node) -> Piece:
    """A call of the function."""
    match op.function:
        case "leaky_relu":
            return call("nnx.leaky_relu", repr(op.slope))
        case "elu":
            return call("nnx.elu", repr(op.alpha))
        case "gelu":
            return call("nnx.gelu", f"approximate={op.approximate}")
        case name:
            return Piece(_FORMULAS.get(name, f"nnx.{name}({{0}})"))
