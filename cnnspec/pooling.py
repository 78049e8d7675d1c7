"""What max and average pooling share: their fields and their shape rule."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from cnnspec.diagnostics import Problem
from cnnspec.fields import VALID, PaddingField, Pair
from cnnspec.ops.base import Op, Window, feature_map, slide
from cnnspec.types import TensorType


class Pool(Op):
    """A window that slides over every channel apart."""

    main: ClassVar[str] = "window"

    window: Pair = Field(description="pixels that are pooled")
    stride: Pair | None = Field(None, description="step of the window, in pixels; by default the window itself")
    padding: PaddingField = Field(VALID, description="what surrounds the map")
    ceil: bool = Field(False, description="round the output size up: a last window may hang over the border")

    @property
    def step(self) -> tuple[int, int]:
        return self.stride or self.window

    def infer(self, *inputs: TensorType) -> TensorType:
        x = feature_map(inputs[0], self.key)
        pads = self.padding.resolve((x.height, x.width), self.window, self.step, (1, 1))
        for window, sides in zip(self.window, pads, strict=True):
            if max(sides) >= window:
                raise Problem("E202", f"{max(sides)} pixels of padding hold a whole window of {window}, which pools nothing",
                              f"pad at most {window - 1}", field="padding")  # fmt: skip
        return x.with_shape(*slide(x, self.window, self.step, (1, 1), pads, self.ceil, "window"), x.channels)

    def does_nothing(self, *inputs: TensorType) -> bool:
        x = inputs[0]
        pads = self.padding.resolve((x.height, x.width), self.window, self.step, (1, 1))
        return self.window == (1, 1) and pads == ((0, 0), (0, 0)) and self.infer(x) == x

    def sliding_window(self, *inputs: TensorType) -> Window:
        return Window(self.window, self.step)

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        if axis == 2:
            return None
        return f"{inputs[0].shape[axis]} pooled by {self.window[axis]}, stride {self.step[axis]}"

    def borders(self, x: Any) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
        """The padding asked for, and with it what the last windows hang over, for an array [N, H, W, C]."""
        size = x.shape[1:3]
        pads = self.padding.resolve(size, self.window, self.step, (1, 1))
        outputs = slide(TensorType((*size, 1)), self.window, self.step, (1, 1), pads, self.ceil)
        over = []
        for length, window, step, out, (before, after) in zip(size, self.window, self.step, outputs, pads, strict=True):
            reach = (out - 1) * step + window
            over.append((before, max(after, reach - length - before)))
        return pads, tuple(over)
