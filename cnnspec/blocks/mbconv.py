"""Mobile inverted residual block."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cnnspec.blocks.base import Act, Block, Builder, Norm, Value
from cnnspec.blocks.conv import ConvBlock
from cnnspec.blocks.shortcut import BATCH_NORM
from cnnspec.blocks.squeeze_excite import RELU, SqueezeExcite
from cnnspec.expressions import round_to
from cnnspec.fields import Pair, Positive, Size
from cnnspec.ops.activation import Activation
from cnnspec.ops.add import Add
from cnnspec.residuals import Survival
from cnnspec.schema import Spec


class Excite(Spec):
    """The squeeze-excite of an inverted residual."""

    ratio: Positive = Field(0.25, description="share of channels in between")
    of: Literal["input", "expanded"] = Field("input", description="of which channels: the block's, or the expanded")
    divisor: Size = Field(1, description="the inner channels are rounded to a multiple of it")
    act: Act = Field(None, description="activation in between; by default the block's")
    gate: Literal["sigmoid", "hard_sigmoid"] = Field("sigmoid", description="activation of the weights")


class MBConv(Survival, Block):
    """A 1x1 convolution that widens, a depthwise one, possibly squeeze-excite, and a linear 1x1 that narrows.

    The input is added where neither size nor channels change.

    **Shape**: `[H, W, C] -> [H / stride, W / stride, filters]`, rounded up.
    **Example**:

    ```yaml
    input: {height: 56, width: 56, channels: 24}
    layers:
      - {repeat: 2, mbconv: {filters: 40, kernel: 5, expand: 6, se: {ratio: 0.25}, act: swish}, first: {stride: 2}}
    ```

    **Source**: Sandler et al. 2018, figure 3b and table 1, arXiv:1801.04381; squeeze-excite: Tan et al. 2019, figure
    7, arXiv:1807.11626.
    """

    key: ClassVar[str] = "mbconv"
    width_fields: ClassVar[tuple[str, ...]] = ("filters",)

    filters: Size = Field(description="output channels")
    kernel: Pair = Field((3, 3), description="window of the depthwise convolution, in pixels")
    stride: Pair = Field((1, 1), description="step of the depthwise convolution, in pixels")
    expand: Positive = Field(6.0, description="inner channels for each of the input's")
    expand_divisor: Size = Field(1, description="the inner channels are rounded to a multiple of it")
    se: Excite | None = Field(None, description="squeeze-excite after the depthwise convolution")
    shortcut: Literal["auto", "none"] = Field("auto", description="whether the input is added where it fits")
    norm: Norm = Field(BATCH_NORM, description="normalisation of every convolution")
    act: Act = Field(RELU, description="activation of all but the last convolution")

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        x = y = inputs[0]
        inner = int(x.channels * self.expand)
        if self.expand_divisor > 1:
            inner = round_to(x.channels * self.expand, self.expand_divisor)
        if self.expand != 1:
            why = {"filters": _product(x.channels, "expand", self.expand, self.expand_divisor)}
            y = build(self._conv(inner, self.act), y, id="expand", why=why)
        depthwise = ConvBlock(depthwise=True, kernel=self.kernel, stride=self.stride, norm=self.norm, act=self.act,
                              order="weight_norm_act")  # fmt: skip
        y = build(depthwise, y, id="depthwise")
        if self.se is not None:
            channels = x.channels if self.se.of == "input" else inner
            why = {"squeeze": _product(channels, "ratio", self.se.ratio, self.se.divisor)}
            y = build(self._excite(self.se, channels), y, id="se", why=why)
        y = build(self._conv(self.filters, None), y, id="project")
        if self.shortcut == "auto" and y.type == x.type:
            y = build(Add(), self.drop(build, y), x, id="add")
        return y

    def _conv(self, filters: int, act: Activation | None) -> ConvBlock:
        return ConvBlock(
            filters=filters, kernel=1, stride=1, groups=1, norm=self.norm, act=act, order="weight_norm_act"
        )

    def _excite(self, se: Excite, channels: int) -> SqueezeExcite:
        width = channels * se.ratio
        squeeze = round_to(width, se.divisor) if se.divisor > 1 else max(1, int(width))
        return SqueezeExcite(squeeze=squeeze, act=se.act or self.act, gate=se.gate)


def _product(channels: int, word: str, factor: float, divisor: int) -> str:
    """How a number of channels comes about."""
    return f"{channels} channels x {word} {factor:g}" + (f", rounded to {divisor}" if divisor > 1 else "")
