"""Small random shifts, rotations, scalings and shears of a batch, with bilinear interpolation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnspec.data.base import Images
from cnnspec.data.config import Affine
from cnnspec.data.draws import Draws

_STREAM = 3  # of the random numbers: see `draws`
#: Pixels that are looked up at a time: their coordinates stay in cache, which makes a batch three times as fast.
_CHUNK = 8192
#: Pixels of fill around an image, so that every lookup outside it reads the fill.
_BORDER = 2


def affine(images: Images, config: Affine, fill: int, draws: Draws) -> Images:
    """The images `[n, height, width, channels]`, each moved in its own way."""
    count, height, width, channels = images.shape
    unit = draws.uniform(_STREAM, -1, 1, 5)
    angle = np.deg2rad(unit[:, 0] * config.rotate)
    low, high = config.scale
    zoom = np.exp(np.log(low) + (unit[:, 2] + 1) / 2 * (np.log(high) - np.log(low)))
    numbers = (np.cos(angle) / zoom, np.sin(angle) / zoom, np.tan(np.deg2rad(unit[:, 1] * config.shear)))
    cos, sin, shear = (number[:, None].astype(np.float32) for number in numbers)
    shift = unit[:, 3:5].astype(np.float32) * config.shift
    y, x = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij")
    x, y = x.ravel().astype(np.float32), y.ravel().astype(np.float32)
    moved = np.empty((count, channels, height * width), np.uint8)
    step = max(1, _CHUNK // (height * width))
    for first in range(0, count, step):
        part = slice(first, first + step)
        sheared = x + shear[part] * y
        # Where every pixel of the result comes from.
        source_x = cos[part] * sheared + sin[part] * y - shift[part, :1] + (width - 1) / 2
        source_y = cos[part] * y - sin[part] * sheared - shift[part, 1:] + (height - 1) / 2
        moved[part] = _looked_up(images[part], source_x, source_y, fill)
    return np.ascontiguousarray(moved.transpose(0, 2, 1)).reshape(images.shape)


def _looked_up(images: Images, x: NDArray[np.float32], y: NDArray[np.float32], fill: int) -> NDArray[np.float64]:
    """`[n, channels, pixels]`: the images at places `[n, pixels]`, between four pixels each."""
    count, height, width, channels = images.shape
    rows, stride = height + 2 * _BORDER, width + 2 * _BORDER
    padded = np.full((count, channels, rows, stride), fill, np.uint8)
    padded[:, :, _BORDER : _BORDER + height, _BORDER : _BORDER + width] = images.transpose(0, 3, 1, 2)
    x, y = np.clip(x, -1.5, width + 0.5) + _BORDER, np.clip(y, -1.5, height + 0.5) + _BORDER
    whole_x, whole_y = x.astype(np.int32), y.astype(np.int32)
    right, down = x - whole_x, y - whole_y
    left, up = 1 - right, 1 - down
    corner = whole_y * stride + whole_x + (np.arange(count) * channels * rows * stride)[:, None]
    found = np.empty((count, channels, height * width))
    for channel in range(channels):
        flat = padded.ravel()[channel * rows * stride :]
        upper = flat.take(corner) * left + flat[1:].take(corner) * right
        lower = flat[stride:].take(corner) * left + flat[stride + 1 :].take(corner) * right
        found[:, channel] = np.rint(upper * up + lower * down)
    return found
