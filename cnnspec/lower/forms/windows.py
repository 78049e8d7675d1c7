"""Windows that slide over a map, as strided slices of it."""

from __future__ import annotations

from typing import Any

from jax import lax

Pair = tuple[int, int]


def along(x: Any, axis: int, size: int, stride: int = 1, dilation: int = 1) -> list[Any]:
    """For every row (`axis` 0) or column (1) of a window, what it sees at all positions of a padded map `[N, H, W, C]`."""
    stop = x.shape[axis + 1] - (size - 1) * dilation
    return [lax.slice_in_dim(x, i * dilation, i * dilation + stop, stride, axis + 1) for i in range(size)]


def windows(x: Any, size: Pair, stride: Pair, dilation: Pair = (1, 1)) -> list[Any]:
    """For every tap of a window, row by row, what it sees at all positions of a padded map `[N, H, W, C]`."""
    if size == stride == (1, 1):
        return [x]
    rows = along(x, 0, size[0], stride[0], dilation[0])
    return [tap for row in rows for tap in along(row, 1, size[1], stride[1], dilation[1])]
