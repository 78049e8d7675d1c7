"""Linear layer with normalisation and activation."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from cnnspec.blocks.base import Act, Block, Builder, Norm, Order, Value, bias_by_default, weighted
from cnnspec.ops.linear import Linear, LinearFields


class LinearBlock(LinearFields, Block):
    """A linear layer with, where asked for, a normalisation and an activation.

    The kernel and bias stand under the block's own path, the normalisation under `norm`. The bias is left out
    beside a batch normalisation, unless asked for.

    **Shape**: `[C] -> [features]`.
    **Example**:

    ```yaml
    input: {features: 784}
    layers:
      - linear: {features: 100, act: relu}
    ```

    **Source**: Rosenblatt 1958.
    """

    key: ClassVar[str] = "linear"

    bias: bool | None = Field(None, description="whether a bias is added; by default where there is no batch norm")
    norm: Norm = Field(None, description="normalisation: batch, layer, none")
    act: Act = Field(None, description="activation by name")
    order: Order = Field("weight_norm_act", description="which comes first")

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        shared = {name: getattr(self, name) for name in LinearFields.model_fields if name in self.model_fields_set}
        bias = bias_by_default(self.norm) if self.bias is None else self.bias
        return weighted(build, Linear(**shared, bias=bias), inputs[0], norm=self.norm, act=self.act, order=self.order)
