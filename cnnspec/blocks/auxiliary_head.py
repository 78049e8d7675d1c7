"""Auxiliary classifier of GoogLeNet."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from cnnspec.blocks.base import Act, Block, Builder, Norm, Value
from cnnspec.blocks.conv import ConvBlock
from cnnspec.blocks.linear import LinearBlock
from cnnspec.blocks.squeeze_excite import RELU
from cnnspec.fields import Pair, Rate, Size
from cnnspec.ops.adaptive_avg_pool import AdaptiveAvgPool
from cnnspec.ops.avg_pool import AvgPool
from cnnspec.ops.dropout import Dropout
from cnnspec.ops.flatten import Flatten
from cnnspec.schema import either


class AuxiliaryHead(Block):
    """A small classifier halfway up, whose loss helps the layers below to learn: pool, 1x1, and two linear layers.

    **Shape**: `[H, W, C] -> [classes]`.
    **Example**:

    ```yaml
    input: {height: 14, width: 14, channels: 512}
    layers:
      - {id: aux, training_only: true, auxiliary_head: {classes: 1000}}
      - global_avg_pool
      - linear: {features: 1000}
    outputs: {logits: linear_1, aux: aux}
    ```

    **Source**: Szegedy et al. 2015, section 5, arXiv:1409.4842.
    """

    key: ClassVar[str] = "auxiliary_head"
    width_fields: ClassVar[tuple[str, ...]] = ("filters", "features")

    classes: Size = Field(description="number of classes")
    window: Pair = Field((5, 5), description="window of the average pool, in pixels")
    stride: Pair = Field((3, 3), description="step of the average pool, in pixels")
    adaptive: Pair | None = Field(None, description="bins of an adaptive pool, instead (torchvision)")
    filters: Size = Field(128, description="channels of the 1x1 convolution")
    features: Size = Field(1024, description="width of the hidden linear layer")
    dropout: Rate = Field(0.7, description="share dropped before the last layer")
    norm: Norm = Field(None, description="normalisation of the convolution")
    act: Act = Field(RELU, description="activation")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        either(self, "adaptive", "window")
        either(self, "adaptive", "stride")
        return self

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        pool = (
            AvgPool(window=self.window, stride=self.stride)
            if self.adaptive is None
            else AdaptiveAvgPool(size=self.adaptive)
        )
        y = build(pool, inputs[0], id="pool")
        y = build(ConvBlock(filters=self.filters, kernel=1, stride=1, groups=1, norm=self.norm, act=self.act,
                            order="weight_norm_act"), y, id="conv")  # fmt: skip
        y = build(Flatten(), y, id="flatten")
        y = build(LinearBlock(features=self.features, norm=None, act=self.act), y, id="linear1")
        if self.dropout:
            y = build(Dropout(rate=self.dropout), y, id="dropout")
        return build(LinearBlock(features=self.classes, norm=None, act=None), y, id="linear2")
