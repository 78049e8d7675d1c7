"""`avg_pool` as AveragePool."""

from __future__ import annotations

from cnnspec.onnx_export.borders import borders, like, onnx_pads, padded_before
from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.avg_pool import AvgPool

LAYOUT = "channels_first"


def write(w: Writer, op: AvgPool, x: str) -> str:
    """An AveragePool; a factor for each window where padding counts and what hangs over does not."""
    type_, area = w.types[0], op.window[0] * op.window[1]
    _, over = borders(op, type_)
    excluded = not op.count_padding and all(
        side < k for k, sides in zip(op.window, over, strict=True) for side in sides
    )
    if not excluded:
        x, over = padded_before(w, op, x, over, 0.0)
    y = w.add("AveragePool", x, kernel_shape=op.window, strides=op.step, pads=onnx_pads(over),
              count_include_pad=int(not excluded))  # fmt: skip
    divisors = op.divisors((type_.height, type_.width), like(type_))
    if excluded or (divisors == area).all():
        return y
    return w.add("Mul", y, w.constant((area / divisors).transpose(2, 0, 1)[None], "factors"))
