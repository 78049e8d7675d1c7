"""Squeeze-and-excitation."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from cnnspec.blocks.base import Act, Block, Builder, Value
from cnnspec.blocks.conv import ConvBlock
from cnnspec.expressions import round_to
from cnnspec.fields import Positive, Size
from cnnspec.ops.activation import Activation
from cnnspec.ops.global_avg_pool import GlobalAvgPool
from cnnspec.ops.multiply import Multiply
from cnnspec.schema import either

RELU = Activation(function="relu")


class SqueezeExcite(Block):
    """Weighs every channel by what the whole map says: pool, two 1x1 convolutions, a gate, and a product.

    The inner width is `squeeze`, or else channels / `reduction`, or else channels x `ratio`, rounded to `divisor`.

    **Shape**: unchanged.
    **Example**:

    ```yaml
    input: {height: 16, width: 16, channels: 64}
    layers:
      - squeeze_excite: {reduction: 16}
    ```

    **Source**: Hu, Shen and Sun 2018, figure 3, arXiv:1709.01507.
    """

    key: ClassVar[str] = "squeeze_excite"
    width_fields: ClassVar[tuple[str, ...]] = ("squeeze",)

    squeeze: Size | None = Field(None, description="channels in between")
    reduction: Size = Field(16, description="how many times fewer channels in between")
    ratio: Positive | None = Field(None, description="share of channels in between")
    divisor: Size = Field(1, description="the inner channels are rounded to a multiple of it")
    act: Act = Field(RELU, description="activation in between")
    gate: Literal["sigmoid", "hard_sigmoid"] = Field("sigmoid", description="activation of the weights")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        either(self, "squeeze", "reduction", "ratio")
        return self

    def inner(self, channels: int) -> tuple[int, str]:
        """The channels in between, and how they come about."""
        if self.squeeze is not None:
            return self.squeeze, f"squeeze {self.squeeze}"
        if self.ratio is not None:
            width, why = channels * self.ratio, f"{channels} channels x ratio {self.ratio:g}"
        else:
            width, why = channels / self.reduction, f"{channels} channels / reduction {self.reduction}"
        if self.divisor > 1:
            return round_to(width, self.divisor), f"{why}, rounded to {self.divisor}"
        return max(1, int(width)), why

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        x = inputs[0]
        width, why = self.inner(x.channels)
        y = build(GlobalAvgPool(keep_dims=True), x, id="pool")
        y = build(_pointwise(width, self.act), y, id="reduce", why={"filters": why})
        y = build(_pointwise(x.channels, Activation(function=self.gate)), y, id="expand")
        return build(Multiply(), x, y, id="multiply")


def _pointwise(filters: int, act: Activation | None) -> ConvBlock:
    return ConvBlock(filters=filters, kernel=1, stride=1, groups=1, norm=None, act=act, bias=True)
