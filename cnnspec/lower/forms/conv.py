"""Forms of a convolution, NHWC and HWIO. All have one signature and one result; which is fast depends on the shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
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
