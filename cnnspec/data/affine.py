"""Small random shifts, rotations, scalings and shears of a batch, with bilinear interpolation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnspec.data.base import Images
from cnnspec.data.config import Affine
from cnnspec.data.draws import Draws

_STREAM = 3  # of the random numbers: see `draws`
#: Pixels that are looked up at a time: their coordinates stay in cache.
_CHUNK = 32768
#: Pixels of fill around an image, so that every lookup outside it reads the fill.
_BORDER = 2

_Floats = NDArray[np.float32]


def affine(images: Images, config: Affine, fill: int, draws: Draws) -> Images:
    """The images `[n, height, width, channels]`, each moved in its own way."""
    channels = images.shape[-1]
    if channels > 1 and all((images[..., 0] == images[..., other]).all() for other in range(1, channels)):
        # Grey pictures in a network for colours: what is the same in every channel is looked up once.
        return np.repeat(_moved(images[..., :1], config, fill, draws), channels, axis=-1)
    return _moved(images, config, fill, draws)


def _moved(images: Images, config: Affine, fill: int, draws: Draws) -> Images:
    count, height, width, channels = images.shape
    unit = draws.uniform(_STREAM, -1, 1, 5)
    angle = np.deg2rad(unit[:, 0] * config.rotate)
    low, high = config.scale
    zoom = np.exp(np.log(low) + (unit[:, 2] + 1) / 2 * (np.log(high) - np.log(low)))
    numbers = (np.cos(angle) / zoom, np.sin(angle) / zoom, np.tan(np.deg2rad(unit[:, 1] * config.shear)))
    cos, sin, shear = (number[:, None].astype(np.float32) for number in numbers)
    # Where the middle of a result comes from.
    middle_x, middle_y = (
        (half - unit[:, at, None] * config.shift).astype(np.float32)
        for half, at in (((width - 1) / 2, 3), ((height - 1) / 2, 4))
    )
    y, x = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij")
    x, y = x.ravel().astype(np.float32), y.ravel().astype(np.float32)
    moved = np.empty((count, height * width, channels), np.uint8)
    step = max(1, _CHUNK // (height * width))
    for first in range(0, count, step):
        part = slice(first, first + step)
        sheared = x + shear[part] * y
        source_x = cos[part] * sheared + sin[part] * y + middle_x[part]
        source_y = cos[part] * y - sin[part] * sheared + middle_y[part]
        _look_up(images[part], source_x, source_y, fill, moved[part])
    return moved.reshape(images.shape)


def _look_up(images: Images, x: _Floats, y: _Floats, fill: int, found: Images) -> None:
    """Into `found [n, pixels, channels]` the images at places `[n, pixels]`, between four pixels each."""
    count, height, width, channels = images.shape
    rows, stride = height + 2 * _BORDER, width + 2 * _BORDER
    padded = np.full((channels, count, rows, stride), fill, np.float32)
    padded[:, :, _BORDER : _BORDER + height, _BORDER : _BORDER + width] = images.transpose(3, 0, 1, 2)
    for places, size in ((x, width), (y, height)):
        np.clip(places, np.float32(-1.5), np.float32(size + 0.5), out=places)
    whole_x, whole_y = np.floor(x), np.floor(y)
    right, down = x - whole_x, y - whole_y
    corner = ((whole_y + _BORDER) * stride + whole_x + _BORDER).astype(np.intp)
    corner += (np.arange(count) * rows * stride)[:, None]
    for channel, pixels in enumerate(padded):
        upper = _between(pixels.ravel(), corner, right)
        lower = _between(pixels.ravel()[stride:], corner, right)
        found[..., channel] = np.rint(upper + (lower - upper) * down)


def _between(pixels: _Floats, places: NDArray[np.intp], share: _Floats) -> _Floats:
    """The values at `places`, with a `share` of the ones right of them."""
    left = pixels.take(places)
    return left + (pixels[1:].take(places) - left) * share
