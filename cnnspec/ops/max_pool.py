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
        from cnnspec.lower.forms.pool import max_pool

        _, over = self.borders(inputs[0])
        return max_pool(inputs[0], self.window, self.step, over, run.form)
