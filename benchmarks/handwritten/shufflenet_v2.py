"""ShuffleNet v2 at width 1."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx

from benchmarks.handwritten.layers import ConvNorm


def shuffle(left: Any, right: Any) -> Any:
    """The channels of both in turn."""
    n, height, width, channels = left.shape
    return jnp.stack([left, right], axis=-1).reshape(n, height, width, 2 * channels)


class Unit(nnx.Module):
    """Half of the channels through three convolutions; at stride 2 all of them through both branches."""

    def __init__(self, channels: int, filters: int, stride: int, rngs: nnx.Rngs) -> None:
        half = filters // 2
        inputs = channels if stride == 2 else half
        if stride == 2:
            self.left = nnx.List([
                ConvNorm(channels, channels, 3, 2, groups=channels, act=None, rngs=rngs),
                ConvNorm(channels, half, 1, rngs=rngs),
            ])  # fmt: skip
        else:
            self.left = None
        self.conv1 = ConvNorm(inputs, half, 1, rngs=rngs)
        self.depthwise = ConvNorm(half, half, 3, stride, groups=half, act=None, rngs=rngs)
        self.conv2 = ConvNorm(half, half, 1, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        if self.left is None:
            left, right = jnp.split(x, 2, axis=-1)
        else:
            left, right = x, x
            for conv in self.left:
                left = conv(left)
        return shuffle(left, self.conv2(self.depthwise(self.conv1(right))))


class ShuffleNetV2(nnx.Module):
    """Sixteen units in three stages."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.conv1 = ConvNorm(3, 24, 3, 2, rngs=rngs)
        stages, channels = [], 24
        for filters, depth in ((116, 4), (232, 8), (464, 4)):
            units = []
            for number in range(depth):
                units.append(Unit(channels, filters, 2 if number == 0 else 1, rngs))
                channels = filters
            stages.append(nnx.List(units))
        self.stages = nnx.List(stages)
        self.conv5 = ConvNorm(464, 1024, 1, rngs=rngs)
        self.classifier = nnx.Linear(1024, 1000, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = nnx.max_pool(self.conv1(x), (3, 3), (2, 2), padding=((1, 1), (1, 1)))
        for stage in self.stages:
            for unit in stage:
                x = unit(x)
        return self.classifier(self.conv5(x).mean((1, 2)))
