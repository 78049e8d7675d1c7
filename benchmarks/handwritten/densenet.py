"""DenseNet-121."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from flax import nnx

from benchmarks.handwritten.layers import ConvNorm

GROWTH = 32


class NormConv(nnx.Module):
    """Batch normalisation, ReLU, convolution."""

    def __init__(self, inputs: int, outputs: int, kernel: int, rngs: nnx.Rngs) -> None:
        self.norm = nnx.BatchNorm(inputs, momentum=0.9, rngs=rngs)
        self.conv = nnx.Conv(inputs, outputs, (kernel, kernel), padding=kernel // 2, use_bias=False, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.conv(nnx.relu(self.norm(x)))


class DenseLayer(nnx.Module):
    """A 1x1 and a 3x3 convolution, whose channels join those that came in."""

    def __init__(self, channels: int, rngs: nnx.Rngs) -> None:
        self.conv1 = NormConv(channels, 4 * GROWTH, 1, rngs)
        self.conv2 = NormConv(4 * GROWTH, GROWTH, 3, rngs)

    def __call__(self, x: Any) -> Any:
        return jnp.concatenate([x, self.conv2(self.conv1(x))], axis=-1)


class DenseNet121(nnx.Module):
    """Four dense blocks, with a convolution and a pool between them that halve channels and map."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.conv0 = ConvNorm(3, 64, 7, 2, rngs=rngs)
        blocks, transitions, channels = [], [], 64
        for depth in (6, 12, 24, 16):
            if blocks:
                transitions.append(NormConv(channels, channels // 2, 1, rngs))
                channels //= 2
            blocks.append(nnx.List([DenseLayer(channels + GROWTH * number, rngs) for number in range(depth)]))
            channels += GROWTH * depth
        self.blocks = nnx.List(blocks)
        self.transitions = nnx.List(transitions)
        self.norm5 = nnx.BatchNorm(channels, momentum=0.9, rngs=rngs)
        self.classifier = nnx.Linear(channels, 1000, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = nnx.max_pool(self.conv0(x), (3, 3), (2, 2), padding=((1, 1), (1, 1)))
        for number, block in enumerate(self.blocks):
            if number:
                x = nnx.avg_pool(self.transitions[number - 1](x), (2, 2), (2, 2))
            for layer in block:
                x = layer(x)
        return self.classifier(nnx.relu(self.norm5(x)).mean((1, 2)))
