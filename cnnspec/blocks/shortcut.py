"""Shortcut of a residual."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cnnspec.blocks.base import Block, Builder, Norm, Value
from cnnspec.blocks.conv import ConvBlock
from cnnspec.diagnostics import Problem
from cnnspec.fields import Pair, Size
from cnnspec.ops.avg_pool import AvgPool
from cnnspec.ops.batch_norm import BatchNorm
from cnnspec.ops.max_pool import MaxPool
from cnnspec.ops.pad import Pad

BATCH_NORM = BatchNorm()

#: `auto` is the identity where nothing changes and a projection where it does; `pad` is the paper's option A.
Kind = Literal["auto", "identity", "projection", "pad", "pool"]


class Shortcut(Block):
    """Brings the input of a residual to the shape of its body's output.

    `identity` leaves it; `projection` is a strided 1x1 convolution; `pad` takes every other pixel and adds channels of
    zeros; `pool` takes every other pixel; `auto` is the identity where nothing changes, and else the projection.

    **Shape**: `[H, W, C] -> [H / stride, W / stride, filters]`, rounded up.
    **Errors**: E203 the identity would change the shape.
    **Example**:

    ```yaml
    input: {height: 16, width: 16, channels: 64}
    layers:
      - shortcut: {filters: 128, stride: 2, kind: pad}
    ```

    **Source**: He et al. 2016, section 3.3, options A to C, arXiv:1512.03385.
    """

    key: ClassVar[str] = "shortcut"
    width_fields: ClassVar[tuple[str, ...]] = ("filters",)

    filters: Size = Field(description="output channels")
    stride: Pair = Field((1, 1), description="step, in pixels")
    kind: Kind = Field("auto", description="auto, identity, projection, pad or pool")
    kernel: Pair = Field((1, 1), description="window of the projection, in pixels")
    norm: Norm = Field(BATCH_NORM, description="normalisation of the projection")
    bias: bool | None = Field(None, description="whether the projection has a bias")

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        x = inputs[0]
        changes = self.stride != (1, 1) or x.channels != self.filters
        kind = self.kind if self.kind != "auto" else "projection" if changes else "identity"
        if kind == "projection":
            given = {} if self.bias is None else {"bias": self.bias}
            conv = ConvBlock(filters=self.filters, kernel=self.kernel, stride=self.stride, groups=1, norm=self.norm,
                             act=None, order="weight_norm_act", **given)  # fmt: skip
            return build(conv, x, why={"filters": f"{self.filters} channels of what it is added to"})
        if kind == "identity" and changes:
            raise Problem(
                "E203",
                f"an identity shortcut cannot turn {x.type.plain} into {self.filters} channels at stride {self.stride[0]}",
                "use `shortcut: projection` (a strided 1x1 convolution) or `shortcut: pad`",
                field="shortcut",
                operands=(0,),
            )
        if kind == "pool" and self.stride != (1, 1):
            x = build(MaxPool(window=1, stride=self.stride), x, id="subsample")
        if kind == "pad" and self.stride != (1, 1):
            x = build(AvgPool(window=1, stride=self.stride), x, id="subsample")
        if kind == "pad" and self.filters > x.channels:
            x = build(Pad(padding=0, channels=self.filters - x.channels), x, id="pad")
        return x
