"""Forms for the compiled training step: their gradients are written out, because what JAX derives is slow on a CPU.

They refuse forward-mode differentiation (`jax.jvp`), and so have no place in the module that users transform.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from cnnspec.lower.forms.conv import Geometry, block_diagonal, plain, shifted, split, taps
from cnnspec.lower.forms.windows import Pair


def depthwise(x: Any, kernel: Any, geometry: Geometry) -> Any:
    """A depthwise convolution as a sum of shifted maps, whose kernel gradient is summed image by image.

    XLA writes every product of a tap and the gradient to memory before it sums; one image's stay in the cache.
    """
    if kernel.shape[-1] != x.shape[-1]:
        return shifted(x, kernel, geometry)

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def convolve(x: Any, kernel: Any) -> Any:
        return shifted(x, kernel, geometry)

    def forward(x: Any, kernel: Any) -> tuple[Any, tuple[Any, Any]]:
        return convolve(x, kernel), (x, kernel)

    def backward(saved: tuple[Any, Any], dy: Any) -> tuple[Any, Any]:
        x, kernel = saved
        (dx,) = jax.vjp(lambda x: shifted(x, kernel, geometry), x)[1](dy)

        def add(total: Any, image: tuple[Any, Any]) -> tuple[Any, None]:
            one, gradient = image
            seen = taps(one[None], kernel.shape[:2], geometry)
            return total + jnp.stack([(tap * gradient).sum((0, 1, 2)) for tap in seen]), None

        total, _ = lax.scan(add, jnp.zeros((kernel.shape[0] * kernel.shape[1], x.shape[-1]), dy.dtype), (x, dy))
        return dx, total.reshape(kernel.shape).astype(kernel.dtype)

    convolve.defvjp(forward, backward)
    return convolve(x, kernel)


def ordinary(x: Any, kernel: Any, geometry: Geometry) -> Any:
    """A convolution whose gradients are ordinary convolutions, without dilation by stride.

    XLA's CPU backend keeps the convolutions that JAX derives in a layout without a fast kernel where they stand in
    the body of a loop (https://github.com/jax-ml/jax/issues/12868).
    """
    if geometry.groups > 1:
        return split(x, kernel, geometry, ordinary)

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def convolve(x: Any, kernel: Any) -> Any:
        return plain(x, kernel, geometry)

    def forward(x: Any, kernel: Any) -> tuple[Any, tuple[Any, Any]]:
        return convolve(x, kernel), (x, kernel)

    def backward(saved: tuple[Any, Any], dy: Any) -> tuple[Any, Any]:
        x, kernel = saved
        reach = tuple((k - 1) * d for k, d in zip(kernel.shape[:2], geometry.dilation, strict=True))
        dy = spread(dy, geometry.stride)
        before: list[Pair] = []
        inner: list[Pair] = []
        for axis in (0, 1):
            low, high = geometry.padding[axis]
            missing = x.shape[axis + 1] + low + high - reach[axis] - dy.shape[axis + 1]  # rows that no window reached
            before.append((reach[axis] - low, reach[axis] - high + missing))
            inner.append((low, high - missing))
        mirrored = kernel[::-1, ::-1].transpose(0, 1, 3, 2)
        dx = plain(dy, mirrored, Geometry((1, 1), (before[0], before[1]), geometry.dilation, 1))
        # Images take the place of channels, so that the gradient slides over the input as a kernel would.
        dk = lax.conv_general_dilated(
            x.transpose(3, 1, 2, 0), dy.transpose(1, 2, 0, 3), geometry.dilation, inner,
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )  # fmt: skip
        return dx, dk.transpose(1, 2, 0, 3).astype(kernel.dtype)

    convolve.defvjp(forward, backward)
    return convolve(x, kernel)


def ordinary_block_diagonal(x: Any, kernel: Any, geometry: Geometry) -> Any:
    """`block_diagonal`, for the body of a loop."""
    return block_diagonal(x, kernel, geometry, ordinary)


def spread(dy: Any, stride: Pair) -> Any:
    """A map with `stride - 1` zeros between its pixels."""
    zero = jnp.zeros((), dy.dtype)
    return lax.pad(dy, zero, ((0, 0, 0), (0, 0, stride[0] - 1), (0, 0, stride[1] - 1), (0, 0, 0)))
