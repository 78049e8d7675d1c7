"""Inception v3 as torchvision builds it, for inference: the auxiliary head only trains."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax.numpy as jnp
from flax import nnx

from benchmarks.handwritten.layers import ConvNorm

Conv = partial(ConvNorm, epsilon=1e-3)


def join(*branches: Any) -> Any:
    return jnp.concatenate(branches, axis=-1)


def average(x: Any) -> Any:
    return nnx.avg_pool(x, (3, 3), (1, 1), padding=((1, 1), (1, 1)))


def halve(x: Any) -> Any:
    return nnx.max_pool(x, (3, 3), (2, 2))


class InceptionA(nnx.Module):
    """Figure 5 of the paper."""

    def __init__(self, channels: int, pool: int, rngs: nnx.Rngs) -> None:
        self.branch1x1 = Conv(channels, 64, 1, rngs=rngs)
        self.branch5x5_1 = Conv(channels, 48, 1, rngs=rngs)
        self.branch5x5_2 = Conv(48, 64, 5, rngs=rngs)
        self.branch3x3dbl_1 = Conv(channels, 64, 1, rngs=rngs)
        self.branch3x3dbl_2 = Conv(64, 96, 3, rngs=rngs)
        self.branch3x3dbl_3 = Conv(96, 96, 3, rngs=rngs)
        self.branch_pool = Conv(channels, pool, 1, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return join(self.branch1x1(x), self.branch5x5_2(self.branch5x5_1(x)), double, self.branch_pool(average(x)))


class ReductionA(nnx.Module):
    """Figure 10: half the map."""

    def __init__(self, channels: int, rngs: nnx.Rngs) -> None:
        self.branch3x3 = Conv(channels, 384, 3, 2, padding="VALID", rngs=rngs)
        self.branch3x3dbl_1 = Conv(channels, 64, 1, rngs=rngs)
        self.branch3x3dbl_2 = Conv(64, 96, 3, rngs=rngs)
        self.branch3x3dbl_3 = Conv(96, 96, 3, 2, padding="VALID", rngs=rngs)

    def __call__(self, x: Any) -> Any:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return join(self.branch3x3(x), double, halve(x))


class InceptionB(nnx.Module):
    """Figure 6: 7x7 convolutions as 1x7 and 7x1."""

    def __init__(self, channels: int, width: int, rngs: nnx.Rngs) -> None:
        self.branch1x1 = Conv(channels, 192, 1, rngs=rngs)
        self.branch7x7_1 = Conv(channels, width, 1, rngs=rngs)
        self.branch7x7_2 = Conv(width, width, (1, 7), rngs=rngs)
        self.branch7x7_3 = Conv(width, 192, (7, 1), rngs=rngs)
        self.branch7x7dbl_1 = Conv(channels, width, 1, rngs=rngs)
        self.branch7x7dbl_2 = Conv(width, width, (7, 1), rngs=rngs)
        self.branch7x7dbl_3 = Conv(width, width, (1, 7), rngs=rngs)
        self.branch7x7dbl_4 = Conv(width, width, (7, 1), rngs=rngs)
        self.branch7x7dbl_5 = Conv(width, 192, (1, 7), rngs=rngs)
        self.branch_pool = Conv(channels, 192, 1, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        single = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return join(self.branch1x1(x), single, double, self.branch_pool(average(x)))


class ReductionB(nnx.Module):
    """Half the map once more."""

    def __init__(self, channels: int, rngs: nnx.Rngs) -> None:
        self.branch3x3_1 = Conv(channels, 192, 1, rngs=rngs)
        self.branch3x3_2 = Conv(192, 320, 3, 2, padding="VALID", rngs=rngs)
        self.branch7x7x3_1 = Conv(channels, 192, 1, rngs=rngs)
        self.branch7x7x3_2 = Conv(192, 192, (1, 7), rngs=rngs)
        self.branch7x7x3_3 = Conv(192, 192, (7, 1), rngs=rngs)
        self.branch7x7x3_4 = Conv(192, 192, 3, 2, padding="VALID", rngs=rngs)

    def __call__(self, x: Any) -> Any:
        seven = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        return join(self.branch3x3_2(self.branch3x3_1(x)), self.branch7x7x3_4(seven), halve(x))


class InceptionC(nnx.Module):
    """Figure 7: filter banks side by side."""

    def __init__(self, channels: int, rngs: nnx.Rngs) -> None:
        self.branch1x1 = Conv(channels, 320, 1, rngs=rngs)
        self.branch3x3_1 = Conv(channels, 384, 1, rngs=rngs)
        self.branch3x3_2a = Conv(384, 384, (1, 3), rngs=rngs)
        self.branch3x3_2b = Conv(384, 384, (3, 1), rngs=rngs)
        self.branch3x3dbl_1 = Conv(channels, 448, 1, rngs=rngs)
        self.branch3x3dbl_2 = Conv(448, 384, 3, rngs=rngs)
        self.branch3x3dbl_3a = Conv(384, 384, (1, 3), rngs=rngs)
        self.branch3x3dbl_3b = Conv(384, 384, (3, 1), rngs=rngs)
        self.branch_pool = Conv(channels, 192, 1, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        single, double = self.branch3x3_1(x), self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return join(
            self.branch1x1(x), self.branch3x3_2a(single), self.branch3x3_2b(single),
            self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double), self.branch_pool(average(x)),
        )  # fmt: skip


class InceptionV3(nnx.Module):
    """Five convolutions and eleven modules, for images of 299 pixels."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.conv_1a = Conv(3, 32, 3, 2, padding="VALID", rngs=rngs)
        self.conv_2a = Conv(32, 32, 3, padding="VALID", rngs=rngs)
        self.conv_2b = Conv(32, 64, 3, rngs=rngs)
        self.conv_3b = Conv(64, 80, 1, rngs=rngs)
        self.conv_4a = Conv(80, 192, 3, padding="VALID", rngs=rngs)
        self.modules = nnx.List([
            InceptionA(192, 32, rngs), InceptionA(256, 64, rngs), InceptionA(288, 64, rngs),
            ReductionA(288, rngs),
            InceptionB(768, 128, rngs), InceptionB(768, 160, rngs), InceptionB(768, 160, rngs),
            InceptionB(768, 192, rngs),
            ReductionB(768, rngs),
            InceptionC(1280, rngs), InceptionC(2048, rngs),
        ])  # fmt: skip
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.fc = nnx.Linear(2048, 1000, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        x = halve(self.conv_2b(self.conv_2a(self.conv_1a(x))))
        x = halve(self.conv_4a(self.conv_3b(x)))
        for module in self.modules:
            x = module(x)
        return self.fc(self.dropout(x.mean((1, 2))))
