"""EfficientNet-B0 for inference, padded as torchvision does; drop path, which only trains, is left out."""

from __future__ import annotations

from functools import partial
from typing import Any

from flax import nnx

from benchmarks.handwritten.layers import ConvNorm

Conv = partial(ConvNorm, act=nnx.swish)

#: Expansion, kernel, filters, blocks and stride of each stage: table 1 of the paper.
ROWS = ((1, 3, 16, 1, 1), (6, 3, 24, 2, 2), (6, 5, 40, 2, 2), (6, 3, 80, 3, 2), (6, 5, 112, 3, 1),
        (6, 5, 192, 4, 2), (6, 3, 320, 1, 1))  # fmt: skip


class SqueezeExcite(nnx.Module):
    """Every channel times a weight between 0 and 1, computed from the means of all channels."""

    def __init__(self, channels: int, inner: int, rngs: nnx.Rngs) -> None:
        self.reduce = nnx.Conv(channels, inner, (1, 1), rngs=rngs)
        self.expand = nnx.Conv(inner, channels, (1, 1), rngs=rngs)

    def __call__(self, x: Any) -> Any:
        y = nnx.swish(self.reduce(x.mean((1, 2), keepdims=True)))
        return x * nnx.sigmoid(self.expand(y))


class MBConv(nnx.Module):
    """An inverted residual with squeeze-excite after its depthwise convolution."""

    def __init__(self, channels: int, filters: int, kernel: int, stride: int, expand: int, rngs: nnx.Rngs) -> None:
        inner = channels * expand
        self.expand = Conv(channels, inner, 1, rngs=rngs) if expand != 1 else None
        self.depthwise = Conv(inner, inner, kernel, stride, groups=inner, rngs=rngs)
        self.se = SqueezeExcite(inner, channels // 4, rngs)
        self.project = Conv(inner, filters, 1, act=None, rngs=rngs)
        self.residual = stride == 1 and channels == filters

    def __call__(self, x: Any) -> Any:
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.se(self.depthwise(y)))
        return x + y if self.residual else y


class EfficientNetB0(nnx.Module):
    """Sixteen inverted residuals between two convolutions."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.stem = Conv(3, 32, 3, 2, rngs=rngs)
        stages, channels = [], 32
        for expand, kernel, filters, depth, stride in ROWS:
            blocks = []
            for number in range(depth):
                blocks.append(MBConv(channels, filters, kernel, stride if number == 0 else 1, expand, rngs))
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
