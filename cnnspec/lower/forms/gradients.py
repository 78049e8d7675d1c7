"""Forms for the compiled training step: their gradients are written out, because what JAX derives is slow on a CPU.

They refuse forward-mode differentiation (`jax.jvp`), and so have no place in the module that users transform.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from cnnspec.lower.forms.conv import Geometry, block_diagonal, plain, shifted, split, taps
from cnnspec.lower.forms.norm import sums
from cnnspec.lower.forms.windows import Pair


def depthwise(x: Any, kernel: Any, geometry: Geometry) -> Any:
    """A depthwise convolution as a sum of shifted maps, and its gradients likewise."""
    if kernel.shape[-1] != x.shape[-1]:
        return shifted(x, kernel, geometry)

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def convolve(x: Any, kernel: Any) -> Any:
        return shifted(x, kernel, geometry)

    def forward(x: Any, kernel: Any) -> tuple[Any, tuple[Any, Any]]:
        return convolve(x, kernel), (x, kernel)

    def backward(saved: tuple[Any, Any], dy: Any) -> tuple[Any, Any]:
        x, kernel = saved
        return _to_input(dy, kernel, geometry, x.shape[1:3]), _to_kernel(x, dy, kernel, geometry)

    convolve.defvjp(forward, backward)
    return convolve(x, kernel)


def _to_input(dy: Any, kernel: Any, geometry: Geometry, size: Pair) -> Any:
    """The gradient of a depthwise convolution to its input.

    The pixels of the input that lie a stride apart are reached by the same taps of the kernel: for each of these phases
    the shifted gradients are summed, and the phases are put together. JAX would pad every one to the whole input.
    """
    strides = geometry.stride
    counts = [-(-length // stride) for length, stride in zip(size, strides, strict=True)]
    reached = [_taps_of_phases(kernel.shape[axis], geometry, axis) for axis in (0, 1)]
    offsets = [[offset for phase in phases for _, offset in phase] for phases in reached]
    before = [max(0, -min(found)) for found in offsets]
    after = [max(0, max(offsets[i]) + counts[i] - dy.shape[i + 1]) for i in (0, 1)]
    padded = jnp.pad(dy, ((0, 0), (before[0], after[0]), (before[1], after[1]), (0, 0)))
    empty = jnp.zeros((dy.shape[0], *counts, dy.shape[3]), dy.dtype)

    def phase(rows: list[Pair], columns: list[Pair]) -> Any:
        places = [(kernel[r, c, 0], before[0] + y, before[1] + x) for r, y in rows for c, x in columns]
        parts = (padded[:, y : y + counts[0], x : x + counts[1]] * weight for weight, y, x in places)
        return sum(parts, start=empty)

    lines = [jnp.stack([phase(rows, columns) for columns in reached[1]], 3) for rows in reached[0]]
    whole = jnp.stack(lines, 2).reshape(dy.shape[0], counts[0] * strides[0], counts[1] * strides[1], dy.shape[3])
    return whole[:, : size[0], : size[1]]


def _taps_of_phases(taps: int, geometry: Geometry, axis: int) -> list[list[Pair]]:
    """For every position of an input pixel between two strides, the taps that see it, and the outputs in which they do,
    counted from the pixel's own."""
    stride, dilation, low = geometry.stride[axis], geometry.dilation[axis], geometry.padding[axis][0]
    places = [[(tap, phase + low - tap * dilation) for tap in range(taps)] for phase in range(stride)]
    return [[(tap, place // stride) for tap, place in phase if place % stride == 0] for phase in places]


def _to_kernel(x: Any, dy: Any, kernel: Any, geometry: Geometry) -> Any:
    """The gradient of a depthwise convolution to its kernel.

    The products of all taps with the gradient are summed in one sweep, a row of the map at a time: XLA would write each
    to memory before it sums.
    """
    products = ((tap * dy).astype(jnp.float32) for tap in taps(x, kernel.shape[:2], geometry))
    return jnp.stack(sums(*products)).reshape(kernel.shape).astype(kernel.dtype)


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
