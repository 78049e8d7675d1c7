"""Batch normalisation for the compiled training step: its gradient is written out, because what JAX derives sweeps over
the map many times.

Like the forms of `gradients`, it refuses forward-mode differentiation.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


def normalised(x: Any, mean: Any, var: Any, scale: Any, bias: Any, epsilon: float) -> Any:
    """The map by given statistics of every channel, times `scale` plus `bias`."""
    return (x - mean) * (lax.rsqrt(var + epsilon) * scale) + bias


def plain(x: Any, scale: Any, bias: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """The map normalised by the mean and the biased variance of every channel, times `scale` plus `bias`; and the two."""
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axes)
    var = jnp.square(x - mean).mean(axes)
    return normalised(x, mean, var, scale, bias, epsilon), mean, var


def swept(x: Any, scale: Any, bias: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """`plain` in fewer sweeps over the map: one for both statistics, and in the gradient one for two sums.

    The statistics are those of the distance to one pixel, which keeps the variance exact where the mean is far from 0.
    No gradient goes through those that it gives back.
    """

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def normalise(x: Any, scale: Any, bias: Any) -> Any:
        count = x.size // x.shape[-1]
        pixel = x[(0,) * (x.ndim - 1)]
        total, squares = sums(x - pixel, jnp.square(x - pixel))
        mean = pixel + total / count
        var = jnp.maximum(squares / count - jnp.square(total / count), 0)
        return normalised(x, mean, var, scale, bias, epsilon), mean, var

    def forward(x: Any, scale: Any, bias: Any) -> tuple[Any, tuple[Any, ...]]:
        y, mean, var = normalise(x, scale, bias)
        return (y, mean, var), (x, scale, mean, lax.rsqrt(var + epsilon))

    def backward(saved: tuple[Any, ...], gradients: tuple[Any, ...]) -> tuple[Any, Any, Any]:
        x, scale, mean, factor = saved
        dy, count = gradients[0], x.size // x.shape[-1]
        total, along = sums(dy, dy * (x - mean))
        dx = factor * scale * (dy - total / count - (x - mean) * (factor * factor * along / count))
        return dx, along * factor, total

    normalise.defvjp(forward, backward)
    found: tuple[Any, Any, Any] = normalise(x, scale, bias)
    return found


def sums(*maps: Any) -> list[Any]:
    """The sums `[C]` of maps `[..., C]` of one shape, in one sweep: first along a row, which is also more exact."""
    zeros = (np.float32(0),) * len(maps)
    rows = lax.reduce(maps, zeros, lambda left, right: tuple(map(jnp.add, left, right)), (maps[0].ndim - 2,))
    return [row.sum(tuple(range(row.ndim - 1))) for row in rows]


def compute(form: str, x: Any, scale: Any, bias: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """The given form on a CPU, and the plain one elsewhere, within one program."""
    if form == "plain":
        return plain(x, scale, bias, epsilon)
    found: tuple[Any, Any, Any] = lax.platform_dependent(
        x, scale, bias,
        cpu=lambda x, scale, bias: swept(x, scale, bias, epsilon), default=lambda x, scale, bias: plain(x, scale, bias, epsilon),
    )  # fmt: skip
    return found
