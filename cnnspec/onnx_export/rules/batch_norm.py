"""`batch_norm` by its running statistics, where it could not be folded."""

from __future__ import annotations

import numpy as np

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.batch_norm import BatchNorm

LAYOUT = "any"


def write(w: Writer, op: BatchNorm, x: str) -> str:
    """BatchNormalization where the channels are the second axis; else the factor and the shift that it comes to."""
    if w.channel_axis == 1:
        count = w.types[0].channels
        scale = w.weight("scale") if op.scale else w.constant(np.ones(count), "scale")
        bias = w.weight("bias") if op.bias else w.constant(np.zeros(count), "bias")
        return w.add("BatchNormalization", x, scale, bias, w.weight("mean"), w.weight("var"), epsilon=op.epsilon)
    values = {name: np.asarray(w.values[path], np.float64) for name, path in w.node.parameters.items()}
    factor = values.get("scale", 1.0) / np.sqrt(values["var"] + op.epsilon)
    shift = values.get("bias", 0.0) - values["mean"] * factor
    return w.add("Add", w.add("Mul", x, w.constant(factor, "factor")), w.constant(shift, "shift"))
