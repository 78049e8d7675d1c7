"""What residual blocks share: fields, and how a body and a shortcut are joined."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cnnspec.blocks.base import Act, Block, Builder, Norm, Value
from cnnspec.blocks.shortcut import BATCH_NORM, Kind, Shortcut
from cnnspec.blocks.squeeze_excite import RELU, SqueezeExcite
from cnnspec.fields import ZEROS, Fraction, Pair, Size
from cnnspec.ops.activation import Activation
from cnnspec.ops.add import Add
from cnnspec.ops.base import Op
from cnnspec.ops.drop_path import DropPath
from cnnspec.schema import Spec


class Survival(Spec):
    """The chance that the body of a residual is kept while training."""

    chance_fields: ClassVar[tuple[str, ...]] = ("survival",)

    survival: Fraction = Field(1.0, gt=0.0, description="probability that the body is kept while training")
    survival_per: Literal["sample", "batch"] = Field("sample", description="drawn for each image, or for the batch")
    survival_inference: Literal["rescale", "expected"] = Field(
        "rescale", description="scale up survivors while training, or down at inference as the paper does"
    )

    def drop(self, build: Builder, x: Value) -> Value:
        """The body's output, dropped at random where it may be."""
        if self.survival == 1:
            return x
        rate = 1 - self.survival
        return build(DropPath(rate=rate, per=self.survival_per, inference=self.survival_inference), x, id="drop_path")


class ResNetBlock(Survival, Block):
    """What the basic and the bottleneck block of the ResNets share."""

    filters: Size = Field(description="channels of the inner convolutions")
    stride: Pair = Field((1, 1), description="step, in pixels")
    shortcut: Literal["auto", "identity", "projection", "pad", "pool", "none"] = Field(
        "auto", description="how the input joins; `none` makes the plain network that the paper compares with"
    )
    shortcut_kernel: Pair = Field((1, 1), description="window of a projection, in pixels")
    preactivation: bool = Field(False, description="norm and activation before each convolution (ResNet v2)")
    se: SqueezeExcite | None = Field(None, description="squeeze-excite before the sum")
    norm: Norm = Field(BATCH_NORM, description="normalisation of every convolution")
    act: Act = Field(RELU, description="activation")
    bias: bool | None = Field(
        None, description="whether the convolutions have biases; by default where there is no norm"
    )
    sum_bias: bool | None = Field(
        None,
        description="the same for the last convolution and the projection, whose sum is not normalised in ResNet v2",
    )
    zero_init_last: bool = Field(False, description="the last norm's scale starts at zero, the block as its shortcut")

    def last_norm(self) -> Op | None:
        """The normalisation of the last convolution of the body."""
        norm: Op | None = self.norm
        if norm is None or not self.zero_init_last:
            return norm
        return norm.model_copy(update={"scale_init": ZEROS})

    def bias_of(self, summed: bool = False) -> dict[str, bool]:
        """The field `bias` of a convolution, of one that is summed, where it is not left to the convolution."""
        bias = self.sum_bias if summed and self.sum_bias is not None else self.bias
        # A pre-activated block has no norm after its convolutions, and no biases for all that.
        return {"bias": bool(bias)} if self.preactivation or bias is not None else {}

    def join(
        self, build: Builder, x: Value, y: Value, kind: Kind | Literal["none"], last_act: Activation | None
    ) -> Value:
        """The body's output `y` with squeeze-excite, drop path, the shortcut of `x` and the merge activation."""
        if self.se is not None:
            y = build(self.se, y, id="se")
        y = self.drop(build, y)
        if kind != "none":
            # A pre-activated projection stands alone, without a norm of its own.
            shortcut = Shortcut(filters=y.channels, stride=self.stride, kind=kind, kernel=self.shortcut_kernel,
                                norm=None if self.preactivation else self.norm, **self.bias_of(summed=True))  # fmt: skip
            y = build(Add(), y, build(shortcut, x, id="shortcut"), id="add")
        return build(last_act, y, id="act") if last_act is not None else y
