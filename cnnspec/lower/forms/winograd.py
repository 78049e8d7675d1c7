"""A 3x3 convolution of stride 1 by Winograd's minimal filtering, F(2x2, 3x3): 4 products a pixel instead of 9.

The map is cut into tiles of 4x4 pixels that overlap by two, each tile and the kernel are transformed, their products of
matrices are summed over the channels, and what comes out is transformed to 2x2 pixels (Lavin and Gray 2016, "Fast
Algorithms for Convolutional Neural Networks", https://arxiv.org/abs/1509.09308, section 4.1). The transforms only add,
so the result is as exact as that of the convolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from cnnspec.lower.forms.conv import Geometry
from cnnspec.lower.forms.layouts import transformed
from cnnspec.lower.forms.windows import Pair

#: Pixels of a tile in each direction that come out, and that go in.
OUT, IN = 2, 4


def winograd(x: Any, kernel: Any, geometry: Geometry) -> Any:
    """The convolution, its kernel transformed first."""
    return winograd_ready(x, transformed(kernel), geometry)


def winograd_ready(x: Any, kernels: Any, geometry: Geometry) -> Any:
    """The convolution with a kernel that is `layouts.transformed`: `[16, C, filters]`."""
    return _convolve(x, kernels, geometry.padding)


@partial(jax.jit, static_argnums=2)  # so that convolutions of one shape are traced once
def _convolve(x: Any, kernels: Any, padding: tuple[Pair, Pair]) -> Any:
    batch, channels, filters = x.shape[0], x.shape[3], kernels.shape[2]
    sizes = [x.shape[i + 1] + sum(padding[i]) - 2 for i in (0, 1)]  # of the result
    tiles = [-(-size // OUT) for size in sizes]
    more = [(padding[i][0], padding[i][1] + OUT * tiles[i] - sizes[i]) for i in (0, 1)]
    x = jnp.pad(x, ((0, 0), *more, (0, 0)))
    # First rows, then columns: the barrier keeps XLA from adding anew for every tile what its neighbours have, too.
    rows = lax.optimization_barrier(jnp.stack(_seen(x, 1, tiles[0])))  # [4, N, tiles, W, C]
    seen = jnp.stack(_seen(rows, 3, tiles[1]), 1)  # [4, 4, N, tiles, tiles, C]
    products = jnp.einsum("tpc,tcf->tpf", seen.reshape(IN * IN, -1, channels), kernels)
    parts = products.reshape(IN, IN, batch, *tiles, filters)
    columns = [_pixels(list(row)) for row in parts]
    across = [_pixels([column[q] for column in columns]) for q in range(OUT)]
    y = jnp.stack([jnp.stack([pixels[p] for pixels in across], 3) for p in range(OUT)], 2)
    return y.reshape(batch, OUT * tiles[0], OUT * tiles[1], filters)[:, : sizes[0], : sizes[1]]


def _seen(x: Any, axis: int, count: int) -> list[Any]:
    """The transformed pixels of all tiles along an axis: 4 arrays, each with a value a tile."""
    a, b, c, d = (lax.slice_in_dim(x, i, i + OUT * (count - 1) + 1, OUT, axis) for i in range(IN))
    return [a - c, b + c, c - b, b - d]


def _pixels(products: Sequence[Any]) -> list[Any]:
    """The pixels that come out of the 4 products along an axis."""
    a, b, c, d = products
    return [a + b + c, b - c - d]
