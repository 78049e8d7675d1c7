"""ResNet-50 and ResNeXt-50 32x4d, with the stride of a bottleneck in its 3x3 convolution as torchvision has it."""

from __future__ import annotations

from functools import partial
from typing import Any

from flax import nnx

from benchmarks.handwritten.layers import ConvNorm


class Bottleneck(nnx.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut."""

    def __init__(self, channels: int, filters: int, stride: int, groups: int, width: int, rngs: nnx.Rngs) -> None:
        inner, outputs = filters * width // 64 * groups, filters * 4
        self.conv1 = ConvNorm(channels, inner, 1, rngs=rngs)
        self.conv2 = ConvNorm(inner, inner, 3, stride, groups=groups, rngs=rngs)
        self.conv3 = ConvNorm(inner, outputs, 1, act=None, rngs=rngs)
        changes = stride != 1 or channels != outputs
        self.shortcut = ConvNorm(channels, outputs, 1, stride, act=None, rngs=rngs) if changes else None

    def __call__(self, x: Any) -> Any:
        y = self.conv3(self.conv2(self.conv1(x)))
        return nnx.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class ResNet50(nnx.Module):
    """Sixteen bottlenecks in four stages."""

    def __init__(self, rngs: nnx.Rngs, groups: int = 1, width: int = 64) -> None:
        self.conv1 = ConvNorm(3, 64, 7, 2, rngs=rngs)
        stages, channels = [], 64
        for filters, depth, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
            blocks = []
            for number in range(depth):
                blocks.append(Bottleneck(channels, filters, stride if number == 0 else 1, groups, width, rngs))
                channels = filters * 4
            stages.append(nnx.List(blocks))
        self.stages = nnx.List(stages)
        self.classifier = nnx.Linear(2048, 1000, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = nnx.max_pool(self.conv1(x), (3, 3), (2, 2), padding=((1, 1), (1, 1)))
        for stage in self.stages:
            for block in stage:
                x = block(x)
        return self.classifier(x.mean((1, 2)))


ResNeXt50 = partial(ResNet50, groups=32, width=4)
