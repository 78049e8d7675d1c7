"""Group normalisation."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from cnnspec.diagnostics import Problem
from cnnspec.fields import ONES, ZEROS, InitializerField, Positive, Size
from cnnspec.ops.base import Cost, Inputs, Op, Parameter, Run, feature_map
from cnnspec.types import TensorType


class GroupNorm(Op):
    """Normalises every image by the mean and variance of groups of its channels.

    **Shape**: unchanged.
    **Params**: `scale [C]`, `bias [C]`.
    **Errors**: E201 not a feature map, E205 the channels cannot be split into so many groups.
    **Source**: Wu and He 2018, arXiv:1803.08494.
    """

    key: ClassVar[str] = "group_norm"
    full_precision: ClassVar[bool] = True

    groups: Size = Field(32, description="groups of channels")
    epsilon: Positive = Field(1e-5, description="added to the variance")
    scale: bool = Field(True, description="whether a learned scale multiplies")
    bias: bool = Field(True, description="whether a learned bias is added")
    scale_init: InitializerField = Field(ONES, description="how the scale starts")
    bias_init: InitializerField = Field(ZEROS, description="how the bias starts")

    def infer(self, *inputs: TensorType) -> TensorType:
        x = feature_map(inputs[0], self.key)
        if x.channels % self.groups:
            raise Problem(
                "E205",
                f"{x.channels} channels cannot be split into {self.groups} groups",
                f"use a number of groups that divides {x.channels}",
                field="groups",
                axis=2,
                operands=(0,),
            )
        return x

    def parameters(self, *inputs: TensorType) -> dict[str, Parameter]:
        shape = (inputs[0].channels,)
        found = {"scale": Parameter(shape, self.scale_init)} if self.scale else {}
        return found | ({"bias": Parameter(shape, self.bias_init)} if self.bias else {})

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return Cost(0, output.size * (7 + self.scale + self.bias))

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax.numpy as jnp
        from jax import lax

        x = inputs[0].astype(jnp.float32)
        n, height, width, channels = x.shape
        grouped = x.reshape(n, height, width, self.groups, channels // self.groups)
        centred = grouped - grouped.mean((1, 2, 4), keepdims=True)
        variance = jnp.square(centred).mean((1, 2, 4), keepdims=True)
        y = (centred * lax.rsqrt(variance + self.epsilon)).reshape(x.shape)
        y = y * run.param("scale") if self.scale else y
        y = y + run.param("bias") if self.bias else y
        return y.astype(inputs[0].dtype)
