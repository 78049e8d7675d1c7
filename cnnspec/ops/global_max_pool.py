"""Global max pooling."""

from __future__ import annotations

from typing import Any, ClassVar

from cnnspec.global_pooling import GlobalPool
from cnnspec.ops.base import Run


class GlobalMaxPool(GlobalPool):
    """The largest value of every channel over the whole map.

    **Shape**: `[H, W, C] -> [C]`, or `[1, 1, C]` with `keep_dims`.
    **Params**: none.
    **Errors**: E201 not a feature map.
    **Source**: Oquab et al. 2015, "Is object localization for free?", section 3.
    """

    key: ClassVar[str] = "global_max_pool"

    def lower(self, run: Run, *inputs: Any) -> Any:
        return inputs[0].max((1, 2), keepdims=self.keep_dims)
