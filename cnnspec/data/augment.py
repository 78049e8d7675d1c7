"""Augmentation of a whole batch at once; what is random depends on seed, step and place in the batch alone.

So a batch is the same however it is divided among hosts, and whenever it is made again after a resume.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnspec.data.base import Boxes, Images
from cnnspec.data.config import Affine, Augmentation, Colour, ResizedCrop

_GREY = np.array([0.299, 0.587, 0.114], np.float32)  # luma of ITU-R BT.601


@dataclass(frozen=True)
class Draws:
    """The random numbers of one step: drawn for the global batch, cut to the rows of this host."""

    seed: int
    step: int
    batch: int
    rows: slice

    def uniform(self, stream: int, low: float, high: float, columns: int = 1) -> NDArray[np.float64]:
        """`[rows, columns]` numbers in [low, high) of one named stream."""
        generator = np.random.Generator(np.random.PCG64([self.seed, self.step, stream]))
        return generator.uniform(low, high, (self.batch, columns))[self.rows]


# Streams are numbered for good: a new kind of augmentation must not move the others' numbers.
_BOX, _CROP, _FLIP, _AFFINE, _COLOUR = range(5)


def boxes(config: ResizedCrop, draws: Draws) -> Boxes:
    """Random parts (left, top, right, bottom, as shares): area and aspect ratio within the given ranges."""
    area = draws.uniform(_BOX, *config.area)[:, 0]
    ratio, left, top = (draws.uniform(_BOX + 100, 0, 1, 3)).T
    ratio = np.exp(np.log(config.ratio[0]) + ratio * (np.log(config.ratio[1]) - np.log(config.ratio[0])))
    width, height = np.minimum(np.sqrt(area * ratio), 1.0), np.minimum(np.sqrt(area / ratio), 1.0)
    x, y = left * (1 - width), top * (1 - height)
    return np.stack([x, y, x + width, y + height], axis=1)


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
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
