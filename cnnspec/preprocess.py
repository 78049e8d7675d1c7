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
    pixels = place(image, steps, (spec.height or 1, spec.width or 1, spec.channels or 3))
    array: Array = np.asarray(pixels, np.float32)
    if steps.order == "bgr":
        array = array[:, :, ::-1]
    array = (array * np.float32(steps.scale) - np.asarray(steps.mean, np.float32)) / np.asarray(steps.std, np.float32)
    return np.ascontiguousarray(array, np.float32)


def place(image: Image.Image, steps: Preprocess, shape: tuple[int, int, int]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The image at the size of an input of `shape` (height, width, channels), as pixel values of 0 to 255."""
    height, width, channels = shape
    image = convert(image, channels)
    resampling = _RESAMPLING[steps.interpolation]
    if steps.stretch is not None:
        image = _resized(image, (steps.stretch[1], steps.stretch[0]), resampling)
    elif steps.resize is not None:
        # The shorter side is met exactly, the longer rounded down, as torchvision does.
        image = _resized(image, _scaled(image, steps.resize / min(image.size)), resampling)
    elif steps.pad is not None:
        inner = _resized(image, _scaled(image, steps.pad / max(image.size)), resampling)
        image = _centre_crop(inner, (height, width))  # black where it reaches beyond the image
    if steps.crop is not None:
        image = _centre_crop(image, steps.crop)
    image = _resized(image, (width, height), resampling)
    return np.asarray(image, np.uint8).reshape(shape)


def convert(image: Image.Image, channels: int) -> Image.Image:
    """The image in grey (one channel) or in red, green and blue; **Errors**: `ValueError` for values without a range."""
    if image.mode in ("I", "F"):
        raise ValueError("its pixels have 32 bits, and no range that would say what is black and what is white")
    if image.mode.startswith("I;16"):  # Pillow would cut everything above 255
        image = Image.fromarray((np.asarray(image, np.float32) / 257 + 0.5).astype(np.uint8))
    if "transparency" in image.info:
        image = image.convert("RGBA")
    mode = "L" if channels == 1 else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _resized(image: Image.Image, size: tuple[int, int], resampling: Image.Resampling) -> Image.Image:
    return image if image.size == size else image.resize(size, resampling)


def _scaled(image: Image.Image, factor: float) -> tuple[int, int]:
    return max(1, int(image.width * factor + 1e-6)), max(1, int(image.height * factor + 1e-6))


def _centre_crop(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    height, width = size
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    return image.crop((left, top, left + width, top + height))
