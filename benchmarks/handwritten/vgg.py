"""VGG-16."""

from __future__ import annotations

from typing import Any

from flax import nnx


class VGG16(nnx.Module):
    """Thirteen 3x3 convolutions in five stages, each followed by a pool, and three linear layers."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        stages, channels = [], 3
        for width, depth in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
            convs = []
            for _ in range(depth):
                convs.append(nnx.Conv(channels, width, (3, 3), padding=1, rngs=rngs))
                channels = width
            stages.append(nnx.List(convs))
        self.stages = nnx.List(stages)
        self.fc6 = nnx.Linear(7 * 7 * 512, 4096, rngs=rngs)
        self.fc7 = nnx.Linear(4096, 4096, rngs=rngs)
        self.fc8 = nnx.Linear(4096, 1000, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        for stage in self.stages:
            for conv in stage:
                x = nnx.relu(conv(x))
            x = nnx.max_pool(x, (2, 2), (2, 2))
        x = x.reshape(x.shape[0], -1)
        x = self.dropout(nnx.relu(self.fc6(x)))
        x = self.dropout(nnx.relu(self.fc7(x)))
        return self.fc8(x)
