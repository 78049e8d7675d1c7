"""Forms of pooling: windows as strided slices, which XLA's CPU backend fuses where it does not fuse a window."""

from __future__ import annotations

from functools import reduce
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

Pair = tuple[int, int]


def slices(x: Any, window: Pair, stride: Pair, padding: tuple[Pair, ...], value: Any) -> list[Any]:
    """For every tap of the window, what it sees at all positions."""
    x = jnp.pad(x, ((0, 0), *padding, (0, 0)), constant_values=value)
    sizes = [(x.shape[i + 1] - window[i]) // stride[i] + 1 for i in (0, 1)]
    return [
        x[:, r : r + (sizes[0] - 1) * stride[0] + 1 : stride[0], c : c + (sizes[1] - 1) * stride[1] + 1 : stride[1]]
        for r in range(window[0])
        for c in range(window[1])
    ]


def max_pool(x: Any, window: Pair, stride: Pair, padding: tuple[Pair, ...], form: str) -> Any:
    """The largest value of every window; `form` is "plain" or "slices"."""
    lowest = np.asarray(-np.inf, x.dtype)  # a numpy constant: JAX knows the maximum, and its gradient, only by one

    def plain(x: Any) -> Any:
        return lax.reduce_window(x, lowest, lax.max, (1, *window, 1), (1, *stride, 1), ((0, 0), *padding, (0, 0)))

    def fast(x: Any) -> Any:
        return reduce(jnp.maximum, slices(x, window, stride, padding, lowest))

    return plain(x) if form == "plain" else lax.platform_dependent(x, cpu=fast, default=plain)


def sum_pool(x: Any, window: Pair, stride: Pair, padding: tuple[Pair, ...], form: str) -> Any:
    """The sum of every window; `form` is "plain" or "slices"."""
    zero = np.zeros((), x.dtype)  # a numpy constant, likewise

    def plain(x: Any) -> Any:
        return lax.reduce_window(x, zero, lax.add, (1, *window, 1), (1, *stride, 1), ((0, 0), *padding, (0, 0)))

    def fast(x: Any) -> Any:
        return reduce(jnp.add, slices(x, window, stride, padding, zero))

    return plain(x) if form == "plain" else lax.platform_dependent(x, cpu=fast, default=plain)
