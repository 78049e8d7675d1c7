"""SqueezeNet 1.1."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx


class Fire(nnx.Module):
    """A 1x1 convolution that squeezes, and a 1x1 and a 3x3 convolution of it side by side."""

    def __init__(self, channels: int, squeeze: int, expand: int, rngs: nnx.Rngs) -> None:
        self.squeeze = nnx.Conv(channels, squeeze, (1, 1), rngs=rngs)
        self.expand1x1 = nnx.Conv(squeeze, expand, (1, 1), rngs=rngs)
        self.expand3x3 = nnx.Conv(squeeze, expand, (3, 3), padding=1, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = nnx.relu(self.squeeze(x))
        return jnp.concatenate([nnx.relu(self.expand1x1(x)), nnx.relu(self.expand3x3(x))], axis=-1)


class SqueezeNet11(nnx.Module):
    """Eight fire modules between two convolutions; a pool before the first, the third and the fifth of them."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.conv1 = nnx.Conv(3, 64, (3, 3), 2, padding="VALID", rngs=rngs)
        fires, channels = [], 64
        for squeeze, expand in ((16, 64), (32, 128), (48, 192), (64, 256)):
            for _ in range(2):
                fires.append(Fire(channels, squeeze, expand, rngs))
                channels = 2 * expand
        self.fires = nnx.List(fires)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.conv10 = nnx.Conv(512, 1000, (1, 1), rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = nnx.relu(self.conv1(x))
        for number, fire in enumerate(self.fires):
            if number in (0, 2, 4):
                x = nnx.max_pool(x, (3, 3), (2, 2))
            x = fire(x)
        return nnx.relu(self.conv10(self.dropout(x))).mean((1, 2))
