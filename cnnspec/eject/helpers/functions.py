"""Functions that Flax lacks; each is copied into an ejected file as it stands."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx


def local_response_norm(x: jax.Array, size: int, alpha: float, beta: float, k: float) -> jax.Array:
    """Divides by a power of the sum of squares over `size` neighbouring channels."""
    around = ((0, 0), (0, 0), (0, 0), (size // 2, size - 1 - size // 2))
    total = jax.lax.reduce_window(jnp.square(x), 0.0, jax.lax.add, (1, 1, 1, size), (1, 1, 1, 1), around)
    return x / jnp.power(k + alpha * total, beta)


def channel_shuffle(x: jax.Array, groups: int) -> jax.Array:
    """Interleaves groups of channels."""
    grouped = x.reshape(*x.shape[:-1], groups, x.shape[-1] // groups)
    return grouped.swapaxes(-1, -2).reshape(x.shape)


def adaptive_pool(x: jax.Array, size: tuple[int, int], reduce: Callable[..., jax.Array]) -> jax.Array:
    """Reduces (`jnp.mean`, `jnp.max`) as many bins as asked for along height and width; bins may overlap."""
    for axis, count in enumerate(size, 1):
        length = x.shape[axis]
        bins = [(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]
        parts = [reduce(jax.lax.slice_in_dim(x, a, b, axis=axis), axis=axis) for a, b in bins]
        x = jnp.stack(parts, axis)
    return x


def avg_pool_counted(
    x: jax.Array,
    window: tuple[int, int],
    strides: tuple[int, int],
    padding: tuple[tuple[int, int], ...],
    overhang: tuple[int, int],
) -> jax.Array:
    """Mean over windows that counts padding as zeros, but not what the last windows hang over it."""
    pads = [(before, after + more) for (before, after), more in zip(padding, overhang, strict=True)]
    ones = jnp.pad(jnp.ones((1, *x.shape[1:3], 1)), ((0, 0), *padding, (0, 0)), constant_values=1.0)
    total = nnx.avg_pool(x, window, strides, pads)
    counts = nnx.avg_pool(ones, window, strides, [(0, more) for more in overhang])
    return total / jnp.maximum(counts, 1e-9)


def resize_nearest(x: jax.Array, size: tuple[int, int]) -> jax.Array:
    """Enlarges a map by repeating pixels."""
    for axis, count in enumerate(size, 1):
        x = jnp.take(x, jnp.arange(count) * x.shape[axis] // count, axis=axis)
    return x


def squash(s: jax.Array) -> jax.Array:
    """Shrinks every capsule (the last axis) to a length below 1 and keeps its direction."""
    squared = jnp.square(s).sum(-1, keepdims=True)
    return s * jnp.sqrt(squared + 1e-9) / (1 + squared)


def dynamic_routing(predictions: jax.Array, iterations: int, stop_gradient: bool = False) -> jax.Array:
    """Routing by agreement: [N, below, above, dimensions] to [N, above, dimensions]."""
    fixed = jax.lax.stop_gradient(predictions) if stop_gradient else predictions
    logits = jnp.zeros(predictions.shape[:-1])
    for _ in range(iterations - 1):
        above = squash(jnp.einsum("bij,bije->bje", nnx.softmax(logits), fixed))
        logits = logits + jnp.einsum("bije,bje->bij", fixed, above)
    return squash(jnp.einsum("bij,bije->bje", nnx.softmax(logits), predictions))


def capsule_length(x: jax.Array) -> jax.Array:
    """The length of every capsule."""
    return jnp.sqrt(jnp.square(x).sum(-1) + 1e-9)


def capsule_mask(x: jax.Array, label: jax.Array | None = None) -> jax.Array:
    """Keeps the capsule of the label, or the longest, sets the others to zero, and flattens."""
    if label is None:
        label = jnp.square(x).sum(-1).argmax(-1)
    mask = jax.nn.one_hot(label, x.shape[1], dtype=x.dtype)
    return (x * mask[:, :, None]).reshape(x.shape[0], -1)


def shifted(initializer: Callable[..., jax.Array], by: float) -> Callable[..., jax.Array]:
    """An initialiser with another mean."""
    return lambda key, shape, dtype=jnp.float32, **given: initializer(key, shape, dtype, **given) + by


def signs(key: jax.Array, shape: tuple[int, ...], dtype: jnp.dtype = jnp.float32, **_: object) -> jax.Array:
    """Initial values of -1 and 1."""
    return jnp.where(jax.random.bernoulli(key, 0.5, shape), 1, -1).astype(dtype)
