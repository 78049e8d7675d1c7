"""Depthwise separable convolution."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from cnnspec.blocks.base import Act, Block, Builder, Norm, Order, Value, bias_by_default
from cnnspec.blocks.conv import ConvBlock
from cnnspec.fields import PaddingField, Pair, Size


class SeparableConv(Block):
    """A depthwise convolution for space, and a 1x1 convolution for channels.

    `norm` and `act` belong to the whole, in the given order; with `between` the depthwise convolution has its own
    norm and activation as well (MobileNet v1), without it nothing stands between the two (Xception, NASNet).

    **Shape**: `[H, W, C] -> [H / stride, W / stride, filters]`, rounded up.
    **Example**:

    ```yaml
    input: {height: 112, width: 112, channels: 32}
    layers:
      - separable_conv: {filters: 64, norm: batch, act: relu, between: true}
    ```

    **Source**: Howard et al. 2017, figure 3, arXiv:1704.04861; Chollet 2017, section 3.1, arXiv:1610.02357.
    """

    key: ClassVar[str] = "separable_conv"
    width_fields: ClassVar[tuple[str, ...]] = ("filters",)

    filters: Size = Field(description="output channels")
    kernel: Pair = Field((3, 3), description="window of the depthwise convolution, in pixels")
    stride: Pair = Field((1, 1), description="step of the depthwise convolution, in pixels")
    dilation: Pair = Field((1, 1), description="spacing of the depthwise convolution's taps, in pixels")
    padding: PaddingField | None = Field(None, description="what surrounds the map; by default that of `conv`")
    multiplier: Size = Field(1, description="depthwise filters an input channel")
    bias: bool | None = Field(None, description="whether biases are added; by default where there is no batch norm")
    norm: Norm = Field(None, description="normalisation")
    act: Act = Field(None, description="activation by name")
    order: Order = Field("weight_norm_act", description="which comes first")
    between: bool = Field(False, description="norm and activation after the depthwise convolution as well")

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        x = inputs[0]
        own: dict[str, Any] = {} if self.bias is None else {"bias": self.bias}
        if not self.between and self.bias is None:
            own = {"bias": bias_by_default(self.norm)}
        first: dict[str, Any] = {"norm": self.norm, "act": self.act} if self.between else {"norm": None, "act": None}
        last: dict[str, Any] = {"norm": self.norm, "act": self.act}
        if self.order != "weight_norm_act" and not self.between:
            # What comes first comes before the depthwise convolution, and what comes last after the pointwise one.
            for part in self.order.split("_weight")[0].split("_"):
                first[part], last[part] = last[part], None
        depthwise = ConvBlock(depthwise=True, multiplier=self.multiplier, kernel=self.kernel, stride=self.stride,
                              dilation=self.dilation, order=self.order, **first, **self._padding(),
                              **({"bias": False} if not self.between and self.bias is None else own))  # fmt: skip
        pointwise = ConvBlock(filters=self.filters, kernel=1, stride=1, groups=1, order=self.order, **last, **own)
        return build(pointwise, build(depthwise, x, id="depthwise"), id="pointwise")

    def _padding(self) -> dict[str, Any]:
        return {} if self.padding is None else {"padding": self.padding}
