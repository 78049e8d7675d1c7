"""Bottleneck residual block of the ResNets."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from cnnspec.blocks.base import Builder, Value
from cnnspec.blocks.conv import ConvBlock
from cnnspec.fields import Pair, Size, Sizes
from cnnspec.ops.activation import Activation
from cnnspec.ops.base import Op
from cnnspec.residuals import ResNetBlock
from cnnspec.schema import either


class Bottleneck(ResNetBlock):
    """A 1x1 convolution that narrows, a 3x3 (grouped for ResNeXt), a 1x1 that widens, and a shortcut.

    The inner width is `int(filters x base_width / 64) x groups`, or `widths` of the first two convolutions.

    **Shape**: `[H, W, C] -> [H / stride, W / stride, filters x expansion]`, rounded up.
    **Errors**: E203 the shortcut does not fit.
    **Example**:

    ```yaml
    input: {height: 56, width: 56, channels: 64}
    layers:
      - {repeat: 3, bottleneck: {filters: 64, groups: 32, base_width: 4}}
    ```

    **Source**: He et al. 2016, figure 5 right, arXiv:1512.03385; groups: figure 3c, arXiv:1611.05431; width:
    arXiv:1605.07146; pre-activation: figure 4e, arXiv:1603.05027.
    """

    key: ClassVar[str] = "bottleneck"
    width_fields: ClassVar[tuple[str, ...]] = ("filters", "widths", "se.squeeze")
    grouped_fields: ClassVar[tuple[str, ...]] = ("widths",)

    expansion: Size = Field(4, description="output channels for each of `filters`")
    groups: Size = Field(1, description="groups of the 3x3 convolution: the cardinality of ResNeXt")
    base_width: Size = Field(64, description="inner channels a group, where `filters` is 64")
    widths: Sizes | None = Field(None, min_length=2, max_length=2, description="channels of the first two convolutions")
    stride_on: Literal["conv1", "conv2"] = Field(
        "conv2", description="which convolution has the stride: conv1 in the paper and keras, conv2 in torchvision"
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        either(self, "widths", "base_width")
        return self

    def inner(self) -> tuple[int, int]:
        """The channels of the first and the second convolution."""
        if self.widths is not None:
            return self.widths[0], self.widths[1]
        width = self.filters * self.base_width // 64 * self.groups
        return width, width

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        x, (narrow, middle) = inputs[0], self.inner()
        wide = self.filters * self.expansion
        strides = (self.stride, (1, 1)) if self.stride_on == "conv1" else ((1, 1), self.stride)
        source, y, act = x, x, self.act
        if self.preactivation:
            y = build(self.norm, y, id="norm") if self.norm is not None else y
            y = build(act, y, id="act") if act is not None else y
            changes = self.stride != (1, 1) or x.channels != wide
            source = y if self.shortcut == "projection" or (self.shortcut == "auto" and changes) else x
        grouped = f"filters {self.filters} x base_width {self.base_width} / 64 x groups {self.groups}"
        why = {"filters": grouped} if self.widths is None and narrow != self.filters else {}
        y = build(self._conv(narrow, 1, strides[0], 1, 1), y, id="conv1", why=why)
        y = build(self._conv(middle, 3, strides[1], self.groups, 2), y, id="conv2", why=why)
        why = {"filters": f"filters {self.filters} x expansion {self.expansion}"}
        y = build(self._conv(wide, 1, (1, 1), 1, 3), y, id="conv3", why=why)
        return self.join(build, source, y, self.shortcut, None if self.preactivation else act)

    def _conv(self, filters: int, kernel: int, stride: Pair, groups: int, position: int) -> ConvBlock:
        """One of the three convolutions, with its norm and activation where the variant has them."""
        norm: Op | None = self.last_norm() if position == 3 and not self.preactivation else self.norm
        act: Activation | None = self.act
        bias = self.bias_of(summed=position == 3)
        if self.preactivation:
            # The first convolution's norm and activation stand before it, at the head of the block.
            norm, act = (None, None) if position == 1 else (norm, act)
        elif position == 3:
            act = None
        order = "norm_act_weight" if self.preactivation else "weight_norm_act"
        return ConvBlock(
            filters=filters, kernel=kernel, stride=stride, groups=groups, norm=norm, act=act, order=order, **bias
        )
