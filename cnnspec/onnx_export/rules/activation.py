"""`activation` as the operator of the same name, or by its formula where there is none."""

from __future__ import annotations

from typing import Any

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.activation import Activation

LAYOUT = "any"

#: Those that are one operator, with its attributes.
_OPERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("Relu", {}), "tanh": ("Tanh", {}), "sigmoid": ("Sigmoid", {}), "hard_swish": ("HardSwish", {}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
}  # fmt: skip


def write(w: Writer, op: Activation, x: str) -> str:
    """One operator, or up to three."""
    match op.function:
        case "relu6":
            return w.add("Clip", x, w.constant(0, "least"), w.constant(6, "most"))
        case "leaky_relu":
            return w.add("LeakyRelu", x, alpha=op.slope)
        case "elu":
            return w.add("Elu", x, alpha=op.alpha)
        case "scaled_tanh":
            inner = w.add("Mul", x, w.constant(2 / 3, "slope"))
            return w.add("Mul", w.add("Tanh", inner), w.constant(1.7159, "amplitude"))
        case "silu" | "swish":
            return w.add("Mul", x, w.add("Sigmoid", x))
        case "gelu":
            return w.add("Gelu", x, approximate="tanh" if op.approximate else "none")
        case "softmax":
            return w.add("Softmax", x, axis=w.channel_axis)
        case name:
            kind, attributes = _OPERATORS[name]
            return w.add(kind, x, **attributes)
