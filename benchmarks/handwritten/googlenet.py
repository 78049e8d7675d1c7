"""GoogLeNet as torchvision builds it, for inference: batch norm, 3x3 for 5x5; the auxiliary heads only train."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax.numpy as jnp
from flax import nnx

from benchmarks.handwritten.layers import ConvNorm

Conv = partial(ConvNorm, epsilon=1e-3)

#: Filters of the 1x1 branch, of the two 3x3 branches with their reductions, and behind the pool: table 1 of the paper.
MODULES = (
    (64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64),
    (192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64), (112, 144, 288, 32, 64, 64),
    (256, 160, 320, 32, 128, 128),
    (256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128),
)  # fmt: skip


def pool_rounding_up(x: Any) -> Any:
    """Maximum pool 3x3 with stride 2, whose last window may hang over the edge."""
    return nnx.max_pool(x, (3, 3), (2, 2), padding=((0, 1), (0, 1)))


class Inception(nnx.Module):
    """Four branches side by side."""

    def __init__(
        self, channels: int, one: int, reduce3: int, three: int, reduce5: int, five: int, pool: int, rngs: nnx.Rngs
    ) -> None:
        self.branch1x1 = Conv(channels, one, 1, rngs=rngs)
        self.branch3x3_reduce = Conv(channels, reduce3, 1, rngs=rngs)
        self.branch3x3 = Conv(reduce3, three, 3, rngs=rngs)
        self.branch5x5_reduce = Conv(channels, reduce5, 1, rngs=rngs)
        self.branch5x5 = Conv(reduce5, five, 3, rngs=rngs)
        self.branch_pool = Conv(channels, pool, 1, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        pooled = nnx.max_pool(x, (3, 3), (1, 1), padding=((1, 1), (1, 1)))
        branches = [self.branch1x1(x), self.branch3x3(self.branch3x3_reduce(x)),
                    self.branch5x5(self.branch5x5_reduce(x)), self.branch_pool(pooled)]  # fmt: skip
        return jnp.concatenate(branches, axis=-1)


class GoogLeNet(nnx.Module):
    """Three convolutions and nine inception modules."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.conv1 = Conv(3, 64, 7, 2, rngs=rngs)
        self.conv2 = Conv(64, 64, 1, rngs=rngs)
        self.conv3 = Conv(64, 192, 3, rngs=rngs)
        modules, channels = [], 192
        for one, reduce3, three, reduce5, five, pool in MODULES:
            modules.append(Inception(channels, one, reduce3, three, reduce5, five, pool, rngs))
            channels = one + three + five + pool
        self.inception = nnx.List(modules)
        self.dropout = nnx.Dropout(0.2, rngs=rngs)
        self.classifier = nnx.Linear(1024, 1000, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = pool_rounding_up(self.conv1(x))
        x = pool_rounding_up(self.conv3(self.conv2(x)))
        for number, module in enumerate(self.inception):
            if number == 2:
                x = pool_rounding_up(x)
            elif number == 7:
                x = nnx.max_pool(x, (2, 2), (2, 2))
            x = module(x)
        return self.classifier(self.dropout(x.mean((1, 2))))
