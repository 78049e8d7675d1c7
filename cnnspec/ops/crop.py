"""Cropping."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from cnnspec.diagnostics import Problem
from cnnspec.fields import PaddingField, Pair
from cnnspec.ops.base import Op, Run, feature_map
from cnnspec.types import TensorType


class Crop(Op):
    """Cuts pixels off a feature map: so many on each side, or down to a centred size.

    **Shape**: `[H, W, C] -> [size, size, C]`, or `[H - top - bottom, W - left - right, C]`.
    **Params**: none.
    **Errors**: E201 not a feature map, E202 nothing would be left.
    **Source**: centred: Ronneberger et al. 2015, section 2, arXiv:1505.04597.
    """

    key: ClassVar[str] = "crop"
    main: ClassVar[str] = "size"

    size: Pair | None = Field(None, description="pixels that stay, around the centre")
    sides: PaddingField | None = Field(None, description="pixels to cut: a number, a pair, or four sides")

    @model_validator(mode="after")
    def _one_of_both(self) -> Crop:
        explicit = self.sides is None or self.sides.rule == "explicit"
        if (self.size is None) == (self.sides is None) or not explicit:
            raise PydanticCustomError("crop_fields", "should have either `size` or `sides`, in pixels")
        return self

    def cuts(self, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Pixels ((top, bottom), (left, right)) to cut from a map of that size."""
        if self.sides is not None:
            return self.sides.sides
        size = self.size or (height, width)
        spare = (height - size[0], width - size[1])
        return ((spare[0] // 2, spare[0] - spare[0] // 2), (spare[1] // 2, spare[1] - spare[1] // 2))

    def infer(self, *inputs: TensorType) -> TensorType:
        x = feature_map(inputs[0], self.key)
        (top, bottom), (left, right) = self.cuts(x.height, x.width)
        height, width = x.height - top - bottom, x.width - left - right
        if min(height, width) < 1 or min(top, bottom, left, right) < 0:
            raise Problem("E202", f"a map of {x.plain} cannot be cropped to {height}x{width}", "crop less",
                          field="size" if self.size else "sides", axis=0, operands=(0,))  # fmt: skip
        return x.with_shape(height, width, x.channels)

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        return None if axis == 2 else f"{inputs[0].shape[axis]} cropped"

    def does_nothing(self, *inputs: TensorType) -> bool:
        return self.infer(*inputs) == inputs[0]

    def lower(self, run: Run, *inputs: Any) -> Any:
        x = inputs[0]
        (top, bottom), (left, right) = self.cuts(*x.shape[1:3])
        return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]
