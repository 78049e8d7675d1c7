"""How an image of any size fills the input of a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnspec.data.parts import Part
from cnnspec.document import Preprocess
from cnnspec.preprocess import convert, place

#: What Pillow raises for files that are no pictures, or not whole ones.
UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)

_DEFAULT = Preprocess()


@dataclass(frozen=True)
class Frame:
    """The input of a network, in pixels, and the steps into it."""

    height: int
    width: int
    channels: int
    steps: Preprocess = _DEFAULT

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels

    @property
    def bytes(self) -> int:
        return self.height * self.width * self.channels

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether images of `shape` (height, width, channels) go in unchanged."""
        return shape == self.shape and self.steps.resize is None and self.steps.pad is None

    def read(self, path: Path, part: Part | None = None) -> NDArray[np.uint8]:
        """The picture of a file, or a part of it; **Errors**: those of `UNREADABLE`."""
        with Image.open(path) as picture:
            return place(picture, self.steps, self.shape) if part is None else self.part(picture, part)

    def place_all(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The images `[n, ...]` of one size, placed one by one; unchanged where they fit."""
        if self.fits(images.shape[1:]):
            return images
        placed = np.zeros((len(images), *self.shape), np.uint8)
        for row, image in enumerate(images):
            placed[row] = place(picture_of(image), self.steps, self.shape)
        return placed

    def part(self, image: Image.Image, part: Part) -> NDArray[np.uint8]:
        """A part of an image, resized to the frame."""
        picture = convert(image, self.channels)
        resampling = Image.Resampling[self.steps.interpolation.upper()]
        whole = picture.resize((self.width, self.height), resampling, box=part.box(*picture.size))
        return np.asarray(whole, np.uint8).reshape(self.shape)


def picture_of(image: NDArray[np.uint8]) -> Image.Image:
    """An array `[height, width, channels]` as a picture."""
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
