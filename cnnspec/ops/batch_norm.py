"""Batch normalisation."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from cnnspec.fields import ONES, ZEROS, Fraction, InitializerField, Positive
from cnnspec.ops.base import Cost, Inputs, Op, Parameter, Run
from cnnspec.types import TensorType


class BatchNorm(Op):
    """Normalises every channel by its mean and variance: of the batch in training, running ones at inference.

    `momentum` counts as in Flax and Keras: new = momentum * old + (1 - momentum) * batch (torch's is 1 minus it).
    The batch is always normalised by its biased variance; `running_variance` says which one the running average
    takes up: `biased` as in Flax and Keras, `unbiased` as in torch.

    **Shape**: unchanged.
    **Params**: `scale [C]`, `bias [C]`; state `mean [C]`, `var [C]`.
    **Source**: Ioffe and Szegedy 2015, algorithm 1 and 2, arXiv:1502.03167.
    """

    key: ClassVar[str] = "batch_norm"
    full_precision: ClassVar[bool] = True

    epsilon: Positive = Field(1e-5, description="added to the variance")
    momentum: Fraction = Field(0.9, description="share of the old running statistics that a step keeps")
    scale: bool = Field(True, description="whether a learned scale multiplies")
    bias: bool = Field(True, description="whether a learned bias (shift) is added")
    running_variance: Literal["biased", "unbiased"] = Field("biased", description="what the running average takes up")
    scale_init: InitializerField = Field(ONES, description="how the scale starts")
    bias_init: InitializerField = Field(ZEROS, description="how the bias starts")

    def infer(self, *inputs: TensorType) -> TensorType:
        return inputs[0]

    def parameters(self, *inputs: TensorType) -> dict[str, Parameter]:
        shape = (inputs[0].channels,)
        found = {}
        if self.scale:
            found["scale"] = Parameter(shape, self.scale_init)
        if self.bias:
            found["bias"] = Parameter(shape, self.bias_init)
        found["mean"] = Parameter(shape, ZEROS, trainable=False)
        found["var"] = Parameter(shape, ONES, trainable=False)
        return found

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return Cost(0, output.size * (2 + self.scale + self.bias))

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax.numpy as jnp
        from jax import lax

        x = inputs[0].astype(jnp.float32)
        mean, var = run.state("mean"), run.state("var")
        if run.train:
            axes = tuple(range(x.ndim - 1))
            count = x.size // x.shape[-1]
            old_mean, old_var = mean, var
            mean = x.mean(axes)
            var = jnp.square(x - mean).mean(axes)
            taken = var * (count / max(count - 1, 1)) if self.running_variance == "unbiased" else var
            run.update("mean", self.momentum * old_mean + (1 - self.momentum) * mean)
            run.update("var", self.momentum * old_var + (1 - self.momentum) * taken)
        factor = lax.rsqrt(var + self.epsilon)
        if self.scale:
            factor = factor * run.param("scale")
        y = (x - mean) * factor
        if self.bias:
            y = y + run.param("bias")
        return y.astype(inputs[0].dtype)
