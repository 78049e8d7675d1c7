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

        from cnnspec.lower.forms import norm

        x = inputs[0].astype(jnp.float32)
        scale = run.param("scale") if self.scale else jnp.ones(x.shape[-1])
        bias = run.param("bias") if self.bias else jnp.zeros(x.shape[-1])
        mean, var = run.state("mean"), run.state("var")
        if not run.train:
            return norm.normalised(x, mean, var, scale, bias, self.epsilon).astype(inputs[0].dtype)
        y, batch_mean, batch_var = norm.compute(run.form, x, scale, bias, self.epsilon)
        count = x.size // x.shape[-1]
        taken = batch_var * (count / max(count - 1, 1)) if self.running_variance == "unbiased" else batch_var
        run.update("mean", self.momentum * mean + (1 - self.momentum) * batch_mean)
        run.update("var", self.momentum * var + (1 - self.momentum) * taken)
        return y.astype(inputs[0].dtype)
