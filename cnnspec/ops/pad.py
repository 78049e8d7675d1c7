"""Padding."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from cnnspec.diagnostics import Problem
from cnnspec.fields import PaddingField
from cnnspec.ops.base import Op, Run, feature_map
from cnnspec.schema import refuse
from cnnspec.types import TensorType


class Pad(Op):
    """Adds pixels around a feature map, and may add channels of zeros.

    **Shape**: `[H, W, C] -> [H + top + bottom, W + left + right, C + channels]`.
    **Params**: none.
    **Errors**: E109 a rule instead of pixels, E201 not a feature map, E202 reflection wider than the map.
    **Source**: zero channels: option A of He et al. 2016, section 3.3, arXiv:1512.03385.
    """

    key: ClassVar[str] = "pad"
    main: ClassVar[str] = "padding"

    padding: PaddingField = Field(0, validate_default=True, description="pixels: a number, a pair, or four sides")
    channels: int = Field(0, ge=0, description="channels of zeros to add behind the others")
    mode: Literal["constant", "reflect", "edge"] = Field("constant", description="what the new pixels are")
    value: float = Field(0.0, description="of the new pixels, where constant")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if "value" in self.model_fields_set and self.mode != "constant":
            raise refuse("value", f"is of constant pixels, and `mode` is `{self.mode}`", "leave it out")
        return self

    def infer(self, *inputs: TensorType) -> TensorType:
        x = feature_map(inputs[0], self.key)
        if self.padding.rule != "explicit":
            raise Problem(
                "E109", f"`pad` needs pixels, not `{self.padding.rule}`", "write `padding: 1`", field="padding"
            )
        (top, bottom), (left, right) = self.padding.sides
        if self.mode == "reflect" and (max(top, bottom) >= x.height or max(left, right) >= x.width):
            raise Problem("E202", f"a map of {x.plain} cannot be reflected by so many pixels", "pad less",
                          field="padding", operands=(0,))  # fmt: skip
        return x.with_shape(x.height + top + bottom, x.width + left + right, x.channels + self.channels)

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        if axis == 2:
            return f"{inputs[0].channels} + {self.channels}" if self.channels else None
        return f"{inputs[0].shape[axis]} padded"

    def does_nothing(self, *inputs: TensorType) -> bool:
        return self.infer(*inputs) == inputs[0]

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax.numpy as jnp

        x = inputs[0]
        around = ((0, 0), *self.padding.sides, (0, 0))
        if self.mode == "constant":
            x = jnp.pad(x, around, constant_values=self.value)
        else:
            x = jnp.pad(x, around, mode=self.mode)
        return jnp.pad(x, ((0, 0), (0, 0), (0, 0), (0, self.channels))) if self.channels else x
