"""Forms of a convolution, NHWC and HWIO. All have one signature and one result; which is fast depends on the shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax import lax

from cnnspec.lower.forms.layouts import grouped, merged

Pair = tuple[int, int]


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
    """For every tap of the window, row by row, what it sees at all positions: strided slices of the padded map."""
    x = jnp.pad(x, ((0, 0), *geometry.padding, (0, 0)))
    reach = [(k - 1) * d for k, d in zip(kernel, geometry.dilation, strict=True)]
    sizes = [(x.shape[i + 1] - reach[i] - 1) // geometry.stride[i] + 1 for i in (0, 1)]
    found = []
    for row in range(kernel[0]):
        for column in range(kernel[1]):
            begin = (row * geometry.dilation[0], column * geometry.dilation[1])
            stop = [begin[i] + (sizes[i] - 1) * geometry.stride[i] + 1 for i in (0, 1)]
            found.append(x[:, begin[0] : stop[0] : geometry.stride[0], begin[1] : stop[1] : geometry.stride[1]])
    return found


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
    single = Geometry(geometry.stride, geometry.padding, geometry.dilation, 1)
    parts = enumerate(jnp.split(x, kernels.shape[0], -1))
    return jnp.concatenate([convolve(part, kernels[i], single) for i, part in parts], -1)


def split(x: Any, kernel: Any, geometry: Geometry, convolve: Form = plain) -> Any:
    """A grouped convolution as one convolution a group, each computed by `convolve`."""
    return by_groups(x, grouped(kernel, geometry.groups), geometry, convolve)


def block_diagonal(x: Any, kernel: Any, geometry: Geometry, convolve: Form = plain) -> Any:
    """A grouped convolution with several groups made one, whose kernel is zero between them."""
    return by_groups(x, merged(kernel, geometry.groups), geometry, convolve)


def dot(x: Any, kernel: Any, geometry: Geometry) -> Any:
    """A 1x1 convolution as a matrix product."""
    x = jnp.pad(x, ((0, 0), *geometry.padding, (0, 0))) if geometry.padding != ((0, 0), (0, 0)) else x
    x = x[:, :: geometry.stride[0], :: geometry.stride[1]]
    return (x.reshape(-1, x.shape[-1]) @ kernel[0, 0]).reshape(*x.shape[:-1], kernel.shape[-1])


def im2col(x: Any, kernel: Any, geometry: Geometry) -> Any:
    """A convolution as a matrix product with what every position of the window sees."""
    columns = jnp.concatenate(taps(x, kernel.shape[:2], geometry), -1)
    product = columns.reshape(-1, columns.shape[-1]) @ kernel.reshape(-1, kernel.shape[-1])
    return product.reshape(*columns.shape[:-1], kernel.shape[-1])
