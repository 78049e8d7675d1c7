"""Dense block of DenseNet."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from cnnspec.blocks.base import Act, Block, Builder, Norm, Value
from cnnspec.blocks.conv import ConvBlock
from cnnspec.blocks.shortcut import BATCH_NORM
from cnnspec.blocks.squeeze_excite import RELU
from cnnspec.fields import Rate, Size
from cnnspec.ops.concat import Concat
from cnnspec.ops.dropout import Dropout


class DenseBlock(Block):
    """Layers that each see the outputs of all before them, and add `growth_rate` channels.

    Each layer is norm-act-conv, with a 1x1 convolution to `bottleneck` x `growth_rate` channels before the 3x3 unless
    `bottleneck` is 0.

    **Shape**: `[H, W, C] -> [H, W, C + layers x growth_rate]`.
    **Example**:

    ```yaml
    input: {height: 56, width: 56, channels: 64}
    layers:
      - dense_block: {layers: 6, growth_rate: 32}
    ```

    **Source**: Huang et al. 2017, equation 2 and table 1, arXiv:1608.06993.
    """

    key: ClassVar[str] = "dense_block"
    width_fields: ClassVar[tuple[str, ...]] = ("growth_rate",)
    depth_fields: ClassVar[tuple[str, ...]] = ("layers",)

    layers: Size = Field(description="number of layers")
    growth_rate: Size = Field(32, description="channels that each layer adds")
    bottleneck: int = Field(4, ge=0, description="channels of the 1x1 convolution, in growth rates; 0 for none")
    dropout: Rate = Field(0.0, description="share of the new channels' values that is dropped while training")
    norm: Norm = Field(BATCH_NORM, description="normalisation before every convolution")
    act: Act = Field(RELU, description="activation before every convolution")

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        x = inputs[0]
        narrow = self._conv(self.bottleneck * self.growth_rate, 1) if self.bottleneck else None
        grow, last = self._conv(self.growth_rate, 3), "conv2" if self.bottleneck else "conv1"
        for number in range(1, self.layers + 1):
            name, y = f"layer{number}", x
            if narrow is not None:
                why = {"filters": f"bottleneck {self.bottleneck} x growth_rate {self.growth_rate}"}
                y = build(narrow, y, id=f"{name}.conv1", why=why)
            why = {"filters": f"growth_rate {self.growth_rate}"}
            y = build(grow, y, id=f"{name}.{last}", why=why)
            if self.dropout:
                y = build(Dropout(rate=self.dropout), y, id=f"{name}.dropout")
            x = build(Concat(), x, y, id=f"{name}.concat")
        return x

    def _conv(self, filters: int, kernel: int) -> ConvBlock:
        return ConvBlock(filters=filters, kernel=kernel, stride=1, groups=1, norm=self.norm, act=self.act, bias=False,
                         order="norm_act_weight")  # fmt: skip
