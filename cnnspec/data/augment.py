"""Augmentation of a whole batch at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnnspec.data.affine import affine
from cnnspec.data.base import Images
from cnnspec.data.config import Augmentation, Colour
from cnnspec.data.draws import Draws

_GREY = np.array([0.299, 0.587, 0.114], np.float32)  # luma of ITU-R BT.601
#: The principal components of the colours of ImageNet's pixels (a column each), times the roots of their eigenvalues,
#: as Facebook's training of residual networks has them; pixels of 0 to 1.
_PRINCIPAL = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]]) * [
    0.2175, 0.0188, 0.0045,
]  # fmt: skip


# Streams are numbered for good: see `draws`. That of `affine` is 3, those of `parts` are 0, 100 and 101.
_CROP, _FLIP, _COLOUR, _LIGHTING = 1, 2, 4, 5


def augment(images: Images, config: Augmentation, draws: Draws) -> Images:
    """The augmented batch `[n, height, width, channels]`; `images` is left as it is."""
    if config.crop is not None:
        images = _crop(images, config.crop, config.fill, draws)
    if config.affine is not None:
        images = affine(images, config.affine, config.fill, draws)
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
