"""Prediction vectors of capsules."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from cnnspec.fields import InitializerField, Size, initializer
from cnnspec.ops.base import Cost, Inputs, Op, Parameter, Run
from cnnspec.ops.squash import capsules
from cnnspec.types import TensorType


class CapsulePrediction(Op):
    """What every capsule predicts of every capsule above: u_hat[i, j] = W[i, j] u[i].

    **Shape**: `[n, d] -> [n, capsules, dimensions]`.
    **Params**: `kernel [n, capsules, d, dimensions]`.
    **Errors**: E201 not capsules.
    **Source**: Sabour, Frosst and Hinton 2017, equation 2, arXiv:1710.09829.
    """

    key: ClassVar[str] = "capsule_prediction"

    capsules: Size = Field(description="capsules above")
    dimensions: Size = Field(description="dimensions of each")
    kernel_init: InitializerField = Field(
        initializer({"normal": {"stddev": 0.1}}), description="how the matrices start"
    )

    def infer(self, *inputs: TensorType) -> TensorType:
        x = capsules(inputs[0], self.key)
        return x.with_shape(x.shape[0], self.capsules, self.dimensions)

    def parameters(self, *inputs: TensorType) -> dict[str, Parameter]:
        count, length = inputs[0].shape
        shape = (count, self.capsules, length, self.dimensions)
        return {"kernel": Parameter(shape, self.kernel_init, length, self.dimensions)}

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        macs = inputs[0].size * self.capsules * self.dimensions
        return Cost(macs, 2 * macs)

    def origin(self, axis: int, *inputs: TensorType) -> str | None:
        return (f"{inputs[0].shape[0]} capsules", f"capsules {self.capsules}", f"dimensions {self.dimensions}")[axis]

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax.numpy as jnp

        x = inputs[0]
        return jnp.einsum("bid,ijde->bije", x, run.param("kernel").astype(x.dtype))
