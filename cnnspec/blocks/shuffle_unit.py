"""Unit of ShuffleNet v2."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from cnnspec.blocks.base import Act, Block, Builder, Norm, Value
from cnnspec.blocks.conv import ConvBlock
from cnnspec.blocks.shortcut import BATCH_NORM
from cnnspec.blocks.squeeze_excite import RELU
from cnnspec.diagnostics import Problem
from cnnspec.fields import Pair, Size
from cnnspec.ops.activation import Activation
from cnnspec.ops.channel_shuffle import ChannelShuffle
from cnnspec.ops.concat import Concat
from cnnspec.ops.split import Split


class ShuffleUnit(Block):
    """Half of the channels pass, half go through 1x1, depthwise and 1x1 convolutions; then both are shuffled.

    With a stride of 2 both halves are convolved from the whole input.

    **Shape**: `[H, W, C] -> [H / stride, W / stride, filters]`, rounded up.
    **Errors**: E109 channels that change without a stride, E205 an odd number of channels.
    **Example**:

    ```yaml
    input: {height: 28, width: 28, channels: 24}
    layers:
      - {repeat: 4, shuffle_unit: {filters: 116}, first: {stride: 2}}
    ```

    **Source**: Ma et al. 2018, figure 3c and 3d, arXiv:1807.11164.
    """

    key: ClassVar[str] = "shuffle_unit"
    width_fields: ClassVar[tuple[str, ...]] = ("filters",)

    filters: Size = Field(description="output channels, an even number")
    kernel: Pair = Field((3, 3), description="window of the depthwise convolutions, in pixels")
    stride: Pair = Field((1, 1), description="step of the depthwise convolutions, in pixels")
    norm: Norm = Field(BATCH_NORM, description="normalisation of every convolution")
    act: Act = Field(RELU, description="activation of the 1x1 convolutions")

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        x, half = inputs[0], self.filters // 2
        if self.filters % 2:
            raise Problem("E205", f"{self.filters} filters cannot be split into 2 halves", "use an even number",
                          field="filters")  # fmt: skip
        why = {"filters": f"filters {self.filters} / 2"}
        if self.stride == (1, 1):
            if x.channels != self.filters:
                raise Problem("E109", f"{x.channels} channels cannot become {self.filters} at stride 1",
                              "give the first unit of a stage a stride of 2, or keep the channels", field="filters")  # fmt: skip
            halves = build(Split(parts=2), x, id="split")
            left, right = halves.port(0), halves.port(1)
        else:
            left = build(self._depthwise(), x, id="left.depthwise")
            left = build(self._pointwise(half), left, id="left.conv", why=why)
            right = x
        right = build(self._pointwise(half), right, id="right.conv1", why=why)
        right = build(self._depthwise(), right, id="right.depthwise")
        right = build(self._pointwise(half), right, id="right.conv2", why=why)
        return build(ChannelShuffle(groups=2), build(Concat(), left, right, id="concat"), id="shuffle")

    def _depthwise(self) -> ConvBlock:
        return ConvBlock(depthwise=True, kernel=self.kernel, stride=self.stride, norm=self.norm, act=None,
                         order="weight_norm_act")  # fmt: skip

    def _pointwise(self, filters: int) -> ConvBlock:
        act: Activation | None = self.act
        return ConvBlock(
            filters=filters, kernel=1, stride=1, groups=1, norm=self.norm, act=act, order="weight_norm_act"
        )
