"""Flattening to a vector."""

from __future__ import annotations

from typing import Any, ClassVar

from cnnspec.ops.base import Op, Run
from cnnspec.types import TensorType


class Flatten(Op):
    """Lays out all dimensions in one, in row-major order (height, width, channels).

    **Shape**: `[H, W, C] -> [H * W * C]`.
    **Params**: none.
    **Source**: torch flattens in the order channels, height, width; imported weights are reordered.
    """

    key: ClassVar[str] = "flatten"

    def infer(self, *inputs: TensorType) -> TensorType:
        return inputs[0].with_shape(inputs[0].size)

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        return inputs[0].plain.replace("x", " x ")

    def does_nothing(self, *inputs: TensorType) -> bool:
        return self.infer(*inputs) == inputs[0]

    def lower(self, run: Run, *inputs: Any) -> Any:
        return inputs[0].reshape(inputs[0].shape[0], -1)
