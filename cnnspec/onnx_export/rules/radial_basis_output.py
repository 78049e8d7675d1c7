"""`radial_basis_output` by its formula."""

from __future__ import annotations

from cnnspec.onnx_export.writer import Writer
from cnnspec.ops.radial_basis_output import RadialBasisOutput

LAYOUT = "own"


def write(w: Writer, op: RadialBasisOutput, x: str) -> str:
    """The sum of squared differences to every centre."""
    difference = w.add("Sub", w.add("Unsqueeze", x, w.sizes([1], "axes")), w.weight("centres"))
    return w.add("ReduceSum", w.add("Mul", difference, difference), w.sizes([-1], "last"), keepdims=0)
