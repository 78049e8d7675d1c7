"""From an image file to the array that a network takes, as its spec says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from cnnspec.diagnostics import Diagnostic, SpecError
from cnnspec.document import InputSpec, Preprocess

Array = np.ndarray[Any, np.dtype[Any]]

_RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def open_image(path: str | Path) -> Image.Image:
    """A decoded image; raises `SpecError` (E806) where the file is none."""
    try:
        with Image.open(path) as image:
            image.load()
            return image.copy()
    except FileNotFoundError:
        raise SpecError([Diagnostic("E806", f"there is no image {path}", None, "check the path")]) from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = "it is no image of a known kind" if isinstance(error, UnidentifiedImageError) else str(error)
        raise SpecError(
            [Diagnostic("E806", f"{path} cannot be read: {reason}", None, "is the file complete?")]
        ) from None


def preprocess(image: Image.Image, spec: InputSpec) -> Array:
    """The image as the input that `spec` describes.

    **Shape**: `[height, width, channels]`, float32.
    """
    steps = spec.preprocess or Preprocess()
    height, width, channels = spec.height or 1, spec.width or 1, spec.channels or 3
    image = image.convert("L" if channels == 1 else "RGB")
    resampling = _RESAMPLING[steps.interpolation]
    if steps.stretch is not None:
        image = image.resize((steps.stretch[1], steps.stretch[0]), resampling)
    elif steps.resize is not None:
        factor = steps.resize / min(image.size)
        # The shorter side is met exactly, the longer rounded down, as torchvision does.
        image = image.resize(
            (max(1, int(image.width * factor + 1e-6)), max(1, int(image.height * factor + 1e-6))), resampling
        )
    if steps.crop is not None:
        image = _centre_crop(image, steps.crop)
    if image.size != (width, height):
        image = image.resize((width, height), resampling)
    array: Array = np.asarray(image, np.float32)
    array = array[:, :, None] if array.ndim == 2 else array
    if steps.order == "bgr":
        array = array[:, :, ::-1]
    array = (array * np.float32(steps.scale) - np.asarray(steps.mean, np.float32)) / np.asarray(steps.std, np.float32)
    return np.ascontiguousarray(array, np.float32)


def _centre_crop(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    height, width = size
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    return image.crop((left, top, left + width, top + height))
