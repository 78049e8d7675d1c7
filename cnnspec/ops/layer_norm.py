"""Layer normalisation."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from cnnspec.fields import ONES, ZEROS, InitializerField, Positive
from cnnspec.ops.base import Cost, Inputs, Op, Parameter, Run
from cnnspec.types import TensorType


class LayerNorm(Op):
    """Normalises every position by the mean and variance of its channels.

    **Shape**: unchanged.
    **Params**: `scale [C]`, `bias [C]`.
    **Source**: Ba, Kiros and Hinton 2016, arXiv:1607.06450; over channels: Liu et al. 2022, arXiv:2201.03545.
    """

    key: ClassVar[str] = "layer_norm"
    full_precision: ClassVar[bool] = True

    epsilon: Positive = Field(1e-6, description="added to the variance")
    scale: bool = Field(True, description="whether a learned scale multiplies")
    bias: bool = Field(True, description="whether a learned bias is added")
    scale_init: InitializerField = Field(ONES, description="how the scale starts")
    bias_init: InitializerField = Field(ZEROS, description="how the bias starts")

    def infer(self, *inputs: TensorType) -> TensorType:
        return inputs[0]

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
        centred = x - x.mean(-1, keepdims=True)
        y = centred * lax.rsqrt(jnp.square(centred).mean(-1, keepdims=True) + self.epsilon)
        y = y * run.param("scale") if self.scale else y
        y = y + run.param("bias") if self.bias else y
        return y.astype(inputs[0].dtype)
