"""Mixup and cutmix: each image of a batch with its opposite from the end, and the labels alike."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from cnnspec.data.config import Mixing


def mix(config: Mixing, key: Array, pixels: Array, targets: Array) -> tuple[Array, Array]:
    """Mixed pixels `[n, h, w, c]` and targets `[n, classes]`; where both kinds are given, one of them by chance."""
    choice, mixup_key, cutmix_key = jax.random.split(key, 3)
    images = pixels.astype(jnp.float32)
    if config.mixup and config.cutmix:
        first, second = (
            _mixup(config.mixup, mixup_key, images, targets),
            _cutmix(config.cutmix, cutmix_key, images, targets),
        )
        take = jax.random.bernoulli(choice)
        return jnp.where(take, first[0], second[0]), jnp.where(take, first[1], second[1])
    if config.mixup:
        return _mixup(config.mixup, mixup_key, images, targets)
    return _cutmix(config.cutmix or 1.0, cutmix_key, images, targets)


def _mixup(alpha: float, key: Array, images: Array, targets: Array) -> tuple[Array, Array]:
    """**Source**: Zhang, Cisse, Dauphin and Lopez-Paz 2017, arXiv:1710.09412."""
    share = jax.random.beta(key, alpha, alpha)
    return share * images + (1 - share) * images[::-1], share * targets + (1 - share) * targets[::-1]


def _cutmix(alpha: float, key: Array, images: Array, targets: Array) -> tuple[Array, Array]:
    """**Source**: Yun and others 2019, arXiv:1905.04899."""
    share_key, place_key = jax.random.split(key)
    _, height, width, _ = images.shape
    side = jnp.sqrt(1 - jax.random.beta(share_key, alpha, alpha))
    centre = jax.random.uniform(place_key, (2,))
    rows, columns = jnp.arange(height) + 0.5, jnp.arange(width) + 0.5
    inside_rows = jnp.abs(rows - centre[0] * height) < side * height / 2
    inside_columns = jnp.abs(columns - centre[1] * width) < side * width / 2
    window = (inside_rows[:, None] & inside_columns[None, :])[None, :, :, None]
    share = 1 - window.mean()  # of what is left of the first image, with the window cut at the border
    return jnp.where(window, images[::-1], images), share * targets + (1 - share) * targets[::-1]
