"""Transition between the dense blocks of DenseNet."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from cnnspec.blocks.base import Act, Block, Builder, Norm, Value
from cnnspec.blocks.conv import ConvBlock
from cnnspec.blocks.shortcut import BATCH_NORM
from cnnspec.blocks.squeeze_excite import RELU
from cnnspec.fields import Fraction, Size
from cnnspec.ops.avg_pool import AvgPool
from cnnspec.schema import either


class DenseTransition(Block):
    """A norm-act-conv of 1x1 that compresses the channels, and an average pool that halves the map.

    **Shape**: `[H, W, C] -> [H / 2, W / 2, floor(C x compression)]`, rounded down.
    **Example**:

    ```yaml
    input: {height: 56, width: 56, channels: 256}
    layers:
      - dense_transition: {compression: 0.5}
    ```

    **Source**: Huang et al. 2017, section 3, arXiv:1608.06993.
    """

    key: ClassVar[str] = "dense_transition"
    width_fields: ClassVar[tuple[str, ...]] = ("filters",)

    compression: Fraction = Field(0.5, gt=0.0, description="share of the channels that stays")
    filters: Size | None = Field(None, description="output channels, instead")
    norm: Norm = Field(BATCH_NORM, description="normalisation before the convolution")
    act: Act = Field(RELU, description="activation before the convolution")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        either(self, "filters", "compression")
        return self

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        x = inputs[0]
        filters = self.filters or max(1, int(x.channels * self.compression))
        why = {} if self.filters else {"filters": f"{x.channels} channels x compression {self.compression:g}"}
        conv = ConvBlock(filters=filters, kernel=1, stride=1, groups=1, norm=self.norm, act=self.act, bias=False,
                         order="norm_act_weight")  # fmt: skip
        return build(AvgPool(window=2), build(conv, x, id="conv", why=why), id="pool")
