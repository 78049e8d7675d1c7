"""VGG-16, ResNet-50 and MobileNet v2 as a JAX user would write them with Flax NNX, by its documentation."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
from flax import nnx

Conv = partial(nnx.Conv, use_bias=False)


class VGG16(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        convs, channels = [], 3
        for stage, (width, depth) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))):
            for _ in range(depth):
                convs.append((stage, nnx.Conv(channels, width, (3, 3), rngs=rngs)))
                channels = width
        self.stages = [stage for stage, _ in convs]
        self.convs = nnx.List([conv for _, conv in convs])
        self.fc6 = nnx.Linear(7 * 7 * 512, 4096, rngs=rngs)
        self.fc7 = nnx.Linear(4096, 4096, rngs=rngs)
        self.fc8 = nnx.Linear(4096, 1000, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        for i, conv in enumerate(self.convs):
            x = nnx.relu(conv(x))
            if i + 1 == len(self.convs) or self.stages[i + 1] != self.stages[i]:
                x = nnx.max_pool(x, (2, 2), (2, 2))
        x = x.reshape(x.shape[0], -1)
        return self.fc8(nnx.relu(self.fc7(nnx.relu(self.fc6(x)))))


class Bottleneck(nnx.Module):
    def __init__(self, channels: int, width: int, stride: int, groups: int, rngs: nnx.Rngs) -> None:
        inner = width if groups == 1 else width * 2
        out = width * 4
        self.conv1 = Conv(channels, inner, (1, 1), rngs=rngs)
        self.norm1 = nnx.BatchNorm(inner, rngs=rngs)
        self.conv2 = Conv(inner, inner, (3, 3), stride, padding=1, feature_group_count=groups, rngs=rngs)
        self.norm2 = nnx.BatchNorm(inner, rngs=rngs)
        self.conv3 = Conv(inner, out, (1, 1), rngs=rngs)
        self.norm3 = nnx.BatchNorm(out, rngs=rngs)
        self.project = Conv(channels, out, (1, 1), stride, rngs=rngs) if stride != 1 or channels != out else None
        self.norm4 = nnx.BatchNorm(out, rngs=rngs) if self.project is not None else None

    def __call__(self, x: Any) -> Any:
        y = nnx.relu(self.norm1(self.conv1(x)))
        y = nnx.relu(self.norm2(self.conv2(y)))
        y = self.norm3(self.conv3(y))
        if self.project is not None and self.norm4 is not None:
            x = self.norm4(self.project(x))
        return nnx.relu(x + y)


class ResNet50(nnx.Module):
    def __init__(self, rngs: nnx.Rngs, groups: int = 1) -> None:
        self.conv1 = Conv(3, 64, (7, 7), 2, padding=3, rngs=rngs)
        self.norm1 = nnx.BatchNorm(64, rngs=rngs)
        blocks, channels = [], 64
        for width, depth, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
            for i in range(depth):
                blocks.append(Bottleneck(channels, width, stride if i == 0 else 1, groups, rngs))
                channels = width * 4
        self.blocks = nnx.List(blocks)
        self.classifier = nnx.Linear(2048, 1000, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = nnx.relu(self.norm1(self.conv1(x)))
        x = nnx.max_pool(x, (3, 3), (2, 2), padding=((1, 1), (1, 1)))
        for block in self.blocks:
            x = block(x)
        return self.classifier(x.mean((1, 2)))


class InvertedResidual(nnx.Module):
    def __init__(self, channels: int, filters: int, stride: int, expand: int, rngs: nnx.Rngs) -> None:
        inner = channels * expand
        self.expand = Conv(channels, inner, (1, 1), rngs=rngs) if expand != 1 else None
        self.norm1 = nnx.BatchNorm(inner, rngs=rngs) if expand != 1 else None
        self.depthwise = Conv(inner, inner, (3, 3), stride, padding=1, feature_group_count=inner, rngs=rngs)
        self.norm2 = nnx.BatchNorm(inner, rngs=rngs)
        self.project = Conv(inner, filters, (1, 1), rngs=rngs)
        self.norm3 = nnx.BatchNorm(filters, rngs=rngs)
        self.residual = stride == 1 and channels == filters

    def __call__(self, x: Any) -> Any:
        y = x
        if self.expand is not None and self.norm1 is not None:
            y = nnx.relu6(self.norm1(self.expand(y)))
        y = nnx.relu6(self.norm2(self.depthwise(y)))
        y = self.norm3(self.project(y))
        return x + y if self.residual else y


class MobileNetV2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs) -> None:
        self.stem = Conv(3, 32, (3, 3), 2, padding=1, rngs=rngs)
        self.norm1 = nnx.BatchNorm(32, rngs=rngs)
        blocks, channels = [], 32
        rows = (
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        )
        for expand, filters, count, stride in rows:
            for i in range(count):
                blocks.append(InvertedResidual(channels, filters, stride if i == 0 else 1, expand, rngs))
                channels = filters
        self.blocks = nnx.List(blocks)
        self.head = Conv(320, 1280, (1, 1), rngs=rngs)
        self.norm2 = nnx.BatchNorm(1280, rngs=rngs)
        self.classifier = nnx.Linear(1280, 1000, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = nnx.relu6(self.norm1(self.stem(x)))
        for block in self.blocks:
            x = block(x)
        x = nnx.relu6(self.norm2(self.head(x)))
        return self.classifier(x.mean((1, 2)))


#: Our spec -> the network written by hand.
NETWORKS: dict[str, Any] = {
    "vgg16": VGG16,
    "resnet50": ResNet50,
    "resnext50_32x4d": partial(ResNet50, groups=32),
    "mobilenet_v2": MobileNetV2,
}


def inference(name: str) -> tuple[Any, Any]:
    """A jitted function of (state, images) and its state, as the Flax documentation advises for speed."""
    model = NETWORKS[name](rngs=nnx.Rngs(0))
    model.eval()
    graphdef, state = nnx.split(model)

    @jax.jit
    def run(state: Any, images: Any) -> Any:
        return nnx.merge(graphdef, state)(images)

    return run, state
