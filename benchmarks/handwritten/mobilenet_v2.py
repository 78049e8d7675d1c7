"""MobileNet v2, padded as torchvision does."""

from __future__ import annotations

from functools import partial
from typing import Any

from flax import nnx

from benchmarks.handwritten.layers import ConvNorm

Conv = partial(ConvNorm, act=nnx.relu6)

#: Expansion, filters, blocks and stride of each stage: table 2 of the paper.
ROWS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


class InvertedResidual(nnx.Module):
    """A 1x1 convolution that widens, a depthwise one, and a linear 1x1 convolution that narrows."""

    def __init__(self, channels: int, filters: int, stride: int, expand: int, rngs: nnx.Rngs) -> None:
        inner = channels * expand
        self.expand = Conv(channels, inner, 1, rngs=rngs) if expand != 1 else None
        self.depthwise = Conv(inner, inner, 3, stride, groups=inner, rngs=rngs)
        self.project = Conv(inner, filters, 1, act=None, rngs=rngs)
        self.residual = stride == 1 and channels == filters

    def __call__(self, x: Any) -> Any:
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.depthwise(y))
        return x + y if self.residual else y


class MobileNetV2(nnx.Module):
    """Seventeen inverted residuals between two convolutions."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.stem = Conv(3, 32, 3, 2, rngs=rngs)
        stages, channels = [], 32
        for expand, filters, depth, stride in ROWS:
            blocks = []
            for number in range(depth):
                blocks.append(InvertedResidual(channels, filters, stride if number == 0 else 1, expand, rngs))
                channels = filters
            stages.append(nnx.List(blocks))
        self.stages = nnx.List(stages)
        self.head = Conv(320, 1280, 1, rngs=rngs)
        self.dropout = nnx.Dropout(0.2, rngs=rngs)
        self.classifier = nnx.Linear(1280, 1000, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = self.stem(x)
        for stage in self.stages:
            for block in stage:
                x = block(x)
        return self.classifier(self.dropout(self.head(x).mean((1, 2))))
