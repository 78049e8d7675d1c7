"""Transposed convolution."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from cnnspec.diagnostics import Problem
from cnnspec.fields import HE_NORMAL, SAME, ZEROS, InitializerField, PaddingField, Pair, Size
from cnnspec.ops.base import Cost, Inputs, Op, Parameter, Run, feature_map
from cnnspec.types import TensorType


class ConvTranspose(Op):
    """The gradient of a convolution as a layer: enlarges a feature map with learned kernels.

    **Shape**: `[H, W, C] -> [(H - 1) s - pad + d(k - 1) + 1 + output_padding, ..., filters]`; with `same`, `[H s, W s]`.
    **Params**: `kernel [kh, kw, C / groups, filters]`, `bias [filters]`.
    **Errors**: E201 not a feature map, E202 nothing would be left, E205 channels and groups.
    **Source**: Zeiler et al. 2010, "Deconvolutional networks"; shape rule: Dumoulin and Visin 2016, arXiv:1603.07285.
    """

    key: ClassVar[str] = "conv_transpose"
    width_fields: ClassVar[tuple[str, ...]] = ("filters",)
    grouped_fields: ClassVar[tuple[str, ...]] = ("filters",)

    filters: Size = Field(description="output channels")
    kernel: Pair = Field((3, 3), description="window, in pixels")
    stride: Pair = Field((1, 1), description="enlargement")
    dilation: Pair = Field((1, 1), description="spacing of the window's taps, in pixels")
    padding: PaddingField = Field(SAME, description="what is cut from the border")
    output_padding: int = Field(0, ge=0, description="pixels added at bottom and right")
    groups: Size = Field(1, description="groups of channels that are convolved apart")
    bias: bool = Field(True, description="whether a learned bias is added")
    kernel_init: InitializerField = Field(HE_NORMAL, description="how the kernel starts")
    bias_init: InitializerField = Field(ZEROS, description="how the bias starts")

    def cuts(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """What is cut from each side of the full output."""
        if self.padding.rule != "same":
            return self.padding.resolve((1, 1), self.kernel, self.stride, self.dilation)
        cuts = []
        for window, step, spread in zip(self.kernel, self.stride, self.dilation, strict=True):
            total = (window - 1) * spread + 1 - step
            cuts.append((total // 2, total - total // 2))
        return (cuts[0], cuts[1])

    def infer(self, *inputs: TensorType) -> TensorType:
        x = feature_map(inputs[0], self.key)
        for name, number in (("input channels", x.channels), ("filters", self.filters)):
            if number % self.groups:
                raise Problem("E205", f"{number} {name} cannot be split into {self.groups} groups",
                              "use a number of groups that divides both", field="groups", axis=2, operands=(0,))  # fmt: skip
        sizes = []
        for length, window, step, spread, (before, after) in zip(
            x.shape[:2], self.kernel, self.stride, self.dilation, self.cuts(), strict=True
        ):
            sizes.append((length - 1) * step + (window - 1) * spread + 1 - before - after + self.output_padding)
        if min(sizes) < 1:
            raise Problem("E202", f"nothing is left of a map of {x.plain}", "use less padding", field="padding",
                          axis=0, operands=(0,))  # fmt: skip
        return x.with_shape(*sizes, self.filters)

    def parameters(self, *inputs: TensorType) -> dict[str, Parameter]:
        channels, taps = inputs[0].channels, self.kernel[0] * self.kernel[1]
        fans = (taps * channels // self.groups, taps * self.filters // self.groups)
        shape = (*self.kernel, channels // self.groups, self.filters)
        found = {"kernel": Parameter(shape, self.kernel_init, *fans)}
        return found | ({"bias": Parameter((self.filters,), self.bias_init, *fans)} if self.bias else {})

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        macs = inputs[0].size * self.kernel[0] * self.kernel[1] * self.filters // self.groups
        return Cost(macs, 2 * macs + (output.size if self.bias else 0))

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        return f"filters {self.filters}" if axis == 2 else f"{inputs[0].shape[axis]} with stride {self.stride[axis]}"

    def lower(self, run: Run, *inputs: Any) -> Any:
        from jax import lax

        x = inputs[0]
        pads = []
        for window, spread, (before, after) in zip(self.kernel, self.dilation, self.cuts(), strict=True):
            extent = (window - 1) * spread
            pads.append((extent - before, extent - after + self.output_padding))
        y = lax.conv_general_dilated(
            x, run.param("kernel").astype(x.dtype)[::-1, ::-1], (1, 1), pads, lhs_dilation=self.stride,
            rhs_dilation=self.dilation, dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=self.groups,
        )  # fmt: skip
        return y + run.param("bias").astype(y.dtype) if self.bias else y
