"""The ResNets for 32x32 images, 6n + 2 layers deep, with shortcuts that have no weights (option A of the paper)."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx

from benchmarks.handwritten.layers import ConvNorm


class Basic(nnx.Module):
    """Two 3x3 convolutions beside the input; where it changes, every other pixel of it and channels of zeros."""

    def __init__(self, channels: int, filters: int, stride: int, rngs: nnx.Rngs) -> None:
        self.conv1 = ConvNorm(channels, filters, 3, stride, rngs=rngs)
        self.conv2 = ConvNorm(filters, filters, 3, act=None, rngs=rngs)
        self.stride, self.more = stride, filters - channels

    def __call__(self, x: Any) -> Any:
        y = self.conv2(self.conv1(x))
        x = jnp.pad(x[:, :: self.stride, :: self.stride], ((0, 0), (0, 0), (0, 0), (0, self.more)))
        return nnx.relu(y + x)


class ResNetCIFAR(nnx.Module):
    """Three stages of `blocks` basic blocks."""

    def __init__(self, rngs: nnx.Rngs, blocks: int) -> None:
        self.conv1 = ConvNorm(3, 16, 3, rngs=rngs)
        stages, channels = [], 16
        for filters in (16, 32, 64):
            stage = []
            for _ in range(blocks):
                stage.append(Basic(channels, filters, filters // channels, rngs))
                channels = filters
            stages.append(nnx.List(stage))
        self.stages = nnx.List(stages)
        self.classifier = nnx.Linear(64, 10, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = self.conv1(x)
        for stage in self.stages:
            for block in stage:
                x = block(x)
        return self.classifier(x.mean((1, 2)))
