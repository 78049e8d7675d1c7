"""Inception module."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cnnspec.blocks.base import Act, Block, Builder, Norm, Value
from cnnspec.blocks.conv import ConvBlock
from cnnspec.blocks.squeeze_excite import RELU
from cnnspec.diagnostics import Problem
from cnnspec.fields import HALF, Pair, Size
from cnnspec.ops.avg_pool import AvgPool
from cnnspec.ops.concat import Concat
from cnnspec.ops.max_pool import MaxPool
from cnnspec.schema import Spec


class Reduced(Spec):
    """A convolution behind a 1x1 convolution that narrows."""

    reduce: Size = Field(description="channels of the 1x1 convolution before it")
    filters: Size = Field(description="channels of the convolution")
    kernel: Pair | None = Field(None, description="its window; torchvision's 5x5 branch is 3x3")


class Inception(Block):
    """Branches side by side, joined along the channels: 1x1, 3x3 and 5x5 behind 1x1, a doubled 3x3, and a pool.

    A branch that is not given is not there. With a stride of 2 the module halves the map: the 1x1 branch then has no
    place, and the pool passes its input on (`pool: 0`).

    **Shape**: `[H, W, C] -> [H / stride, W / stride, sum of the branches]`.
    **Example**:

    ```yaml
    input: {height: 28, width: 28, channels: 192}
    layers:
      - inception: {conv1x1: 64, conv3x3: {reduce: 96, filters: 128}, conv5x5: {reduce: 16, filters: 32}, pool: 32}
    ```

    **Source**: Szegedy et al. 2015, figure 2b and table 1, arXiv:1409.4842; doubled 3x3 and stride: Ioffe and
    Szegedy 2015, table of figure 5, arXiv:1502.03167.
    """

    key: ClassVar[str] = "inception"
    width_fields: ClassVar[tuple[str, ...]] = (
        "conv1x1", "conv3x3.reduce", "conv3x3.filters", "conv5x5.reduce", "conv5x5.filters",
        "conv3x3_double.reduce", "conv3x3_double.filters", "pool",
    )  # fmt: skip

    conv1x1: Size | None = Field(None, description="channels of the 1x1 branch")
    conv3x3: Reduced | None = Field(None, description="the 3x3 branch")
    conv5x5: Reduced | None = Field(None, description="the 5x5 branch")
    conv3x3_double: Reduced | None = Field(None, description="the branch of two 3x3 convolutions")
    pool: int | None = Field(None, ge=0, description="channels of the projection after the pool; 0 for none")
    pool_kind: Literal["max", "avg"] = Field("max", description="max or average pool")
    pool_ceil: bool = Field(False, description="whether the pool rounds its output size up")
    stride: Pair = Field((1, 1), description="step of the last convolution of each branch, in pixels")
    norm: Norm = Field(None, description="normalisation of every convolution")
    act: Act = Field(RELU, description="activation of every convolution")

    def unfold(self, build: Builder, *inputs: Value) -> Value:
        x = inputs[0]
        found = []
        if self.conv1x1 is not None:
            found.append(build(self._conv(self.conv1x1, (1, 1), self.stride), x, id="branch1x1"))
        for name, branch, kernel in (("branch3x3", self.conv3x3, (3, 3)), ("branch5x5", self.conv5x5, (5, 5))):
            if branch is not None:
                y = build(self._conv(branch.reduce, (1, 1)), x, id=f"{name}_reduce")
                found.append(build(self._conv(branch.filters, branch.kernel or kernel, self.stride), y, id=name))
        if self.conv3x3_double is not None:
            double = self.conv3x3_double
            y = build(self._conv(double.reduce, (1, 1)), x, id="branch3x3_double_reduce")
            y = build(self._conv(double.filters, (3, 3)), y, id="branch3x3_double_1")
            found.append(build(self._conv(double.filters, (3, 3), self.stride), y, id="branch3x3_double_2"))
        if self.pool is not None:
            y = self._pool(build, x)
            found.append(build(self._conv(self.pool, (1, 1)), y, id="branch_pool") if self.pool else y)
        if not found:
            branches = "conv1x1, conv3x3, conv3x3_double, conv5x5 or pool"
            raise Problem("E102", "`inception` needs at least one branch", f"give it {branches}")
        return build(Concat(), *found, id="concat")

    def _conv(self, filters: int, kernel: Pair, stride: Pair = (1, 1)) -> ConvBlock:
        return ConvBlock(
            filters=filters,
            kernel=kernel,
            stride=stride,
            groups=1,
            norm=self.norm,
            act=self.act,
            order="weight_norm_act",
        )

    def _pool(self, build: Builder, x: Value) -> Value:
        fields = {"window": 3, "stride": self.stride, "ceil": self.pool_ceil}
        if self.stride == (1, 1):
            fields["padding"] = HALF
        pool = MaxPool(**fields) if self.pool_kind == "max" else AvgPool(**fields)
        return build(pool, x, id="pool")
