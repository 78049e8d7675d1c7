"""Augmentation of a whole batch at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnspec.data.base import Images
from cnnspec.data.config import Affine, Augmentation, Colour
from cnnspec.data.draws import Draws

_GREY = np.array([0.299, 0.587, 0.114], np.float32)  # luma of ITU-R BT.601
#: The principal components of the colours of ImageNet's pixels (a column each), times the roots of their eigenvalues,
#: as Facebook's training of residual networks has them; pixels of 0 to 1.
_PRINCIPAL = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]]) * [
    0.2175, 0.0188, 0.0045,
]  # fmt: skip


# Streams are numbered for good: see `draws`. Those of `parts` are 0, 100 and 101.
_CROP, _FLIP, _AFFINE, _COLOUR, _LIGHTING = range(1, 6)


def augment(images: Images, config: Augmentation, draws: Draws) -> Images:
    """The augmented batch `[n, height, width, channels]`; `images` is left as it is."""
    if config.crop is not None:
        images = _crop(images, config.crop, config.fill, draws)
    if config.affine is not None:
        images = _affine(images, config.affine, config.fill, draws)
    if config.flip:
        mirrored = draws.uniform(_FLIP, 0, 1)[:, 0] < 0.5
        images = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
    if config.colour is not None:
        images = _colour(images, config.colour, draws)
    return images


def _crop(images: Images, padding: int, fill: int, draws: Draws) -> Images:
    count, height, width, channels = images.shape
    padded = np.full((count, height + 2 * padding, width + 2 * padding, channels), fill, np.uint8)
    padded[:, padding : padding + height, padding : padding + width] = images
    offsets = draws.uniform(_CROP, 0, 2 * padding + 1, 2).astype(int)
    result = np.empty_like(images)
    for row, (top, left) in enumerate(offsets):
        result[row] = padded[row, top : top + height, left : left + width]
    return result


def _affine(images: Images, config: Affine, fill: int, draws: Draws) -> Images:
    """Every output pixel looks up where it comes from, with bilinear interpolation."""
    count, height, width, channels = images.shape
    unit = draws.uniform(_AFFINE, -1, 1, 5)
    angle = np.deg2rad(unit[:, 0] * config.rotate)
    shear = np.tan(np.deg2rad(unit[:, 1] * config.shear))
    low, high = config.scale
    zoom = np.exp(np.log(low) + (unit[:, 2] + 1) / 2 * (np.log(high) - np.log(low)))
    cos, sin = np.cos(angle) / zoom, np.sin(angle) / zoom
    y, x = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij")
    x, y = x.ravel().astype(np.float32), y.ravel().astype(np.float32)
    sheared = x[None, :] + shear[:, None].astype(np.float32) * y[None, :]
    cos, sin = cos[:, None].astype(np.float32), sin[:, None].astype(np.float32)
    # A border of two pixels of fill around the image makes every lookup outside it read the fill.
    border = 2
    source_x = (
        np.clip(
            cos * sheared + sin * y - unit[:, 3:4].astype(np.float32) * config.shift + (width - 1) / 2,
            -1.5,
            width + 0.5,
        )
        + border
    )
    source_y = (
        np.clip(
            cos * y - sin * sheared - unit[:, 4:5].astype(np.float32) * config.shift + (height - 1) / 2,
            -1.5,
            height + 0.5,
        )
        + border
    )
    whole_x, whole_y = source_x.astype(np.int32), source_y.astype(np.int32)
    part_x, part_y = (source_x - whole_x)[..., None], (source_y - whole_y)[..., None]
    stride = width + 2 * border
    padded = np.full((count, height + 2 * border, stride, channels), fill, np.float32)
    padded[:, border : border + height, border : border + width] = images
    flat = padded.reshape(-1, channels)
    corner = whole_y * stride + whole_x + (np.arange(count, dtype=np.int32) * (height + 2 * border) * stride)[:, None]
    upper = flat[corner] * (1 - part_x) + flat[corner + 1] * part_x
    lower = flat[corner + stride] * (1 - part_x) + flat[corner + stride + 1] * part_x
    mixed: NDArray[np.float32] = upper * (1 - part_y) + lower * part_y
    return np.rint(mixed).astype(np.uint8).reshape(images.shape)


def _colour(images: Images, config: Colour, draws: Draws) -> Images:
    brightness, contrast, saturation = (
        (
            1
            + draws.uniform(_COLOUR, -1, 1, 3).astype(np.float32)
            * [config.brightness, config.contrast, config.saturation]
        )
        .astype(np.float32)
        .T[:, :, None, None, None]
    )
    mixed: NDArray[np.float32] = images.astype(np.float32) * brightness
    weights: NDArray[np.float32] = _GREY if images.shape[-1] == 3 else np.ones(1, np.float32)
    grey = (mixed @ weights)[..., None]
    mean = grey.mean((1, 2, 3), keepdims=True)
    mixed = (mixed - mean) * contrast + mean
    if images.shape[-1] == 3:
        grey = (mixed @ weights)[..., None]
        mixed = (mixed - grey) * saturation + grey
        if config.lighting:  # Krizhevsky and others 2012, section 4.1
            mixed += (
                255 * (draws.normal(_LIGHTING, config.lighting, 3) @ _PRINCIPAL.T).astype(np.float32)[:, None, None]
            )
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
