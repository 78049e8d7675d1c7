"""Local response normalisation."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from cnnspec.fields import Positive, Size
from cnnspec.ops.base import Cost, Inputs, Op, Run, feature_map
from cnnspec.types import TensorType


class LocalResponseNorm(Op):
    """Divides every value by a power of the sum of squares of its neighbours across channels.

    y = x / (k + a * sum of x^2 over `size` channels) ^ beta, with a = alpha as the paper and TensorFlow have it, or
    with `divide_by_size` a = alpha / size as Caffe and torch have it.

    **Shape**: unchanged.
    **Params**: none.
    **Errors**: E201 not a feature map.
    **Source**: Krizhevsky et al. 2012, section 3.3 (k = 2, size = 5, alpha = 1e-4, beta = 0.75).
    """

    key: ClassVar[str] = "local_response_norm"
    full_precision: ClassVar[bool] = True

    size: Size = Field(5, description="channels that are summed over, centred on the own one")
    alpha: Positive = Field(1e-4, description="weight of the squares")
    beta: Positive = Field(0.75, description="the power")
    k: float = Field(2.0, description="added to the sum")
    divide_by_size: bool = Field(False, description="whether alpha is divided by the size")

    def infer(self, *inputs: TensorType) -> TensorType:
        return feature_map(inputs[0], self.key)

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return Cost(0, output.size * (self.size + 4))

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax.numpy as jnp
        from jax import lax

        x = inputs[0].astype(jnp.float32)
        before = self.size // 2
        around = ((0, 0), (0, 0), (0, 0), (before, self.size - 1 - before))
        total = lax.reduce_window(jnp.square(x), 0.0, lax.add, (1, 1, 1, self.size), (1, 1, 1, 1), around)
        alpha = self.alpha / self.size if self.divide_by_size else self.alpha
        return (x / jnp.power(self.k + alpha * total, self.beta)).astype(inputs[0].dtype)
