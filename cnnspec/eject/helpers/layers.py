"""Layers that Flax lacks; each is copied into an ejected file as it stands."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx


class UnbiasedBatchNorm(nnx.BatchNorm):  # type: ignore[misc]  # flax has no types
    """Batch normalisation whose running variance takes up the unbiased one, as torch's does."""

    def __call__(self, x: jax.Array) -> jax.Array:
        if not self.use_running_average:
            old, count = self.var[...], x.size // x.shape[-1]
            y = super().__call__(x)
            taken = (self.var[...] - self.momentum * old) * (count / max(count - 1, 1))
            self.var[...] = self.momentum * old + taken
            return y
        return super().__call__(x)


class DropPath(nnx.Module):  # type: ignore[misc]  # flax has no types
    """Drops a branch while training, for each sample or the whole batch; keeps the expectation there, or at inference."""

    def __init__(self, rate: float, *, per_batch: bool = False, rescale: bool = True, rngs: nnx.Rngs) -> None:
        self.survival = 1 - rate
        self.per_batch = per_batch
        self.rescale = rescale
        self.deterministic = False
        self.rngs = rngs.dropout.fork()

    def __call__(self, x: jax.Array) -> jax.Array:
        if self.deterministic:
            return x if self.rescale else x * self.survival
        shape = (1 if self.per_batch else x.shape[0],) + (1,) * (x.ndim - 1)
        alive = jax.random.bernoulli(self.rngs(), self.survival, shape).astype(x.dtype)
        return x * (alive / self.survival if self.rescale else alive)


class Scale(nnx.Module):  # type: ignore[misc]  # flax has no types
    """Learned coefficients, one a channel or one in all, and a learned bias."""

    def __init__(self, features: int, *, use_scale: bool = True, use_bias: bool = False, rngs: nnx.Rngs) -> None:
        self.scale = nnx.Param(jnp.ones(features)) if use_scale else None
        self.bias = nnx.Param(jnp.zeros(features)) if use_bias else None

    def __call__(self, x: jax.Array) -> jax.Array:
        x = x if self.scale is None else x * self.scale[...].astype(x.dtype)
        return x if self.bias is None else x + self.bias[...].astype(x.dtype)


class ConnectionConv(nnx.Module):  # type: ignore[misc]  # flax has no types
    """A convolution in which every filter sees only the input channels that a table gives it."""

    def __init__(
        self, in_features: int, table: tuple[tuple[int, ...], ...], kernel_size: tuple[int, int], *,
        strides: tuple[int, int] = (1, 1), padding: str | tuple[tuple[int, int], ...] = "VALID", use_bias: bool = True,
        rngs: nnx.Rngs,
    ) -> None:  # fmt: skip
        pairs = [(channel, number) for number, row in enumerate(table) for channel in row]
        self.pairs = nnx.static(tuple(pairs))
        self.shape, self.strides, self.padding = (*kernel_size, in_features, len(table)), strides, padding
        fan_in = kernel_size[0] * kernel_size[1] * len(pairs) / len(table)
        values = jax.random.truncated_normal(rngs.params(), -2, 2, (*kernel_size, len(pairs)))
        self.kernel = nnx.Param(values * fan_in**-0.5 / 0.87962566)
        self.bias = nnx.Param(jnp.zeros(len(table))) if use_bias else None

    def __call__(self, x: jax.Array) -> jax.Array:
        channels, filters = (jnp.array(side) for side in zip(*self.pairs, strict=True))
        kernel = jnp.zeros(self.shape, x.dtype).at[:, :, channels, filters].set(self.kernel[...].astype(x.dtype))
        y = jax.lax.conv_general_dilated(
            x, kernel, self.strides, self.padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return y if self.bias is None else y + self.bias[...].astype(y.dtype)


class ConvTranspose(nnx.Module):  # type: ignore[misc]  # flax has no types
    """The transpose of a convolution; `padding` is that of the dilated input."""

    def __init__(
        self, in_features: int, out_features: int, kernel_size: tuple[int, int], *, strides: tuple[int, int],
        padding: tuple[tuple[int, int], tuple[int, int]], dilation: tuple[int, int] = (1, 1), groups: int = 1,
        use_bias: bool = True, rngs: nnx.Rngs,
    ) -> None:  # fmt: skip
        self.strides, self.padding, self.dilation, self.groups = strides, padding, dilation, groups
        shape = (*kernel_size, in_features // groups, out_features)
        self.kernel = nnx.Param(nnx.initializers.he_normal()(rngs.params(), shape))
        self.bias = nnx.Param(jnp.zeros(out_features)) if use_bias else None

    def __call__(self, x: jax.Array) -> jax.Array:
        y = jax.lax.conv_general_dilated(
            x, self.kernel[...][::-1, ::-1].astype(x.dtype), (1, 1), self.padding, lhs_dilation=self.strides,
            rhs_dilation=self.dilation, dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=self.groups,
        )  # fmt: skip
        return y if self.bias is None else y + self.bias[...].astype(y.dtype)


class RadialBasisOutput(nnx.Module):  # type: ignore[misc]  # flax has no types
    """The squared distance of a vector to a centre for each class."""

    def __init__(self, features: int, classes: int, *, trainable: bool = False, rngs: nnx.Rngs) -> None:
        signs = jnp.where(jax.random.bernoulli(rngs.params(), 0.5, (classes, features)), 1.0, -1.0)
        self.centres = nnx.Param(signs) if trainable else nnx.BatchStat(signs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return jnp.square(x[:, None, :] - self.centres[...]).sum(-1)


class CapsulePrediction(nnx.Module):  # type: ignore[misc]  # flax has no types
    """What each of `count` capsules predicts for every capsule above: a matrix a pair."""

    def __init__(self, count: int, length: int, capsules: int, dimensions: int, *, rngs: nnx.Rngs) -> None:
        shape = (count, capsules, length, dimensions)
        self.kernel = nnx.Param(nnx.initializers.normal(0.1)(rngs.params(), shape))

    def __call__(self, x: jax.Array) -> jax.Array:
        return jnp.einsum("bid,ijde->bije", x, self.kernel[...])
