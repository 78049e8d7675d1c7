"""Forms of a convolution, NHWC and HWIO. All have one signature and one result; which is fast depends on the shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from cnnspec.lower.forms.layouts import merged
from cnnspec.lower.forms.windows import Pair, along, windows


@dataclass(frozen=True)
class Geometry:
    """Strides, padding ((top, bottom), (left, right)), dilation, and groups of a convolution."""

    stride: Pair
    padding: tuple[Pair, Pair]
    dilation: Pair
    groups: int


Form = Callable[[Any, Any, Geometry], Any]


def plain(x: Any, kernel: Any, geometry: Geometry) -> Any:
    """XLA's own convolution."""
    return lax.conv_general_dilated(
        x,
        kernel,
        geometry.stride,
        geometry.padding,
        rhs_dilation=geometry.dilation,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=geometry.groups,
    )


def taps(x: Any, kernel: Pair, geometry: Geometry) -> list[Any]:
    """For every tap of the kernel, row by row, what it sees at all positions."""
    x = jnp.pad(x, ((0, 0), *geometry.padding, (0, 0)))
    return windows(x, kernel, geometry.stride, geometry.dilation)


def shifted(x: Any, kernel: Any, geometry: Geometry) -> Any:
    """A depthwise convolution as a sum of shifted maps, each times its weights."""
    multiplier = kernel.shape[-1] // x.shape[-1]
    if multiplier > 1:
        x = jnp.repeat(x, multiplier, axis=-1)
    weights = kernel.reshape(-1, kernel.shape[-1])
    slices = taps(x, kernel.shape[:2], geometry)
    total = slices[0] * weights[0]
    for part, weight in zip(slices[1:], weights[1:], strict=True):
        total = total + part * weight
    return total


def by_groups(x: Any, kernels: Any, geometry: Geometry, convolve: Form = plain) -> Any:
    """One convolution for each of `kernels`, laid out `[groups, kh, kw, C / groups, filters / groups]`."""
    return _one_by_one(x, jnp.unstack(kernels), geometry, convolve)


def _one_by_one(x: Any, kernels: Sequence[Any], geometry: Geometry, convolve: Form) -> Any:
    """The groups of `x` by a kernel each, side by side."""
    single = Geometry(geometry.stride, geometry.padding, geometry.dilation, 1)
    parts = zip(jnp.split(x, len(kernels), -1), kernels, strict=True)
    return jnp.concatenate([convolve(part, kernel, single) for part, kernel in parts], -1)


def split(x: Any, kernel: Any, geometry: Geometry, convolve: Form = plain) -> Any:
    """A grouped convolution as one convolution a group, each computed by `convolve`."""
    return _one_by_one(x, jnp.split(kernel, geometry.groups, -1), geometry, convolve)


def block_diagonal(x: Any, kernel: Any, geometry: Geometry, convolve: Form = plain) -> Any:
    """A grouped convolution with several groups made one, whose kernel is zero between them."""
    return by_groups(x, merged(kernel, geometry.groups), geometry, convolve)


def dot(x: Any, kernel: Any, geometry: Geometry) -> Any:
    """A 1x1 convolution as a matrix product."""
    x = jnp.pad(x, ((0, 0), *geometry.padding, (0, 0))) if geometry.padding != ((0, 0), (0, 0)) else x
    (x,) = windows(x, (1, 1), geometry.stride)
    return (x.reshape(-1, x.shape[-1]) @ kernel[0, 0]).reshape(*x.shape[:-1], kernel.shape[-1])


def im2col(x: Any, kernel: Any, geometry: Geometry) -> Any:
    """A convolution as a matrix product with what every position of the window sees.

    First the columns of a window are brought together, then its rows: fewer copies than one for every tap.
    """
    x = jnp.pad(x, ((0, 0), *geometry.padding, (0, 0)))
    for axis in (1, 0):
        seen = along(x, axis, kernel.shape[axis], geometry.stride[axis], geometry.dilation[axis])
        x = jnp.concatenate(seen, -1)
    product = x.reshape(-1, x.shape[-1]) @ kernel.reshape(-1, kernel.shape[-1])
    return product.reshape(*x.shape[:-1], kernel.shape[-1])


def gathered(x: Any, kernel: Any, geometry: Geometry) -> Any:
    """`im2col` by two lookups of constant places: slower to run, and sooner compiled, as one kernel takes all the copies.

    Its gradient scatters, which is slow.
    """
    x = jnp.pad(x, ((0, 0), *geometry.padding, (0, 0)))
    rows, columns = (_places(x.shape[axis + 1], kernel.shape[axis], geometry, axis) for axis in (0, 1))
    seen = x.at[:, :, columns].get(mode="promise_in_bounds")  # [N, H, W of the output, kw, C]
    seen = seen.at[:, rows].get(mode="promise_in_bounds").transpose(0, 1, 3, 2, 4, 5)
    product = seen.reshape(-1, kernel[..., 0].size) @ kernel.reshape(-1, kernel.shape[-1])
    return product.reshape(*seen.shape[:3], kernel.shape[-1])


def _places(length: int, size: int, geometry: Geometry, axis: int) -> Any:
    """The rows (`axis` 0) or columns (1) of a padded map that a window of `size` sees at each position `[positions, size]`."""
    first = np.arange(0, length - (size - 1) * geometry.dilation[axis], geometry.stride[axis])
    return (first[:, None] + np.arange(size) * geometry.dilation[axis]).astype(np.int32)
