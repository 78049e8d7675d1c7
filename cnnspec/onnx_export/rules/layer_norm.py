"""`layer_norm` as LayerNormalization over the channels."""

from __future__ import annotations

import numpy as np

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.layer_norm import LayerNorm

LAYOUT = "own"


def write(w: Writer, op: LayerNorm, x: str) -> str:
    """A LayerNormalization."""
    scale = w.weight("scale") if op.scale else w.constant(np.ones(w.types[0].channels), "scale")
    return w.add("LayerNormalization", x, scale, *([w.weight("bias")] if op.bias else []), epsilon=op.epsilon)
