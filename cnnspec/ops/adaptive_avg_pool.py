"""Adaptive avg pooling."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from cnnspec.fields import Pair
from cnnspec.ops.base import Cost, Inputs, Op, Run, feature_map
from cnnspec.types import TensorType


class AdaptiveAvgPool(Op):
    """The mean of as many bins as asked for, whatever the size of the map.

    Bin i of n covers the pixels from floor(i H / n) to ceil((i + 1) H / n), as in torch; bins may overlap.

    **Shape**: `[H, W, C] -> [size, size, C]`.
    **Params**: none.
    **Errors**: E201 not a feature map.
    **Source**: He et al. 2015, spatial pyramid pooling, section 2.2, arXiv:1406.4729.
    """

    key: ClassVar[str] = "adaptive_avg_pool"
    main: ClassVar[str] = "size"

    size: Pair = Field(description="bins along height and width")

    def infer(self, *inputs: TensorType) -> TensorType:
        return feature_map(inputs[0], self.key).with_shape(*self.size, inputs[0].channels)

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return Cost(0, inputs[0].size)

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        return None if axis == 2 else f"size {self.size[axis]}"

    def does_nothing(self, *inputs: TensorType) -> bool:
        return self.infer(*inputs) == inputs[0]  # a bin then is a pixel

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax.numpy as jnp

        x = inputs[0]
        rows = [x[:, a:b].mean(1) for a, b in bins(x.shape[1], self.size[0])]
        x = jnp.stack(rows, 1)
        columns = [x[:, :, a:b].mean(2) for a, b in bins(x.shape[2], self.size[1])]
        return jnp.stack(columns, 2)


def bins(length: int, count: int) -> list[tuple[int, int]]:
    """Where each of `count` bins over `length` pixels begins and ends."""
    return [(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]
