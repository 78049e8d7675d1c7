"""Fire module of SqueezeNet."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cnnspec.blocks.base import Act, Block, Builder, Norm, Value
from cnnspec.blocks.conv import ConvBlock
from cnnspec.blocks.squeeze_excite import RELU
from cnnspec.fields import Size
from cnnspec.ops.add import Add
from cnnspec.ops.concat import Concat


class Fire(Block):
    """A 1x1 convolution that squeezes, a 1x1 and a 3x3 that expand side by side, and possibly a bypass.

    **Shape**: `[H, W, C] -> [H, W, expand1x1 + expand3x3]`.
    **Errors**: E203 an identity bypass of another width.
    **Example**:

    ```yaml
    input: {height: 55, width: 55, channels: 96}
    layers:
      - fire: {squeeze: 16, expand1x1: 64, expand3x3: 64, bypass: conv}
    ```

    **Source**: Iandola et al. 2016, figure 1 and 2, arXiv:1602.07360.
    """

    key: ClassVar[str] = "fire"
    width_fields: ClassVar[tuple[str, ...]] = ("squeeze", "expand1x1", "expand3x3")

    squeeze: Size = Field(description="channels of the squeezing convolution")
    expand1x1: Size = Field(description="channels of the 1x1 convolution that expands")
    expand3x3: Size = Field(description="channels of the 3x3 convolution that expands")
    bypass: Literal["none", "identity", "conv"] = Field(
        "none", description="what joins the input: nothing, itself (simple bypass), a 1x1 convolution (complex bypass)"
    )
    norm: Norm = Field(None, description="normalisation of every convolution")
    act: Act = Field(RELU, description="activation of every convolution")

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        x = inputs[0]
        y = build(self._conv(self.squeeze, 1), x, id="squeeze")
        one = build(self._conv(self.expand1x1, 1), y, id="expand1x1")
        three = build(self._conv(self.expand3x3, 3), y, id="expand3x3")
        y = build(Concat(), one, three, id="concat")
        if self.bypass == "none":
            return y
        if self.bypass == "conv":
            bypass = ConvBlock(filters=y.channels, kernel=1, stride=1, groups=1, norm=None, act=None)
            why = {"filters": f"expand1x1 {self.expand1x1} + expand3x3 {self.expand3x3}"}
            x = build(bypass, x, id="bypass", why=why)
        return build(Add(), y, x, id="add")

    def _conv(self, filters: int, kernel: int) -> ConvBlock:
        return ConvBlock(
            filters=filters, kernel=kernel, stride=1, groups=1, norm=self.norm, act=self.act, order="weight_norm_act"
        )
