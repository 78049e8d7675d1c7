"""Primary capsules."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from cnnspec.blocks.base import Act, Block, Builder, Value
from cnnspec.blocks.conv import ConvBlock
from cnnspec.fields import VALID, PaddingField, Pair, Size
from cnnspec.ops.reshape import Reshape
from cnnspec.ops.squash import Squash


class PrimaryCapsules(Block):
    """A convolution whose channels are read as capsules, at every position, and squashed.

    **Shape**: `[H, W, C] -> [h x w x capsules, dimensions]` with h, w as after the convolution.
    **Example**:

    ```yaml
    input: {height: 20, width: 20, channels: 256}
    layers:
      - primary_capsules: {capsules: 32, dimensions: 8, kernel: 9, stride: 2}
    ```

    **Source**: Sabour, Frosst and Hinton 2017, section 4, arXiv:1710.09829. Whether a ReLU comes before the squash
    the paper does not say; here none does unless `act` is given.
    """

    key: ClassVar[str] = "primary_capsules"
    width_fields: ClassVar[tuple[str, ...]] = ("capsules",)

    capsules: Size = Field(32, description="capsules at each position")
    dimensions: Size = Field(8, description="dimensions of each")
    kernel: Pair = Field((9, 9), description="window, in pixels")
    stride: Pair = Field((2, 2), description="step of the window, in pixels")
    padding: PaddingField = Field(VALID, description="what surrounds the map")
    act: Act = Field(None, description="activation before the squash")

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        conv = ConvBlock(filters=self.capsules * self.dimensions, kernel=self.kernel, stride=self.stride, groups=1,
                         padding=self.padding, norm=None, act=self.act, order="weight_norm_act", bias=True)  # fmt: skip
        why = {"filters": f"capsules {self.capsules} x dimensions {self.dimensions}"}
        y = build(conv, inputs[0], id="conv", why=why)
        return build(Squash(), build(Reshape(shape=[-1, self.dimensions]), y, id="reshape"), id="squash")
