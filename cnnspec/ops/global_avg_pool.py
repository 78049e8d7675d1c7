"""Global average pooling."""

from __future__ import annotations

from typing import Any, ClassVar

from cnnspec.global_pooling import GlobalPool
from cnnspec.ops.base import Run


class GlobalAvgPool(GlobalPool):
    """The mean of every channel over the whole map.

    **Shape**: `[H, W, C] -> [C]`, or `[1, 1, C]` with `keep_dims`.
    **Params**: none.
    **Errors**: E201 not a feature map.
    **Source**: Lin, Chen and Yan 2014, section 3.2, arXiv:1312.4400.
    """

    key: ClassVar[str] = "global_avg_pool"

    def lower(self, run: Run, *inputs: Any) -> Any:
        return inputs[0].mean((1, 2), keepdims=self.keep_dims)
