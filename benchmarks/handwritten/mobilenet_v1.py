"""MobileNet v1, with the padding and the epsilon of keras, as its authors published it."""

from __future__ import annotations

from functools import partial
from typing import Any

from flax import nnx

from benchmarks.handwritten.layers import ConvNorm

Conv = partial(ConvNorm, padding="SAME", act=nnx.relu6, epsilon=1e-3)

#: Filters and stride of each separable convolution.
ROWS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))


class Separable(nnx.Module):
    """A depthwise 3x3 convolution and a 1x1 convolution."""

    def __init__(self, channels: int, filters: int, stride: int, rngs: nnx.Rngs) -> None:
        self.depthwise = Conv(channels, channels, 3, stride, groups=channels, rngs=rngs)
        self.pointwise = Conv(channels, filters, 1, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        return self.pointwise(self.depthwise(x))


class MobileNetV1(nnx.Module):
    """A convolution and thirteen separable ones."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.conv1 = Conv(3, 32, 3, 2, rngs=rngs)
        blocks, channels = [], 32
        for filters, stride in ROWS:
            blocks.append(Separable(channels, filters, stride, rngs))
            channels = filters
        self.blocks = nnx.List(blocks)
        self.dropout = nnx.Dropout(0.001, rngs=rngs)
        self.classifier = nnx.Linear(1024, 1000, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = self.conv1(x)
        for block in self.blocks:
            x = block(x)
        return self.classifier(self.dropout(x.mean((1, 2))))
