"""What global average and max pooling share."""

from __future__ import annotations

from pydantic import Field

from cnnspec.ops.base import Cost, Inputs, Op, feature_map
from cnnspec.types import TensorType


class GlobalPool(Op):
    """One value a channel, from the whole map."""

    keep_dims: bool = Field(False, description="whether height and width stay, as 1x1")

    def infer(self, *inputs: TensorType) -> TensorType:
        x = feature_map(inputs[0], self.key)
        return x.with_shape(1, 1, x.channels) if self.keep_dims else x.with_shape(x.channels)

    def does_nothing(self, *inputs: TensorType) -> bool:
        return self.infer(*inputs) == inputs[0]

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return Cost(0, inputs[0].size)

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        return f"{inputs[0].channels} channels" if not self.keep_dims else None
