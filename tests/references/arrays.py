"""Convolution and dense layers by their definition: sums over windows."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def convolution(x: Array, kernel: Array, bias: Array, stride: int = 1) -> Array:
    """`[N, H, W, C]` with `[k, k, C, F]`, no padding: every place of the window adds its share."""
    size = kernel.shape[0]
    height, width = ((length - size) // stride + 1 for length in x.shape[1:3])
    y = np.zeros((len(x), height, width, kernel.shape[3])) + bias
    for row in range(size):
        for column in range(size):
            seen = x[:, row : row + stride * height : stride, column : column + stride * width : stride, :]
            y += seen @ kernel[row, column]
    return y


def dense(x: Array, kernel: Array, bias: Array) -> Array:
    return x @ kernel + bias


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))
