"""Basic residual block of the ResNets."""

from __future__ import annotations

from typing import ClassVar

from cnnspec.blocks.base import Builder, Value
from cnnspec.blocks.conv import ConvBlock
from cnnspec.ops.activation import Activation
from cnnspec.residuals import ResNetBlock


class Basic(ResNetBlock):
    """Two 3x3 convolutions and a shortcut.

    **Shape**: `[H, W, C] -> [H / stride, W / stride, filters]`, rounded up.
    **Errors**: E203 the shortcut does not fit.
    **Example**:

    ```yaml
    input: {height: 56, width: 56, channels: 64}
    layers:
      - {repeat: 2, basic: {filters: 128}, first: {stride: 2}}
    ```

    **Source**: He et al. 2016, figure 5 left, arXiv:1512.03385; pre-activation: figure 1, arXiv:1603.05027.
    """

    key: ClassVar[str] = "basic"
    width_fields: ClassVar[tuple[str, ...]] = ("filters", "se.squeeze")

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        x = inputs[0]
        if self.preactivation:
            return self._preactivated(build, x)
        first = ConvBlock(filters=self.filters, kernel=3, stride=self.stride, groups=1, norm=self.norm, act=self.act,
                          order="weight_norm_act", **self.bias_of())  # fmt: skip
        second = ConvBlock(filters=self.filters, kernel=3, stride=1, groups=1, norm=self.last_norm(), act=None,
                           order="weight_norm_act", **self.bias_of(summed=True))  # fmt: skip
        y = build(first, x, id="conv1")
        y = build(second, y, id="conv2")
        return self.join(build, x, y, self.shortcut, self.act)

    def _preactivated(self, build: Builder, x: Value) -> Value:
        act: Activation | None = self.act
        y = build(self.norm, x, id="norm") if self.norm is not None else x
        y = build(act, y, id="act") if act is not None else y
        changes = self.stride != (1, 1) or x.channels != self.filters
        source = y if changes and self.shortcut in ("auto", "projection") else x
        y = build(ConvBlock(filters=self.filters, kernel=3, stride=self.stride, groups=1, norm=None, act=None,
                            order="weight_norm_act", **self.bias_of()), y, id="conv1")  # fmt: skip
        y = build(ConvBlock(filters=self.filters, kernel=3, stride=1, groups=1, norm=self.norm, act=act,
                            order="norm_act_weight", **self.bias_of(summed=True)), y, id="conv2")  # fmt: skip
        return self.join(build, source, y, self.shortcut, None)
