"""Average pooling."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from cnnspec.ops.base import Cost, Inputs, Run
from cnnspec.pooling import Pool
from cnnspec.types import TensorType


class AvgPool(Pool):
    """The mean of every window.

    A window that reaches over the border divides by the pixels of the map that it covers (Keras, TensorFlow), or with
    `count_padding` by those of the padding too (torch's default); what `ceil` hangs over is never counted.

    **Shape**: `[H, W, C] -> [(H + pad - window) / stride + 1, ..., C]`, rounded down, or up with `ceil`.
    **Params**: none.
    **Errors**: E201 not a feature map, E202 the window does not fit.
    **Source**: LeCun et al. 1998, section II.
    """

    key: ClassVar[str] = "avg_pool"

    count_padding: bool = Field(False, description="whether padding counts in the mean, as zeros")

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return Cost(0, output.size * self.window[0] * self.window[1])

    def divisors(self, size: tuple[int, int], x: Any) -> Any:
        """How many pixels each window divides by: an array [out height, out width, 1]."""
        import numpy as np

        pads, over = self.borders(x)
        counts = []
        for length, window, step, (before, after), (_, reach) in zip(
            size, self.window, self.step, pads, over, strict=True
        ):
            real = np.zeros(before + length + reach, np.float32)
            real[before : before + length] = 1
            if self.count_padding:
                real[: before + length + after] = 1
            starts = np.arange(0, len(real) - window + 1, step)
            counts.append(np.array([real[s : s + window].sum() for s in starts], np.float32))
        return np.maximum(counts[0][:, None, None] * counts[1][None, :, None], 1)

    def lower(self, run: Run, *inputs: Any) -> Any:
        import jax.numpy as jnp

        from cnnspec.lower.forms.pool import sum_pool

        x = inputs[0]
        _, over = self.borders(x)
        total = sum_pool(x, self.window, self.step, over, run.form)
        divisors = self.divisors(x.shape[1:3], x)
        if (divisors == divisors.flat[0]).all():
            return total * jnp.asarray(1 / float(divisors.flat[0]), x.dtype)
        return total / jnp.asarray(divisors, x.dtype)
