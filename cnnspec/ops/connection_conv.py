"""Convolution with a connection table."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from cnnspec.diagnostics import Problem
from cnnspec.fields import LECUN_NORMAL, VALID, ZEROS, InitializerField, PaddingField, Pair
from cnnspec.ops.base import Cost, Inputs, Op, Parameter, Run, Window, feature_map, slide
from cnnspec.types import TensorType


def _table(value: Any) -> tuple[tuple[int, ...], ...]:
    right = (
        isinstance(value, list | tuple)
        and value
        and all(
            isinstance(row, list | tuple) and row and all(isinstance(i, int) and i >= 0 for i in row) for row in value
        )
    )
    if not right or any(len(set(row)) != len(row) for row in value):
        raise PydanticCustomError("table_type", "should be a list, for each filter, of the input channels that it sees")
    return tuple(tuple(row) for row in value)


class ConnectionConv(Op):
    """A convolution in which every filter sees only the input channels that a table gives it.

    Only the connections of the table have weights, and only they are counted.

    **Shape**: `[H, W, C] -> [(H + pad - k) / s + 1, ..., rows of the table]`.
    **Params**: `kernel [kh, kw, connections]` in the order of the table, `bias [filters]`.
    **Errors**: E201 not a feature map, E202 window does not fit, E104 the table names a channel that is not there.
    **Source**: LeCun et al. 1998, section II.B, table 1.
    """

    key: ClassVar[str] = "connection_conv"

    table: Annotated[
        tuple[tuple[int, ...], ...],
        BeforeValidator(_table),
        PlainSerializer(lambda rows: [list(row) for row in rows]),
        WithJsonSchema({"type": "array", "items": {"type": "array", "items": {"type": "integer", "minimum": 0}}}),
    ] = Field(description="for each filter, the input channels that it sees, counted from 0")
    kernel: Pair = Field((3, 3), description="window, in pixels")
    stride: Pair = Field((1, 1), description="step of the window, in pixels")
    padding: PaddingField = Field(VALID, description="what surrounds the map")
    bias: bool = Field(True, description="whether a learned bias is added")
    kernel_init: InitializerField = Field(LECUN_NORMAL, description="how the kernel starts")
    bias_init: InitializerField = Field(ZEROS, description="how the bias starts")

    @property
    def connections(self) -> int:
        return sum(len(row) for row in self.table)

    def infer(self, *inputs: TensorType) -> TensorType:
        x = feature_map(inputs[0], self.key)
        most = max(max(row) for row in self.table)
        if most >= x.channels:
            raise Problem("E104", f"the table names channel {most}, and the input has {x.channels}",
                          f"use channels from 0 to {x.channels - 1}", field="table", axis=2, operands=(0,))  # fmt: skip
        pads = self.padding.resolve((x.height, x.width), self.kernel, self.stride, (1, 1))
        return x.with_shape(*slide(x, self.kernel, self.stride, (1, 1), pads), len(self.table))

    def parameters(self, *inputs: TensorType) -> dict[str, Parameter]:
        taps = self.kernel[0] * self.kernel[1]
        fans = (taps * self.connections // len(self.table), taps * self.connections // inputs[0].channels)
        found = {"kernel": Parameter((*self.kernel, self.connections), self.kernel_init, *fans)}
        return found | ({"bias": Parameter((len(self.table),), self.bias_init, *fans)} if self.bias else {})

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        macs = output.height * output.width * self.kernel[0] * self.kernel[1] * self.connections
        return Cost(macs, 2 * macs + (output.size if self.bias else 0))

    def sliding_window(self, *inputs: TensorType) -> Window:
        return Window(self.kernel, self.stride)

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        if axis == 2:
            return f"{len(self.table)} rows of the table"
        return f"{inputs[0].shape[axis]} with kernel {self.kernel[axis]}, stride {self.stride[axis]}"

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax.numpy as jnp
        from jax import lax

        x = inputs[0]
        weights = run.param("kernel").astype(x.dtype)
        pairs = [(channel, number) for number, row in enumerate(self.table) for channel in row]
        channels, filters = (jnp.asarray(side) for side in zip(*pairs, strict=True))
        dense = (
            jnp.zeros((*self.kernel, x.shape[-1], len(self.table)), x.dtype).at[:, :, channels, filters].set(weights)
        )
        pads = self.padding.resolve(x.shape[1:3], self.kernel, self.stride, (1, 1))
        y = lax.conv_general_dilated(x, dense, self.stride, pads, dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return y + run.param("bias").astype(y.dtype) if self.bias else y
