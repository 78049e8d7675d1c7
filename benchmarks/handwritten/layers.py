"""What several of the hand-written networks share: a convolution followed by batch normalisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flax import nnx

Array = Any
Activation = Callable[[Array], Array]


class ConvNorm(nnx.Module):
    """Convolution, batch normalisation, and an activation where one is given; padded by half the kernel."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int | tuple[int, int], stride: int = 1, *, groups: int = 1,
        padding: Any = None, act: Activation | None = nnx.relu, epsilon: float = 1e-5, rngs: nnx.Rngs,
    ) -> None:  # fmt: skip
        size = (kernel, kernel) if isinstance(kernel, int) else kernel
        if padding is None:
            padding = [(side // 2, side // 2) for side in size]
        self.conv = nnx.Conv(inputs, outputs, size, stride, padding=padding, feature_group_count=groups,
                             use_bias=False, rngs=rngs)  # fmt: skip
        self.norm = nnx.BatchNorm(outputs, epsilon=epsilon, momentum=0.9, rngs=rngs)
        self.act = act

    def __call__(self, x: Array) -> Array:
        x = self.norm(self.conv(x))
        return x if self.act is None else self.act(x)
