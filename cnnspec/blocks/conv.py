"""Convolution with normalisation and activation."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from cnnspec.blocks.base import Act, Block, Builder, Norm, Order, Value, bias_by_default, weighted
from cnnspec.ops.conv import Conv, ConvFields


class ConvBlock(ConvFields, Block):
    """A convolution with, where asked for, a normalisation and an activation, in any of three orders.

    The kernel and bias stand under the block's own path, the normalisation under `norm`. The bias is left out
    beside a batch normalisation, unless asked for.

    **Shape**: that of the convolution.
    **Example**:

    ```yaml
    input: {height: 32, width: 32, channels: 3}
    layers:
      - conv: {filters: 64, kernel: 3, stride: 2, padding: half, norm: batch, act: relu}
    ```

    **Source**: order conv-norm-act: arXiv:1502.03167, section 3.2; norm-act-conv: arXiv:1603.05027, figure 1.
    """

    key: ClassVar[str] = "conv"

    bias: bool | None = Field(None, description="whether a bias is added; by default where there is no batch norm")
    norm: Norm = Field(None, description="normalisation: batch, layer, group, none")
    act: Act = Field(None, description="activation by name")
    order: Order = Field("weight_norm_act", description="which comes first")

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        shared = {name: getattr(self, name) for name in ConvFields.model_fields if name in self.model_fields_set}
        bias = bias_by_default(self.norm) if self.bias is None else self.bias
        return weighted(build, Conv(**shared, bias=bias), inputs[0], norm=self.norm, act=self.act, order=self.order)
