"""Convolution."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from cnnspec.diagnostics import Problem
from cnnspec.fields import HE_NORMAL, SAME, ZEROS, InitializerField, PaddingField, Pair, Size
from cnnspec.ops.base import Cost, Inputs, Op, Parameter, Run, Window, feature_map, slide
from cnnspec.schema import Spec, refuse
from cnnspec.types import TensorType


class ConvFields(Spec):
    """The fields that the op and the block share."""

    width_fields: ClassVar[tuple[str, ...]] = ("filters",)
    grouped_fields: ClassVar[tuple[str, ...]] = ("filters",)

    filters: Size | None = Field(None, description="output channels; may be left out for a depthwise convolution")
    kernel: Pair = Field((3, 3), description="window, in pixels")
    stride: Pair = Field((1, 1), description="step of the window, in pixels")
    dilation: Pair = Field((1, 1), description="spacing of the window's taps, in pixels")
    padding: PaddingField = Field(SAME, description="what surrounds the map")
    groups: Size = Field(1, description="groups of channels that are convolved apart")
    depthwise: bool = Field(False, description="one group a channel; `filters` then is channels x multiplier")
    multiplier: Size = Field(1, description="filters an input channel, of a depthwise convolution")
    kernel_init: InitializerField = Field(HE_NORMAL, description="how the kernel starts")
    bias_init: InitializerField = Field(ZEROS, description="how the bias starts")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.depthwise and self.groups != 1:
            raise refuse("groups", "stands beside `depthwise`, which makes every channel a group", "keep one of them")
        if self.multiplier != 1 and not self.depthwise:
            raise refuse("multiplier", "is of a depthwise convolution, and this is none", "add `depthwise: true`")
        return self


class Conv(ConvFields, Op):
    """Convolution of a feature map with learned kernels.

    **Shape**: `[H, W, C] -> [(H + pad - d(k - 1) - 1) / s + 1, ..., filters]`, rounded down.
    **Params**: `kernel [kh, kw, C / groups, filters]`, `bias [filters]`.
    **Errors**: E201 not a feature map, E202 window does not fit, E205 channels and groups, E109 contradictory fields.
    **Source**: LeCun et al. 1998, "Gradient-based learning applied to document recognition", section II.
    """

    key: ClassVar[str] = "conv"

    bias: bool = Field(True, description="whether a learned bias is added")

    def resolved_groups(self, x: TensorType) -> int:
        """The number of groups, which for a depthwise convolution is that of the channels."""
        return x.channels if self.depthwise else self.groups

    def resolved_filters(self, x: TensorType) -> int:
        """The number of output channels."""
        if self.depthwise:
            if self.filters is not None and self.filters != x.channels * self.multiplier:
                raise Problem(
                    "E109",
                    f"a depthwise convolution of {x.channels} channels with multiplier {self.multiplier} has "
                    f"{x.channels * self.multiplier} filters, not {self.filters}",
                    "leave `filters` out",
                    field="filters",
                )
            return x.channels * self.multiplier
        if self.filters is None:
            raise Problem("E102", "`conv` needs `filters`", "add `filters: 64`, the number of output channels")
        return self.filters

    def infer(self, *inputs: TensorType) -> TensorType:
        x = feature_map(inputs[0], self.key)
        filters, groups = self.resolved_filters(x), self.resolved_groups(x)
        for name, number in (("input channels", x.channels), ("filters", filters)):
            if number % groups:
                raise Problem(
                    "E205",
                    f"{number} {name} cannot be split into {groups} groups",
                    f"use a number of groups that divides {x.channels} and {filters}",
                    field="groups",
                    axis=2 if name == "input channels" else None,
                    operands=(0,),
                )
        pads = self.padding.resolve((x.height, x.width), self.kernel, self.stride, self.dilation)
        return x.with_shape(*slide(x, self.kernel, self.stride, self.dilation, pads), filters)

    def parameters(self, *inputs: TensorType) -> dict[str, Parameter]:
        x = inputs[0]
        filters, groups = self.resolved_filters(x), self.resolved_groups(x)
        taps = self.kernel[0] * self.kernel[1]
        fans = (taps * x.channels // groups, taps * filters // groups)
        found = {"kernel": Parameter((*self.kernel, x.channels // groups, filters), self.kernel_init, *fans)}
        if self.bias:
            found["bias"] = Parameter((filters,), self.bias_init, *fans)
        return found

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        x = inputs[0]
        macs = output.size * self.kernel[0] * self.kernel[1] * x.channels // self.resolved_groups(x)
        return Cost(macs, 2 * macs + (output.size if self.bias else 0))

    def sliding_window(self, *inputs: TensorType) -> Window:
        return Window(self.kernel, self.stride, self.dilation)

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        if axis == 2:
            return (
                f"{inputs[0].channels} channels x multiplier {self.multiplier}"
                if self.depthwise
                else f"filters {self.filters}"
            )
        return f"{inputs[0].shape[axis]} with kernel {self.kernel[axis]}, stride {self.stride[axis]}"

    def geometry(self, x: Any, kernel: Any) -> Any:
        """Strides, padding, dilation and groups for arrays of these shapes."""
        from cnnspec.lower.forms.conv import Geometry

        pads = self.padding.resolve(x.shape[1:3], self.kernel, self.stride, self.dilation)
        return Geometry(self.stride, pads, self.dilation, x.shape[-1] // kernel.shape[2])

    def lower(self, run: Run, *inputs: Any) -> Any:
        from cnnspec.lower.forms.table import compute

        x = inputs[0]
        kernel = run.param("kernel").astype(x.dtype)
        layout = run.layout("kernel")
        geometry = self.geometry(x, kernel)
        y = compute(run.form, x, kernel, geometry, None if layout is None else layout.astype(x.dtype))
        return y + run.param("bias").astype(y.dtype) if self.bias else y
