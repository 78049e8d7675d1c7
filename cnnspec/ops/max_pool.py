"""Max pooling."""

from __future__ import annotations

from typing import Any, ClassVar

from cnnspec.ops.base import Cost, Inputs, Run
from cnnspec.pooling import Pool
from cnnspec.types import TensorType


class MaxPool(Pool):
    """The largest value in every window; padding never wins.

    **Shape**: `[H, W, C] -> [(H + pad - window) / stride + 1, ..., C]`, rounded down, or up with `ceil`.
    **Params**: none.
    **Errors**: E201 not a feature map, E202 the window does not fit.
    **Source**: overlapping windows: Krizhevsky et al. 2012, section 3.4.
    """

    key: ClassVar[str] = "max_pool"

    def cost(self, inputs: Inputs, output: TensorType) -> Cost:
        return Cost(0, output.size * (self.window[0] * self.window[1] - 1))

    def lower(self, run: Run, *inputs: Any) -> Any:
        import numpy as np
        from jax import lax

        x = inputs[0]
        _, over = self.borders(x)
        # A numpy constant: JAX knows the maximum, and its gradient, only by one that it can look at.
        return lax.reduce_window(
            x, np.asarray(-np.inf, x.dtype), lax.max, (1, *self.window, 1), (1, *self.step, 1), ((0, 0), *over, (0, 0))
        )
