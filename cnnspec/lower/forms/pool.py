"""Forms of pooling: windows as strided slices, which XLA's CPU backend fuses where it does not fuse a window."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from cnnspec.lower.forms.windows import Pair, along


def by_slices(
    x: Any, window: Pair, stride: Pair, padding: tuple[Pair, ...], value: Any, join: Callable[[Any, Any], Any]
) -> Any:
    """What `join` makes of the rows of every window, and then of its columns; `value` surrounds the map."""
    x = jnp.pad(x, ((0, 0), *padding, (0, 0)), constant_values=value)
    for axis in (0, 1):
        x = reduce(join, along(x, axis, window[axis], stride[axis]))
    return x


def max_pool(x: Any, window: Pair, stride: Pair, padding: tuple[Pair, ...], form: str) -> Any:
    """The largest value of every window; `form` is "plain" or "slices"."""
    lowest = np.asarray(-np.inf, x.dtype)  # a numpy constant: JAX knows the maximum, and its gradient, only by one

    def plain(x: Any) -> Any:
        return lax.reduce_window(x, lowest, lax.max, (1, *window, 1), (1, *stride, 1), ((0, 0), *padding, (0, 0)))

    def fast(x: Any) -> Any:
        return by_slices(x, window, stride, padding, lowest, jnp.maximum)

    return plain(x) if form == "plain" else lax.platform_dependent(x, cpu=fast, default=plain)


def sum_pool(x: Any, window: Pair, stride: Pair, padding: tuple[Pair, ...], form: str) -> Any:
    """The sum of every window; `form` is "plain" or "slices"."""
    zero = np.zeros((), x.dtype)  # a numpy constant, likewise

    def plain(x: Any) -> Any:
        return lax.reduce_window(x, zero, lax.add, (1, *window, 1), (1, *stride, 1), ((0, 0), *padding, (0, 0)))

    def fast(x: Any) -> Any:
        return by_slices(x, window, stride, padding, zero, jnp.add)

    return plain(x) if form == "plain" else lax.platform_dependent(x, cpu=fast, default=plain)
