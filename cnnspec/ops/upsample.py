"""Upsampling."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from cnnspec.fields import Pair
from cnnspec.ops.base import Cost, Inputs, Op, Run, feature_map
from cnnspec.types import TensorType


class Upsample(Op):
    """Enlarges a feature map, by a factor or to a size, by repeating pixels or between them.

    Bilinear takes the centres of pixels as its grid (torch's `align_corners=False`).

    **Shape**: `[H, W, C] -> [H * factor, W * factor, C]`, or `[size, size, C]`.
    **Params**: none.
    **Errors**: E201 not a feature map.
    **Source**: none.
    """

    key: ClassVar[str] = "upsample"
    main: ClassVar[str] = "factor"

    factor: Pair | None = Field(None, description="how many times as high and wide")
    size: Pair | None = Field(None, description="the new height and width, in pixels")
    method: Literal["nearest", "bilinear"] = Field("nearest", description="how new pixels are found")

    @model_validator(mode="after")
    def _one_of_both(self) -> Upsample:
        if (self.factor is None) == (self.size is None):
            raise PydanticCustomError("upsample_fields", "should have either `factor` or `size`")
        return self

    def infer(self, *inputs: TensorType) -> TensorType:
        x = feature_map(inputs[0], self.key)
        factor = self.factor or (1, 1)
        height, width = self.size or (x.height * factor[0], x.width * factor[1])
        return x.with_shape(height, width, x.channels)

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return Cost(0, 7 * output.size if self.method == "bilinear" else 0)

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        return None if axis == 2 else f"{inputs[0].shape[axis]} enlarged"

    def does_nothing(self, *inputs: TensorType) -> bool:
        return self.infer(*inputs) == inputs[0]

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax
        import jax.numpy as jnp

        x = inputs[0]
        out = self.infer(TensorType(x.shape[1:]))
        if self.method == "bilinear":
            return jax.image.resize(x, (x.shape[0], *out.shape), "bilinear", antialias=False)
        rows = [i * x.shape[1] // out.height for i in range(out.height)]
        columns = [i * x.shape[2] // out.width for i in range(out.width)]
        return jnp.take(jnp.take(x, jnp.asarray(rows), 1), jnp.asarray(columns), 2)
